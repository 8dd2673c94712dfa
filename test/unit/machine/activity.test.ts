// What machine.activity() says of CPUs whose doings are known: one that spins in ring 3, one that waits, one that was never started; and, in lockstep, serai against the instructions that a client counts.
// Cannot prove: how near samples come to the truth on threads.
import { describe, expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { activityBetween, type CpuActivity, Machine, type MachineActivity, type MachineOptions, MiB } from '../../../src/api/index.ts';
import type { InscountReport } from '../../../src/clients/inscount.ts';
import { ENTRY, kernel, le32, SPIN } from './programs.ts';

const GDT = 0x200000;
const put = (address: number, value: number) => `c705 ${le32(address)} ${le32(value)}`;
/** Segments of ring 3, and an IRET to what stands behind it. */
const toUser = (at: number): string =>
  [
    ...[0, 0, 0xffff, 0x00cffa00, 0xffff, 0x00cff200].map((word, n) => put(GDT + 4 * n, word)),
    put(GDT + 0x100, 0x0017 | ((GDT & 0xffff) << 16)),
    put(GDT + 0x104, GDT >>> 16),
    `0f0115 ${le32(GDT + 0x100)}`,
    `bc ${le32(0x300000)} 6a13 68 ${le32(0x300000)} 6a02 6a0b 68 ${le32(at)} cf`,
  ].join(' ');
const bytesOf = (code: string) => code.replaceAll(' ', '').length / 2;
const USER = ENTRY + bytesOf(toUser(0));
const IN_USER = kernel(toUser(USER), SPIN);
/** Both 8259s are masked; STI; HLT; back. */
const MASKED = 'b0ff e621 e6a1 fb';
const WAITS = kernel(MASKED, 'f4 ebfd');

const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
async function until(machine: Machine, is: (activity: MachineActivity) => boolean): Promise<MachineActivity> {
  for (;;) {
    const now = machine.activity();
    if (is(now)) return now;
    if (machine.state === 'ended') throw new Error('the run has ended');
    await pause();
  }
}
const samplesOf = ({ samples }: CpuActivity) => samples.kernel + samples.user;

describe('CPUs whose doings are known', () => {
  it.each<[string, Partial<MachineOptions>]>([
    ['threads', {}],
    ['the interpreter on threads', { engine: 'interpreter' }],
    ['lockstep', { lockstep: { paced: false } }],
  ])('one in ring 3, beside one that was never started, on %s', async (_name, more) => {
    await using machine = await Machine.create({ memoryBytes: 16 * MiB, cpus: 2, kernel: IN_USER, ...more });
    expect(machine.activity()).toMatchObject({
      state: 'created',
      cpus: [
        { state: 'stopped', ranMs: 0 },
        { state: 'stopped', ranMs: 0 },
      ],
    });
    const run = machine.run();
    const before = await until(machine, ({ cpus }) => cpus[0]!.state === 'user' && samplesOf(cpus[0]!) > 0);
    const now = await until(machine, ({ cpus }) => samplesOf(cpus[0]!) - samplesOf(before.cpus[0]!) >= 5);
    expect(now.cpus.map(({ state }) => state)).toEqual(['user', 'off']);
    expect(now.cpus[0]!.eip).toBe(USER);
    const shares = activityBetween(before, now);
    expect(shares.ms).toBeGreaterThan(0);
    expect(shares.cpus[0]).toMatchObject({ kernel: 0, user: 1, idle: 0, off: 0, interrupts: 0, faults: 0, addressSpaces: 0 });
    expect(shares.cpus[1]).toMatchObject({ kernel: 0, user: 0, idle: 0, off: 1 });
    await machine.pause();
    const paused = machine.activity();
    expect(paused).toMatchObject({ state: 'paused', cpus: [{ state: 'stopped' }, { state: 'stopped' }] });
    await pause();
    expect(activityBetween(paused, machine.activity())).toMatchObject({ ms: 0, cpus: [{ user: 0 }, { off: 0 }] });
    machine.stop('enough');
    await run;
    expect(machine.activity().state).toBe('ended');
  });

  it('one in HLT', async () => {
    await using machine = await Machine.create({ memoryBytes: 16 * MiB, kernel: WAITS });
    const run = machine.run();
    const before = await until(machine, ({ cpus }) => cpus[0]!.state === 'idle');
    const now = await until(machine, ({ cpus }) => cpus[0]!.idleMs - before.cpus[0]!.idleMs > 20);
    expect(now.cpus[0]).toMatchObject({ state: 'idle', eip: ENTRY + bytesOf(MASKED) + 1 });
    const [cpu] = activityBetween(before, now).cpus;
    expect(cpu).toMatchObject({ user: 0, off: 0 });
    expect(cpu!.idle + cpu!.kernel).toBeCloseTo(1);
    expect(cpu!.idle).toBeGreaterThan(0.5);
    machine.stop('enough');
    await run;
  });
});

it('serai in lockstep: the time of each level is that of its instructions', async () => {
  const append = 'run="parallel page-fault 500; parallel call-sysenter 300000; halt"';
  const options: MachineOptions = { kernel: SERAI, cpus: 2, memoryBytes: 32 * MiB, append, lockstep: { paced: false, seed: 3 } };
  await using machine = await Machine.create({ ...options, clients: ['inscount'] });
  const before = machine.activity();
  expect(await machine.run()).toEqual({ kind: 'power-off' });
  const now = machine.activity();
  const shares = activityBetween(before, now);
  expect(shares.ms).toBeCloseTo(machine.stats().lockstep!.virtualMs);
  const counted = (machine.stats().clients!.inscount as InscountReport).cpus;
  for (const [n, { kernel, user, idle, off, ...rates }] of shares.cpus.entries()) {
    expect(kernel + user + idle + off).toBeCloseTo(1);
    // While its programs run both CPUs do, so each of their instructions is half of what one alone would be: a nanosecond. Ends of turns are samples, some thousands of them.
    expect(Math.abs((now.cpus[n]!.samples.user * 1e6) / counted[n]!.user - 1)).toBeLessThan(0.1);
    expect(user / (user + kernel)).toBeCloseTo(now.cpus[n]!.samples.user / (now.cpus[n]!.samples.user + now.cpus[n]!.samples.kernel));
    for (const rate of Object.values(rates)) expect(rate).toBeGreaterThan(0);
  }
  // The second one waited until it was started.
  expect(shares.cpus.map(({ off }) => off > 0)).toEqual([false, true]);
  expect(shares.regions).toBeGreaterThan(0);
});

describe('two looks', () => {
  const cpu = (more: Partial<CpuActivity>): CpuActivity => ({
    state: 'kernel',
    eip: 0,
    ranMs: 0,
    idleMs: 0,
    offMs: 0,
    samples: { kernel: 0, user: 0 },
    interrupts: 0,
    faults: 0,
    tlbMisses: 0,
    addressSpaces: 0,
    ...more,
  });
  const look = (ms: number, more: Partial<CpuActivity>): MachineActivity => ({
    state: 'running',
    ms,
    cpus: [cpu(more)],
    regions: 0,
    installs: 0,
  });
  const between = (before: MachineActivity, now: MachineActivity) => activityBetween(before, now).cpus[0]!;

  it('share what ran by the samples between them', () => {
    const before = look(1000, { ranMs: 900, idleMs: 100, samples: { kernel: 50, user: 0 }, interrupts: 10 });
    const now = look(1200, { ranMs: 1000, idleMs: 200, samples: { kernel: 53, user: 9 }, interrupts: 14 });
    expect(between(before, now)).toEqual({
      kernel: 0.125,
      user: 0.375,
      idle: 0.5,
      off: 0,
      interrupts: 20,
      faults: 0,
      tlbMisses: 0,
      addressSpaces: 0,
    });
  });

  it('without a sample between them go by what the CPU is at', () => {
    expect(between(look(0, {}), look(10, { ranMs: 10, state: 'user' }))).toMatchObject({ kernel: 0, user: 1 });
    expect(between(look(0, {}), look(10, { ranMs: 10, state: 'idle' }))).toMatchObject({ kernel: 1, user: 0 });
  });

  it('say nothing of no time, and nothing below 0 where a count began anew', () => {
    expect(between(look(5, { interrupts: 3 }), look(5, { interrupts: 3 }))).toEqual({
      kernel: 0,
      user: 0,
      idle: 0,
      off: 0,
      interrupts: 0,
      faults: 0,
      tlbMisses: 0,
      addressSpaces: 0,
    });
    expect(between(look(5, { ranMs: 5, interrupts: 3, addressSpaces: 9 }), look(10, { ranMs: 10 }))).toMatchObject({
      interrupts: 0,
      addressSpaces: 0,
    });
  });
});
