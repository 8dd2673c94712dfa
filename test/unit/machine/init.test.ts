// INIT to the boot CPU: it goes on at the reset vector, so without a ROM the run ends there (SDM vol. 3, 9.1.1).
import { expect, it } from 'vitest';
import { type EngineName, Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { kernel, SPIN } from './programs.ts';

/** mov dword [0xfee00300], 0x44500: INIT to itself. */
const INIT_SELF = 'c7050003e0fe 00450400';
const lockstep = { seed: 3, paced: false };

const run = async (options: MachineOptions) => (await Machine.create({ memoryBytes: 16 * MiB, debugExitPort: 0xf4, ...options })).run();

it.each<[EngineName, string, Partial<MachineOptions>]>([
  ['interpreter', 'threads', {}],
  ['jit', 'threads', {}],
  ['interpreter', 'lockstep', { lockstep }],
  ['jit', 'lockstep', { lockstep }],
])('without a ROM it ends the run as a reset, and says why (%s, %s)', async (engine, _name, more) => {
  expect(await run({ engine, kernel: kernel(INIT_SELF, SPIN), ...more })).toEqual({ kind: 'reset', cause: 'INIT' });
});

/** Its first byte is at F000:0. By a byte of CMOS memory it knows whether it has been here; the first time it sends the INIT, the second it ends the run. */
const AGAIN = [
  'b050 e670 e471 84c0 7525 40 e671', // mov al, 0x50; out 0x70, al; in al, 0x71; test al, al; jnz again; inc ax; out 0x71, al
  '2e660f01163500 0f20c0 0c01 0f22c0 bb0800 8edb', // o32 lgdt [cs:pointer]; CR0.PE; mov bx, 8; mov ds, bx
  '6667c7050003e0fe00450400 ebfe', // mov dword [dword 0xfee00300], 0x44500; jmp $
  'b007 e6f4 ebfe', // again: mov al, 7; out 0xf4, al; jmp $
  '0f00 3b000f00 0000000000000000 ffff00000093cf00', // the GDT
].join('');

it('with a ROM it goes on at the reset vector', async () => {
  const bios = new Uint8Array(0x10000);
  bios.set(Buffer.from(AGAIN.replaceAll(' ', ''), 'hex'));
  bios.set([0xea, 0, 0, 0, 0xf0], 0xfff0); // jmp 0xf000:0
  expect(await run({ bios })).toEqual({ kind: 'debug-exit', value: 7 });
});
