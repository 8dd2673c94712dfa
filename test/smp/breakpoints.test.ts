// Debug registers are a CPU's own, while code and its translations are everybody's (breakpoints.asm).
import { expect, it } from 'vitest';
import { runProgram } from './programs.ts';

it.each([
  ['threads', {}],
  ['lockstep', { lockstep: { seed: 3, paced: false } }],
])('breakpoints of one CPU are met by no other, in code that both run (%s)', async (_name, more) => {
  const { result, lines } = await runProgram('breakpoints', 'jit', { cpus: 2, n: 3 }, more);
  expect(lines).toEqual(['CPU 0 ok', 'CPU 1 ok']);
  expect(result).toEqual({ kind: 'debug-exit', value: 0 });
});
