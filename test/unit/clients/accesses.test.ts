// Hooks at accesses of guest memory, in both engines and both executors: a program whose accesses are known.
// Cannot prove: that a kernel's direct map is found in; the runs of docs/clients.md show that.
import { expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { CLI_HLT, ENTRY, kernel, le32 } from '../machine/programs.ts';
import type { AccessReport } from './accesses.ts';

const MANY = 20_000;
const PLACE = 0x300000;
const at = (n: number) => le32(PLACE + n);

/** A turn of it; EDX and ECX stay, EBX counts. */
const TURN = [
  `8915 ${at(0)}`, // MOV [0], EDX
  `668b15 ${at(8)}`, // MOV DX, [8]
  `0115 ${at(16)}`, // ADD [16], EDX: read and written
  `f0ff05 ${at(24)}`, // LOCK INC [24]
  `8715 ${at(32)}`, // XCHG [32], EDX: locked
  `3a15 ${at(40)}`, // CMP DL, [40]
  '50 58', // PUSH EAX; POP EAX
  `be ${at(64)} bf ${at(96)} b9 ${le32(16)} f3a4`, // REP MOVSB, 16 bytes
  `bf ${at(128)} ab`, // STOSD
].join(' ');
const LENGTH = TURN.replaceAll(' ', '').length / 2;
const START = `bc ${le32(0x200000)} bb ${le32(MANY)}`;
const LOOP = ENTRY + 10;
const program = `${START} ${TURN} 4b 0f85 ${le32(-(LENGTH + 7))} ${CLI_HLT}`;

const OFFSETS = [0, 8, 16, 24, 32, 40, 128].reduce((sum, n) => sum + PLACE + n, 2 * (0x200000 - 4));

async function run(more: Partial<MachineOptions>): Promise<AccessReport> {
  const clients = [{ module: new URL('./accesses.ts', import.meta.url), options: { from: String(LOOP) } }];
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: kernel(program), clients, ...more });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  return machine.stats().clients!.accesses as AccessReport;
}

it.each<Partial<MachineOptions>>([
  { lockstep: { paced: false } },
  { lockstep: { paced: false }, engine: 'interpreter' },
  {},
  { engine: 'interpreter' },
  { cpus: 2, mode: 'transparent' },
])('with %j each access is seen once', async (more) => {
  const { marked, ...counts } = await run(more);
  expect(counts).toEqual({
    reads: 3 * MANY,
    writes: 3 * MANY,
    both: MANY,
    locked: 2 * MANY,
    runBytes: 32 * MANY,
    bytes: (4 + 2 + 4 + 4 + 4 + 1 + 4 + 4 + 4) * MANY,
    offsets: OFFSETS * MANY,
    outside: 0,
  });
  const marks = Object.fromEntries(
    [0, 8, 16, 24, 32, 40, 64, 96, 128].map((n, k) => [`0x${(PLACE + n).toString(16)}`, [2, 1, 3, 3, 3, 1, 1, 2, 2][k]]),
  );
  expect(marked).toEqual({ ...marks, '0x1ffff8': 3 });
});
