// Where the engine polls for interrupts depends on what it has translated. A lockstep machine goes on from a snapshot to the bit nevertheless: what was saved forgets its code, as what goes on has none.
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';
import type { SharedMemory } from '../../../src/cpu/state.ts';
import { RAM } from '../../../src/layout/memory.ts';
import { kernel } from '../machine/programs.ts';

const COUNT = 0x200000;
const LOCKSTEP = { lockstep: { paced: false } };
/**
 * An interrupt that the CPU sends itself is taken at the next poll, in the interpreter at the next block, in a region in its next turn: the handler makes a sum of where that was.
 * 400,000 times.
 */
const SELF = [
  'c705f000e0feff010000', // mov dword [0xfee000f0], 0x1ff
  'b88d001000 89c2', // mov eax, handler; mov edx, eax
  '25ffff0000 0d00000800 a308023000', // and eax, 0xffff; or eax, 0x80000; mov [0x300208], eax
  '81e20000ffff 81ca008e0000 89150c023000', // and edx, 0xffff0000; or edx, 0x8e00; mov [0x30020c], edx
  '0f011d9c001000 bc00002800 31c9 31db fb', // lidt [pointer]; mov esp, 0x280000; xor ecx, ecx; xor ebx, ebx; sti
  'c7050003e0fe41400400 85e4 7501 90', // again: mov dword [0xfee00300], 0x44041; test esp, esp; jnz forward; nop
  '41 890d00002000 81f9801a0600 72e2', // forward: inc ecx; mov [0x200000], ecx; cmp ecx, 400000; jb again
  '891d04002000 b005 e6f4 ebfe', // mov [0x200004], ebx; mov al, 5; out 0xf4, al; jmp $
  'd1c3 01cb c705b000e0fe00000000 cf', // handler: rol ebx, 1; add ebx, ecx; mov dword [0xfee000b0], 0; iret
  'ff07 00003000', // pointer: 0x7ff, 0x300000
];

const word = (machine: Machine, at: number) => (machine as unknown as { shared: SharedMemory }).shared.i32[(RAM + at) >> 2]! >>> 0;

/** Saves a machine when it has come so far, and runs it to its end. */
async function save(machine: Machine, at: number) {
  const run = machine.run();
  while (word(machine, COUNT) < at) await new Promise((resolve) => setTimeout(resolve, 0));
  const snapshot = await machine.snapshot();
  return { snapshot, facts: await facts(machine, run) };
}
async function facts(machine: Machine, run: Promise<unknown>) {
  const result = await run;
  return { result, lockstep: machine.stats().lockstep, hash: machine.memoryHash(), sum: word(machine, COUNT + 4) };
}

it.each(process.env.DRAGOMAN_LONG_TESTS === '1' ? (['jit', 'interpreter'] as const) : (['jit'] as const))('%s', async (engine) => {
  const options = { kernel: kernel(...SELF), engine, memoryBytes: 4 * MiB, debugExitPort: 0xf4, ...LOCKSTEP };
  for (const at of [1000, 5000, 20000, 100_000]) {
    const one = await save(await Machine.create(options), at);
    expect(one.facts.result).toEqual({ kind: 'debug-exit', value: 5 });
    const other = await Machine.restore(one.snapshot, LOCKSTEP);
    expect(await facts(other, other.run())).toEqual(one.facts);
    // And from what goes on.
    const two = await save(await Machine.restore(one.snapshot, LOCKSTEP), at + 100_000);
    const third = await Machine.restore(two.snapshot, LOCKSTEP);
    expect(await facts(third, third.run())).toEqual(two.facts);
  }
});
