// Every program of test/guest on both engines, with both encoders, and where nothing is relied on, against the expectations in its header (which QEMU confirmed: check-with-qemu.ts).
import { beforeAll, describe, expect, test } from 'vitest';
import { EXACT, type RelaxTerm } from '../../src/api/relax.ts';
import { type GuestProgram, guestNames, readManifest, readProgram, runGuest, sourceHash } from '../harness/asm.ts';
import { engineVariants, openEngine, type TestEngine } from '../harness/engine.ts';

test('the assembled images are of the present sources (else run test/guest/assemble.ts)', () => {
  expect(Object.fromEntries(guestNames().map((name) => [name, sourceHash(name)]))).toEqual(readManifest());
});

function check(engine: TestEngine, program: GuestProgram, relax?: readonly RelaxTerm[]): void {
  const differences = runGuest(engine, program, relax);
  if (differences.length) throw new Error(differences.join('\n'));
}

for (const { title, name: engineName, encoder } of engineVariants) {
  describe(title, () => {
    let engine: TestEngine;
    beforeAll(async () => {
      engine = await openEngine(engineName, undefined, encoder);
    });
    for (const name of guestNames()) {
      const program = readProgram(name);
      const { about, engines, without = [] } = program.header;
      test.skipIf(engines?.includes(engineName) === false)(`${name}: ${about}`, () => check(engine, program));
      for (const term of engineName === 'jit' ? without : [])
        test(`${name} without ${term}`, () =>
          check(
            engine,
            program,
            EXACT.filter((other) => other !== term),
          ));
    }
  });
}

describe('jit in mode classic', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openEngine('jit');
  });
  for (const name of guestNames()) {
    const program = readProgram(name);
    // Others are about what a guest sees of a relaxation.
    if (program.header.relax === undefined) test(name, () => check(engine, program, ['off']));
  }
});
