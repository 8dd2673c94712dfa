// Hooks at branches, rings, calls of a client's functions, and ways into the kernel, in both engines: programs whose branches are known.
import { expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { CLI_HLT, ENTRY, kernel, le32 } from '../machine/programs.ts';
import type { BranchReport } from './branches.ts';

const MANY = 5000;
const LOOP = ENTRY + 10;
/** A turn: CALL F; MOV EAX, J; JMP EAX; J: TEST CL, 1; JZ over; NOP; over: DEC ECX; JNZ loop. F is a RET. */
const J = LOOP + 12;
const END = J + 9;
const F = END + 2;
const PROGRAM = [
  `bc ${le32(0x200000)} b9 ${le32(MANY)}`,
  `e8 ${le32(F - (LOOP + 5))} b8 ${le32(J)} ffe0`,
  `f6c101 7401 90 49 75${(256 + LOOP - END).toString(16)}`,
  CLI_HLT,
  'c3',
].join(' ');

const client = (options: Record<string, string>) => ({ module: new URL('./branches.ts', import.meta.url), options });
async function run(options: Record<string, string>, more: Partial<MachineOptions>): Promise<BranchReport> {
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: kernel(PROGRAM), clients: [client(options)], ...more });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  return machine.stats().clients!.branches as BranchReport;
}

it.each<Partial<MachineOptions>>([{ lockstep: { paced: false } }, { lockstep: { paced: false }, engine: 'interpreter' }, {}])(
  'with %j each branch is seen once, with where it goes',
  async (more) => {
    const { kinds, taken, direct, edges, called, exact } = await run({ calls: 'yes' }, more);
    expect(kinds).toEqual({ conditional: 2 * MANY, jump: MANY, call: MANY, return: MANY, far: 0 });
    // JZ of every second turn, JNZ of all but the last.
    expect(taken).toBe(3 * MANY + MANY / 2 + MANY - 1);
    expect(direct).toBe(3 * MANY);
    // Of the last turn, which is an odd one, and how it was come to.
    expect(edges.slice(-6)).toEqual([
      [END - 2, LOOP],
      [LOOP, F],
      [F, LOOP + 5],
      [LOOP + 10, J],
      [J + 3, J + 5],
      [END - 2, END],
    ]);
    expect(called).toBe((LOOP + 5) % 2 === 0 ? MANY : 0);
    expect(exact).toBe(MANY);
  },
);

it('ways into the kernel and out of it are told', async () => {
  const CALLS = 500;
  await using machine = await Machine.create({
    memoryBytes: 64 * MiB,
    kernel: SERAI,
    lockstep: { paced: false },
    clients: [client({ crossings: 'yes' })],
  });
  const run = machine.run();
  await machine.console.until('serai> ', { timeoutMs: 60_000 });
  await machine.console.type(`parallel call-sysenter ${CALLS}\n`);
  await machine.console.until('processes, in', { timeoutMs: 60_000 });
  machine.stop('enough');
  await run;
  const { into, outOf, vectors } = machine.stats().clients!.branches as BranchReport;
  const delivered = Object.values(vectors).reduce((sum, count) => sum + count, 0);
  expect(Math.abs(into - outOf)).toBeLessThan(2);
  // What is no exception and no interrupt came by SYSENTER.
  expect(into - delivered).toBeGreaterThanOrEqual(CALLS);
  expect(vectors[14]).toBeGreaterThan(0);
}, 120_000);
