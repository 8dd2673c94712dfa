// A TSC deadline that has passed when it is written (SDM vol. 3, 11.5.4.1): its interrupt is requested before the next instruction looks.
import { expect, it } from 'vitest';
import { type EngineName, Machine, MiB } from '../../../src/api/index.ts';
import { kernel, SPIN } from './programs.ts';

const CODE = [
  'c7052003e0fe 30000400', // mov dword [0xfee00320], 0x40030: TSC-deadline mode, vector 30H
  'b9e0060000 31d2 b801000000 0f30', // mov ecx, 0x6e0; xor edx, edx; mov eax, 1; wrmsr
  'a11002e0fe c1e810 e6f4', // mov eax, [0xfee00210] (IRR); shr eax, 16; out 0xf4, al
];
const lockstep = { seed: 3, paced: false };

it.each<[EngineName, string, object]>([
  ['interpreter', 'threads', {}],
  ['jit', 'threads', {}],
  ['interpreter', 'lockstep', { lockstep }],
  ['jit', 'lockstep', { lockstep }],
])('interrupts at once (%s, %s)', async (engine, _name, more) => {
  const machine = await Machine.create({ engine, memoryBytes: 16 * MiB, debugExitPort: 0xf4, kernel: kernel(...CODE, SPIN), ...more });
  expect(await machine.run()).toEqual({ kind: 'debug-exit', value: 1 });
});
