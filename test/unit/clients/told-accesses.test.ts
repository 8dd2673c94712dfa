// What access hooks see of functions of the runtime: a program (test/guest/told-accesses.asm) of which each access of a turn is known, in both engines and both executors.
import { expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { readProgram } from '../../harness/asm.ts';
import type { ToldReport } from './told.ts';

const TURNS = 3000;
const DATA = 0x60000;
const AWAY = DATA + 0x2000;
const PTE = 0x71000 + (AWAY >>> 12) * 4;
const STACK = 0x40000;
const TSS = 0x44000;
const STACK3 = 0x48000;

const one = (how: string, bytes: number, address: number, level = 'kernel') => `${how} ${bytes} at ${address.toString(16)} ${level}`;
const pushes = (top: number, count: number, level?: string) =>
  Array.from({ length: count }, (_, n) => one('w', 4, top - 4 * (n + 1), level));
const pops = (top: number, count: number) => Array.from({ length: count }, (_, n) => one('r', 4, top + 4 * n));

/** Of a turn, but those of the program's own image, which is below. */
const TURN = [
  one('w', 4, DATA),
  // INT, IRETD; CALL, RETF
  ...pushes(STACK, 3),
  ...pops(STACK - 12, 3),
  ...pushes(STACK, 2),
  ...pops(STACK - 8, 2),
  // ENTER 16, 3; LEAVE
  one('r', 8, 0x3f000 - 8),
  one('w', 16, STACK - 16),
  one('r', 4, STACK - 4),
  // FST, FIST, FSTP, FSTP m80; images
  one('w', 4, DATA + 16),
  one('w', 2, DATA + 20),
  one('w', 8, DATA + 24),
  one('w', 10, DATA + 32),
  one('w', 28, DATA + 64),
  one('r', 28, DATA + 64),
  one('w', 108, DATA + 128),
  one('r', 108, DATA + 128),
  one('w', 288, DATA + 512),
  one('r', 288, DATA + 512),
  one('w', 6, DATA + 8),
  // MASKMOVDQU: bytes 3 to 5
  one('r', 16, DATA + 1024),
  one('w', 3, DATA + 1040 + 3),
  // The page goes; REP MOVSB up to it, the page fault with its error code, and on
  one('w', 4, PTE),
  one('r', 16, DATA + 0x1000),
  one('w', 16, AWAY - 16),
  ...pushes(STACK, 4),
  one('w', 4, PTE),
  ...pops(STACK - 12, 3),
  one('r', 16, DATA + 0x1010),
  one('w', 16, AWAY),
  // To CPL 3: pushes by hand, PUSH EAX, POP EAX, IRETD
  ...pushes(STACK, 6),
  one('r', 4, STACK - 24),
  ...pops(STACK - 20, 5),
  // A call gate with two parameters
  ...pushes(STACK3, 2, 'user'),
  ...pushes(TSS, 2),
  one('r', 4, STACK3 - 4, 'user'),
  one('w', 4, TSS - 12),
  one('r', 4, STACK3 - 8, 'user'),
  one('w', 4, TSS - 16),
  one('w', 4, TSS - 20),
  one('w', 4, TSS - 24),
  // RETF 8
  ...pops(TSS - 24, 2),
  ...pops(TSS - 8, 2),
  // INT from CPL 3; PUSH EAX, POP EAX of the handler
  ...pushes(TSS, 6),
  one('r', 4, TSS - 24),
];
/** Runs: ENTER, images, MASKMOVDQU, REP MOVSB. */
const RUN_BYTES = 8 + 16 + 2 * (28 + 108 + 288) + 3 + 2 * 32;
const RUNS = 2 + 6 + 1 + 4;
/** Of the others those that no code of the guest's makes: INT, CALL, the page fault, to CPL 3, the gate, INT. */
const TOLD = 6 + 4 + 7 + 5 + 8 + 4 + 5;

async function run(more: Partial<MachineOptions>, options: Record<string, string> = {}): Promise<ToldReport> {
  const clients = [{ module: new URL('./told.ts', import.meta.url), options: { from: '0x3e000', mark: String(DATA), ...options } }];
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: readProgram('told-accesses').image, clients, ...more });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  return machine.stats().clients!.told as ToldReport;
}

it.each<Partial<MachineOptions>>([
  { lockstep: { paced: false } },
  { lockstep: { paced: false }, engine: 'interpreter' },
  {},
  { mode: 'transparent' },
  { mode: 'classic' },
])('with %j each access is seen once', async (more) => {
  const { accesses, runBytes, told, translated, last, eips } = await run(more);
  expect(last.slice(-TURN.length)).toEqual(TURN);
  expect(accesses).toBe((TURN.length - RUNS) * TURNS);
  expect(told).toBe(TOLD * TURNS);
  expect(runBytes).toBe(RUN_BYTES * TURNS);
  if (more.lockstep !== undefined) expect(translated > accesses / 10).toBe(more.engine === undefined);
  // Those of an instruction have its EIP: INT, IRETD.
  const of = eips.slice(-TURN.length);
  expect(new Set(of.slice(1, 4)).size).toBe(1);
  expect(new Set(of.slice(4, 7)).size).toBe(1);
  expect(of[4]).not.toBe(of[1]);
  // The string instruction before its fault, the frame of that, and behind it.
  const fault = TURN.indexOf(one('r', 16, DATA + 0x1000));
  expect(new Set([...of.slice(fault, fault + 6), ...of.slice(fault + 10, fault + 12)]).size).toBe(1);
});

it('they are of a level, and at an EIP', async () => {
  const more = { lockstep: { paced: false } };
  const kernel = await run(more, { level: 'kernel' });
  expect(kernel.accesses).toBe((TURN.filter((line) => line.endsWith('kernel')).length - RUNS) * TURNS);
  const { eips } = await run(more);
  const fault = TURN.indexOf(one('r', 16, DATA + 0x1000));
  const [mark, at] = [eips.slice(-TURN.length)[0]!, eips.slice(-TURN.length)[fault]!];
  const range = (eip: number) => `0x${eip.toString(16)}-0x${(eip + 1).toString(16)}`;
  const some = await run(more, { ranges: `${range(mark)}+${range(at)}` });
  expect([some.accesses, some.runBytes]).toEqual([(1 + 4) * TURNS, 64 * TURNS]);
});
