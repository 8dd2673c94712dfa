// The client prof: a program whose calls, returns and jumps are known, in the interpreter, in regions and in whole machines.
// Cannot prove: what a kernel does; the runs of docs/clients.md show that.
import { describe, expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB, type ProfLevel, type ProfStats } from '../../../src/api/index.ts';
import { EXACT, type RelaxTerm } from '../../../src/api/relax.ts';
import { createCountingEngine } from '../../harness/cpu-engine.ts';
import { CLI_HLT, ENTRY, kernel, le32, outDx } from './programs.ts';

/** Instructions of a turn, and around them. */
const OF_A_TURN = 13;
const AROUND = 4;

/** The program at `at`: a call, a call through a register, a jump through one, a return to what was pushed by hand; all in one loop. */
function program(turns: number, at: number): string {
  const loop = at + 10;
  const m = loop + 19;
  const r = m + 6;
  const f = r + 5;
  const code = [
    `bc ${le32(0x200000)}`, // MOV ESP
    `b9 ${le32(turns)}`, // MOV ECX
    `b8 ${le32(f)}`, // loop: MOV EAX, f
    `e8 ${le32(f - (loop + 10))}`, // CALL f
    'ffd0', // CALL EAX
    `b8 ${le32(m)}`, // MOV EAX, m
    'ffe0', // JMP EAX
    `68 ${le32(r)} c3`, // m: PUSH r; RET
    `49 75${(256 + loop - (r + 3)).toString(16)}`, // r: DEC ECX; JNZ loop
    CLI_HLT,
    '90 c3', // f: NOP; RET
  ];
  return code.join(' ');
}

const consistent = (level: ProfLevel) => {
  const { returns, jumps, firstLevel, secondLevel, misses, indirectBranches, waitedReturns, inlinedReturns, directReturns } = level;
  expect([firstLevel + secondLevel + misses, returns + jumps, waitedReturns + inlinedReturns]).toEqual([
    indirectBranches,
    indirectBranches,
    directReturns,
  ]);
  const entries = Object.values(level.dispatcher).flatMap((by) => Object.values(by));
  expect(entries.reduce((sum, count) => sum + count, 0)).toBe(level.dispatcherEntries);
};

const AT = 0x10000;
const TURNS = 500;

/** The program on a CPU alone: what was counted. */
function counted(name: 'interpreter' | 'jit', relax?: readonly RelaxTerm[]): ProfStats {
  const engine = createCountingEngine(name);
  engine.reset(relax);
  engine.writeMemory(AT, Buffer.from(program(TURNS, AT).replaceAll(' ', ''), 'hex'));
  engine.setState({ eip: AT });
  expect(engine.run({}).reason).toBe('halted');
  const stats = engine.counted;
  consistent(stats.kernel);
  expect(stats.user).toMatchObject({ instructions: 0, indirectBranches: 0, directReturns: 0, crossings: 0, dispatcherEntries: 0 });
  expect(stats.kernel).toMatchObject({ instructions: AROUND + TURNS * OF_A_TURN, jumps: 2 * TURNS, crossings: 0, secondLevel: 0 });
  return stats;
}

describe('a program of known ways', () => {
  it('in the interpreter looks for all of them', () => {
    const { kernel } = counted('interpreter');
    expect(kernel).toMatchObject({ returns: 3 * TURNS, directReturns: 0, directJumps: 0 });
    expect(kernel.misses).toBeLessThan(10);
    // Each asks in the dispatcher.
    expect(kernel.dispatcher.interpreted!.entry).toBe(kernel.firstLevel);
  });

  it('in regions looks for those that no call stands for', () => {
    const { kernel } = counted('jit');
    // The first call through the register comes to code that must be decoded: then nobody waits.
    expect(kernel).toMatchObject({ returns: TURNS + 1, inlinedReturns: TURNS, waitedReturns: TURNS - 1 });
    expect(kernel.misses).toBeLessThan(10);
    expect(kernel.dispatcherEntries).toBeLessThan(50);
    expect(kernel.lookUps).toBeLessThan(20);
    expect(kernel.dispatcher.branch).toBeDefined();
    expect(kernel.dispatcher.interpreted).toBeUndefined();
  });

  it('in regions without returns looks for all of them', () => {
    for (const relax of [EXACT.filter((name) => name !== 'returns'), ['off'] as const]) {
      const { kernel } = counted('jit', relax);
      expect(kernel).toMatchObject({ returns: 3 * TURNS, directReturns: 0 });
    }
  });
});

const MANY = 100_000;

async function runMachine(
  options: MachineOptions,
): Promise<{ readonly prof: ProfStats | undefined; readonly instructions: number | null }> {
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: kernel(program(MANY, ENTRY)), ...options });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  const { prof, instructions } = machine.stats();
  return { prof, instructions };
}

describe('a machine', () => {
  it('counts nothing that nobody asked for', async () => {
    expect(await runMachine({})).toEqual({ prof: undefined, instructions: null });
  });

  it.each([{ lockstep: { paced: false } }, {}, { countInstructions: true }, { strictOrder: true }])(
    'with %j counts all of its ways',
    async (more) => {
      const { prof, instructions } = await runMachine({ clients: ['prof'], ...more });
      const { kernel: all } = prof!;
      consistent(all);
      expect(all.instructions).toBe(AROUND + MANY * OF_A_TURN);
      if (instructions !== null) expect(instructions).toBe(all.instructions);
      expect(all).toMatchObject({ jumps: 2 * MANY, crossings: 0 });
      expect(all.returns + all.directReturns).toBe(3 * MANY);
      // Threads may be done before there is a region.
      if ('lockstep' in more) expect(all.directReturns).toBeGreaterThan(MANY);
    },
  );

  it('without returns goes directly nowhere, and looks for as many more', async () => {
    const { prof } = await runMachine({ clients: ['prof'], relax: ['-returns'], lockstep: { paced: false } });
    expect(prof!.kernel).toMatchObject({ returns: 3 * MANY, directReturns: 0, indirectBranches: 5 * MANY });
  });

  it('counts the same in the same lockstep run', async () => {
    const options: MachineOptions = { clients: ['prof'], lockstep: { seed: 5, paced: false } };
    const first = await runMachine(options);
    expect(await runMachine(options)).toEqual(first);
  });

  it('in the interpreter counts what the interpreter does', async () => {
    const { prof } = await runMachine({ clients: ['prof'], engine: 'interpreter' });
    expect(prof!.kernel).toMatchObject({ returns: 3 * MANY, directReturns: 0, jumps: 2 * MANY });
  });

  it('counts between two texts on the console', async () => {
    const say = (text: string) => [...text].map((letter) => outDx(0x3f8, letter.charCodeAt(0))).join(' ');
    const parts = ['A', 'B', 'C'].map((letter) => `${say(`go ${letter}`)}`);
    const at = (text: string) => ENTRY + Buffer.from(text.replaceAll(' ', ''), 'hex').length;
    const loop = (before: string) => program(MANY, at(before)).replace(/ fa f4(?= 90 c3$)/, ' eb02');
    // Each loop in its turn, then the next text.
    let code = parts[0]!;
    for (const part of parts.slice(1)) code = `${code} ${loop(code)} ${part}`;
    code = `${code} ${loop(code)} ${CLI_HLT}`;
    const options: MachineOptions = { kernel: kernel(code), lockstep: { paced: false } };
    const whole = (await runMachine({ ...options, clients: ['prof'] })).prof!;
    expect(whole).toMatchObject({ begun: true, ended: false });
    expect(whole.kernel.jumps).toBe(6 * MANY);
    const part = (await runMachine({ ...options, clients: ['prof:from=go A,until=go B'] })).prof!;
    expect(part).toMatchObject({ begun: true, ended: true });
    // The host reads at the end of a turn.
    expect(Math.abs(part.kernel.jumps - 2 * MANY)).toBeLessThan(MANY / 5);
    consistent(part.kernel);
    // All parts together are the whole.
    const others = [];
    for (const client of ['prof:until=go A', 'prof:from=go B']) others.push((await runMachine({ ...options, clients: [client] })).prof!);
    expect(others.reduce((sum, { kernel: { jumps } }) => sum + jumps, part.kernel.jumps)).toBe(6 * MANY);
    expect((await runMachine({ ...options, clients: ['prof:from=never'] })).prof).toMatchObject({
      begun: false,
      kernel: { instructions: 0 },
    });
  });
});
