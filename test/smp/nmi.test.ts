// NMIs that meet (nmi.asm), in lockstep as well; and a machine whose last CPU sleeps in its NMI handler ends, though an NMI waits.
import { expect, it } from 'vitest';
import type { EngineName } from '../../src/api/index.ts';
import { NMI_PARTS } from './checks.ts';
import { runProgram } from './programs.ts';

const lockstep = { seed: 5, paced: false };

it.each<EngineName>(['interpreter', 'jit'])('one may wait while another is being served (lockstep, %s)', async (engine) => {
  const { result, lines } = await runProgram('nmi', engine, { cpus: 2, n: 20 }, { lockstep });
  expect(lines).toEqual(NMI_PARTS.map((part) => `${part} ok`));
  expect(result).toEqual({ kind: 'debug-exit', value: 0 });
});

it.each([
  ['threads', {}],
  ['lockstep', { lockstep }],
])('one that waits wakes no CPU from HLT in its handler: the machine has halted (%s)', async (_name, more) => {
  expect(await runProgram('nmi', 'jit', { cpus: 2, n: 1, halt: 1 }, more)).toEqual({ result: { kind: 'halted' }, lines: [] });
});
