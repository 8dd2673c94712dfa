// One clock measured by another (clocks.asm), on a host that has other things to do. Also `bench/clocks.ts`.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EngineName } from '../../src/api/index.ts';
import { CLOCKS, clockDeviation } from './checks.ts';
import { runProgram } from './programs.ts';

const TIMES = 5;

let busy: Worker[];
beforeAll(() => {
  busy = Array.from({ length: availableParallelism() }, () => new Worker('for (;;);', { eval: true }));
});
afterAll(() => Promise.all(busy.map((worker) => worker.terminate())));

it.each<EngineName>(['interpreter', 'jit'])('agree within 1% where the host is busy (%s)', async (engine) => {
  const { result, lines } = await runProgram('clocks', engine, { cpus: 1, n: TIMES, what: 0 });
  expect(result).toEqual({ kind: 'debug-exit', value: 0 });
  for (const name of CLOCKS) {
    const found = clockDeviation(lines, name);
    expect(found).toHaveLength(TIMES);
    // A tick of the 8254 for all that falls into a stall is not hidden with it: of many such measurements one may be wrong.
    const median = found.sort((a, b) => a - b)[(TIMES - 1) / 2]!;
    expect(Math.abs(median), `${name}: ${found}`).toBeLessThan(0.01);
  }
});
