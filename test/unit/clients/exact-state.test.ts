// Clients with exact state: registers, flags and EIP at each of their calls, in regions as in the interpreter, whatever translated code may leave out.
import { expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { CLI_HLT, ENTRY, kernel, le32 } from '../machine/programs.ts';
import type { StatesReport } from './states.ts';

/** Lockstep translates between its turns, which are some 40,000 instructions. */
const MANY = 8000;
const TURN = [
  '01d8 83c305', // ADD EAX, EBX; ADD EBX, 5: whose flags nobody sees
  '11c2 c1e003', // ADC EDX, EAX; SHL EAX, 3
  '0fafc3 4f', // IMUL EAX, EBX; DEC EDI
  '0106 d1da', // ADD [ESI], EAX; RCR EDX, 1
  '1b06 f7db', // SBB EAX, [ESI]; NEG EBX
  '6640 38c4', // INC AX; CMP AH, AL
  '50 5d', // PUSH EAX; POP EBP
  `e8 ${le32(0)} 83c404`, // CALL next; ADD ESP, 4
  '870e 870e', // XCHG [ESI], ECX, twice
  '31c5 8d447301', // XOR EBP, EAX; LEA EAX, [EBX + ESI * 2 + 1]
].join(' ');
const LENGTH = TURN.replaceAll(' ', '').length / 2;
const START = `bc ${le32(0x200000)} be ${le32(0x300000)} b9 ${le32(MANY)}`;
const PROGRAM = `${START} ${TURN} 49 0f85 ${le32(-(LENGTH + 7))} ${CLI_HLT}`;
const INSTRUCTIONS = 3 + 22 * MANY + 2;

async function run(more: Partial<MachineOptions>, options: Record<string, string> = {}): Promise<Omit<StatesReport, 'translated'>> {
  const clients = [{ module: new URL('./states.ts', import.meta.url), options }];
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: kernel(PROGRAM), clients, ...more });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  const { translated, ...report } = machine.stats().clients!.states as StatesReport;
  if (more.lockstep !== undefined) expect(translated > report.hooks[0] / 2).toBe(more.engine === undefined);
  expect(report.calls).toBeGreaterThan(100);
  return report;
}

it('calls find the same in regions as in the interpreter', async () => {
  const interpreted = await run({ lockstep: { paced: false }, engine: 'interpreter' });
  expect(interpreted.hooks[0]).toBe(INSTRUCTIONS);
  // ADD, SBB, PUSH, POP, CALL and two XCHG; CALL and JNZ.
  expect(interpreted.hooks.slice(1)).toEqual([7 * MANY, 2 * MANY]);
  expect(await run({ lockstep: { paced: false } })).toEqual(interpreted);
  // Relaxed: the kernel's flags are left out where it does not look at them.
  expect(await run({})).toEqual(interpreted);
});

it('of a client without it there is none', async () => {
  const { hashes } = await run({ lockstep: { paced: false } }, { exact: 'no' });
  expect(hashes).not.toEqual((await run({ lockstep: { paced: false } })).hashes);
});

it('only code that it looks at is made for it', async () => {
  // From SBB to CMP.
  const from = ENTRY + START.replaceAll(' ', '').length / 2 + 18;
  const options = { from: String(from), to: String(from + 8) };
  const interpreted = await run({ lockstep: { paced: false }, engine: 'interpreter' }, options);
  expect(interpreted.hooks).toEqual([4 * MANY, MANY, 0]);
  expect(await run({ lockstep: { paced: false } }, options)).toEqual(interpreted);
  expect(await run({}, options)).toEqual(interpreted);
});
