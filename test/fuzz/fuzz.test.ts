// The fuzzer with fixed seeds, for a few seconds with each encoder, and all cases that it once found (test/fuzz/cases/*.json): interpreter and
// JIT leave the same state. Cannot prove: what both do wrong in the same way (see test/vectors), and what other seeds would show.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENCODERS } from '../../src/emit/module/builder.ts';
import type { Case } from './case.ts';
import { Engines } from './engines.ts';
import { generate } from './generate.ts';
import { irProblems } from './verify.ts';

const FIRST_SEED = 1;
const SEEDS = 1200;
const BUDGET_MS = 6000;

const folder = new URL('./cases/', import.meta.url);
describe.each(ENCODERS)('with the encoder %s', (encoder) => {
  let engines: Engines;
  beforeAll(async () => {
    engines = await Engines.open(encoder);
  });
  afterAll(() => engines.close());

  test.each(readdirSync(folder).filter((name) => name.endsWith('.json')))('case %s', (name) => {
    const c = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Case;
    expect(engines.compare(c)?.different).toEqual([]);
    expect(irProblems(c)).toEqual([]);
  });

  test('random cases do the same on both engines, and their IR is well-formed', () => {
    const until = performance.now() + BUDGET_MS;
    let compared = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS && performance.now() < until; seed++) {
      const c = generate(seed);
      const outcome = engines.compare(c);
      if (outcome === undefined) continue;
      compared++;
      expect(outcome.different, `seed ${seed}: reduce it with test/fuzz/fuzz.ts --seed ${seed}`).toEqual([]);
      // Every entry of the case as a region: slow, so for some only.
      if (seed % 4 === 0) expect(irProblems(c), `seed ${seed}`).toEqual([]);
    }
    expect(compared).toBeGreaterThan(20);
  });
});
