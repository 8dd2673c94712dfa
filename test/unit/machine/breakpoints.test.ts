// Breakpoints of the debug registers that are armed and never hit: what else runs stays translated. In lockstep, so the numbers are the same on any host.
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';
import { CLI_HLT, ENTRY, kernel } from './programs.ts';

const DATA = 0x200000;
const TURNS = 300_000;

const le = (n: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes.toString('hex');
};

/** Part of the instructions that the interpreter runs in a loop which loads, changes a word and counts, with DR0, DR7 and CR4 as given; and how often the TLB missed. */
async function interpreted(dr0: number, dr7: number, cr4 = 0): Promise<{ part: number; tlbMisses: number }> {
  const arm = `b8${le(cr4)} 0f22e0 b8${le(dr0)} 0f23c0 b8${le(dr7)} 0f23f8`;
  // mov ebx, DATA; mov ecx, TURNS; loop: add eax, [ebx]; inc dword [ebx + 4]; dec ecx; jnz loop
  const loop = `bb${le(DATA)} b9${le(TURNS)} 0303 ff4304 49 75f8`;
  const machine = await Machine.create({ kernel: kernel(arm, loop, CLI_HLT), memoryBytes: 4 * MiB, lockstep: { seed: 1 } });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  const { instructions, engines, tlbMisses } = machine.stats();
  expect(instructions).toBeGreaterThan(4 * TURNS);
  return { part: engines.interpreter.instructions! / instructions!, tlbMisses };
}

it.each([
  ['none', 0, 0x400, 0],
  ['on data of another page', DATA + 0x1000, 0x000f0402, 0],
  ['on data elsewhere in the page', DATA + 0x800, 0x000f0402, 0],
  ['on data right behind', DATA + 8, 0x000f0402, 0],
  ['on code of another page', ENTRY + 0x1000, 0x402, 0],
  ['on a port', 0x80, 0x00020402, 8],
])('translated code stays translated with a breakpoint %s', async (_where, dr0, dr7, cr4) => {
  const { part, tlbMisses } = await interpreted(dr0, dr7, cr4);
  expect(part).toBeLessThan(0.2);
  // Nor are pages looked up at each access.
  expect(tlbMisses).toBeLessThan(1000);
});

it('code of the page of an instruction breakpoint is interpreted', async () => {
  expect((await interpreted(ENTRY + 0x200, 0x402)).part).toBe(1);
});
