// A guest that writes to the screen as text-mode kernels do, and waits for the retrace.
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';
import { CLI_HLT, kernel, out, outDx, UD2 } from './programs.ts';

/** 25 times: scrolls by a line with REP MOVSD, then writes 'A' + the line's number, white on black, to the last one. */
const SCROLL = [
  'bea0800b00 bf00800b00 b9c0030000 f3a5', // again: mov esi, 0xb80a0; mov edi, 0xb8000; mov ecx, 24 * 40; rep movsd
  '8d8341070000 66a3008f0b00', // lea eax, [ebx + 0x741]; mov [0xb8f00], ax
  '43 83fb19 75dd', // inc ebx; cmp ebx, 25; jne again
].join('');
const WAIT_RETRACE = '66bada03 ec a808 75fb ec a808 74fb'; // mov dx, 0x3da; until it is over; until it comes again

async function run(engine: 'jit' | 'interpreter', ...code: string[]) {
  const machine = await Machine.create({ engine, kernel: kernel(...code), memoryBytes: 16 * MiB, lockstep: { paced: false } });
  const before = machine.screenText();
  return { before, end: await machine.run(), machine };
}

it.each(['jit', 'interpreter'] as const)('text that a guest writes is there to be seen, and to be read by it (%s)', async (engine) => {
  const { before, end, machine } = await run(engine, '31db', SCROLL, WAIT_RETRACE, CLI_HLT);
  expect(before).toBe('');
  expect(end).toEqual({ kind: 'halted' });
  expect(machine.screenText()).toBe('ABCDEFGHIJKLMNOPQRSTUVWXY'.split('').join('\n'));
});

it('the start of the text is where the CRT controller has it, and a crash shows it', async () => {
  // mov word [0xb80a0], 0x07f1; CRT controller 0DH: 80
  const { end, machine } = await run('interpreter', '66c705a0800b00f107', outDx(0x3d4, 0x0d), outDx(0x3d5, 80), UD2);
  expect(machine.screenText()).toBe('±');
  expect(end.kind).toBe('triple-fault');
  expect('dump' in end && end.dump.endsWith('\n\nscreen:\n±')).toBe(true);
});

it('what is below the text is no memory', async () => {
  // mov eax, 0x12345678; mov [0xb7ffc], eax; mov eax, [0xb7ffc]; inc eax; jnz over; halt
  const { end } = await run('interpreter', 'b878563412 a3fc7f0b00 a1fc7f0b00 40 7502', CLI_HLT, out(0x80, 1), UD2);
  expect(end).toEqual({ kind: 'halted' });
});
