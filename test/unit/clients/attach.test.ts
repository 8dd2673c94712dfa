// Attaching and detaching while two CPUs run: a guest that counts its own turns, whose instructions a client counts from exactly where it is attached to exactly where it is detached.
import { expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import type { InscountReport } from '../../../src/clients/inscount.ts';
import { CpuArea } from '../../../src/layout/memory.ts';
import { ENTRY, kernel, le32, SPIN } from '../machine/programs.ts';

/** Where the CPUs count their turns. */
const TURNS = [0x9000, 0x9004] as const;
const AP = 0x8000;
const ICR = 0xfee00300;
const put = (address: number, value: number) => `c705 ${le32(address)} ${le32(value)}`;
/** At AP, in real mode: INC DWORD [9004H]; JMP back. Of two instructions, as a turn of the other CPU. */
const OF_AP = '66ff060490 ebf9';
const words = Buffer.from(`${OF_AP.replaceAll(' ', '')}90`, 'hex');
/** INIT, a wait, the start-up IPI; then INC DWORD [9000H]; JMP back. */
const PROGRAM = [
  put(AP, words.readInt32LE(0)),
  put(AP + 4, words.readInt32LE(4)),
  put(ICR, 0xc4500),
  `b9 ${le32(100_000)} 49 75fd`,
  put(ICR, 0xc4600 | (AP >> 12)),
  `ff05 ${le32(TURNS[0])} ebf8`,
].join(' ');

interface Seen {
  readonly turns: number;
  readonly eip: number;
}

/** How far each CPU of a paused machine has come. */
function seen(machine: Machine): Seen[] {
  return TURNS.map((at, cpu) => ({
    turns: new DataView(machine.memory.physical.read(at, 4).slice().buffer).getUint32(0, true),
    eip: machine.cpus[cpu]!.registers.eip,
  }));
}
/** Instructions from one place to another: INC has been done where a CPU stands at the jump. */
const between = (from: Seen, to: Seen): number => 2 * (to.turns - from.turns) - (isJump(to) ? 1 : 0) + (isJump(from) ? 1 : 0);
/** Where the jumps are: of the first CPU, of the other. */
const JUMPS = [ENTRY + Buffer.from(PROGRAM.replaceAll(' ', ''), 'hex').length - 2, 5];
const isJump = ({ eip }: Seen): boolean => JUMPS.includes(eip);

/** Lets the guest run until each CPU has made so many turns more. */
async function letRun(machine: Machine, turns: number): Promise<void> {
  const before = seen(machine);
  for (let now = before; now.some((cpu, n) => cpu.turns - before[n]!.turns < turns); now = seen(machine)) {
    await machine.resume();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await machine.pause();
  }
}

const cpusOf = (report: unknown): number[] => (report as InscountReport).cpus.map(({ kernel }) => kernel);

it.each<[string, Partial<MachineOptions>]>([
  ['threads', {}],
  ['lockstep', { lockstep: { paced: false, seed: 1 } }],
  ['the interpreter on threads', { engine: 'interpreter' }],
])(
  'on %s counts from when it is attached until it is detached',
  async (_name, more) => {
    await using machine = await Machine.create({ memoryBytes: 16 * MiB, cpus: 2, kernel: kernel(PROGRAM), paused: true, ...more });
    const run = machine.run();
    while (machine.state !== 'paused') await machine.pause();
    await letRun(machine, 5000);

    // Of a machine that is paused, exactly.
    const begin = seen(machine);
    const exact = await machine.attach('inscount:exact=yes');
    expect(cpusOf(exact.report())).toEqual([0, 0]);
    await letRun(machine, 5000);
    const middle = seen(machine);
    expect(cpusOf(exact.report())).toEqual(begin.map((from, n) => between(from, middle[n]!)));
    const byBlock = await machine.attach('inscount');
    await letRun(machine, 5000);
    await exact.detach();
    const end = seen(machine);
    const counted = begin.map((from, n) => between(from, end[n]!));
    expect(cpusOf(exact.report())).toEqual(counted);
    const others = cpusOf(byBlock.report());
    others.forEach((count, n) => expect(Math.abs(count - between(middle[n]!, end[n]!))).toBeLessThan(2));
    await byBlock.detach();
    await letRun(machine, 5000);
    expect(cpusOf(exact.report())).toEqual(counted);

    // Of one that runs: what is counted is neither more nor less than what was run between.
    const before = seen(machine);
    await machine.resume();
    const again = await machine.attach('inscount:exact=yes');
    await machine.pause();
    const attached = cpusOf(again.report());
    const atPause = seen(machine);
    await letRun(machine, 5000);
    expect(cpusOf(again.report()).map((count, n) => count - attached[n]!)).toEqual(
      atPause.map((from, n) => between(from, seen(machine)[n]!)),
    );
    await machine.resume();
    await again.detach();
    await again.detach();
    await machine.pause();
    const after = seen(machine);
    cpusOf(again.report()).forEach((count, n) => expect(count).toBeLessThanOrEqual(between(before[n]!, after[n]!)));
    const room = words32(machine);
    await letRun(machine, 5000);
    expect(words32(machine)).toEqual(room);
    machine.stop('enough');
    await run;
  },
  120_000,
);

/** What clients have of the first CPU, which nobody may write to any more. */
function words32(machine: Machine): number[] {
  const { shared } = machine as unknown as { shared: { i32: Int32Array; plan: { cpus: number } } };
  const at = (shared.plan.cpus + CpuArea.at.clients) >> 2;
  return [...shared.i32.subarray(at, at + 16)];
}

it('a client of a run that has ended cannot be attached', async () => {
  const machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: kernel(SPIN), lockstep: { paced: false } });
  const run = machine.run();
  machine.stop('enough');
  await run;
  await expect(machine.attach('inscount')).rejects.toMatchObject({ code: 'ENDED' });
  await expect(machine.attach('prof')).rejects.toThrow('prof goes with a run from its start');
});

it('what of a run comes again is not counted twice, nor made another', async () => {
  const lockstep = (more: object) => ({ memoryBytes: 16 * MiB, kernel: kernel(SPIN), lockstep: { paced: false, ...more } });
  await using past = await Machine.create(lockstep({ reverse: true }));
  await expect(past.attach('inscount')).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
  await using recorded = await Machine.create(lockstep({ onRecord: () => {} }));
  await expect(recorded.attach('races')).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
  await recorded.attach('inscount');
});
