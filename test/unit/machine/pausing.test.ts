// A machine is paused, goes on, is stepped, and stops at breakpoints: in both engines, on threads and in lockstep.
import { describe, expect, it } from 'vitest';
import {
  type BreakpointHit,
  DragomanError,
  Machine,
  type MachineOptions,
  MiB,
  MOST_BREAKPOINTS,
  type PausedEvent,
} from '../../../src/api/index.ts';
import type { SharedMemory } from '../../../src/cpu/state.ts';
import { Cpu, GPR_STRIDE, Gpr } from '../../../src/layout/cpu.ts';
import { cpuBase, RAM } from '../../../src/layout/memory.ts';
import { CLI_HLT, ENTRY, kernel, le32 } from './programs.ts';

const COUNT = 0x200000;
const WAYS: [string, MachineOptions][] = [
  ['threads, JIT', {}],
  ...(process.env.DRAGOMAN_LONG_TESTS === '1' ? ([['threads, interpreter', { engine: 'interpreter' }]] as [string, MachineOptions][]) : []),
  ['lockstep, JIT', { lockstep: { paced: false } }],
  ['lockstep, interpreter', { lockstep: { paced: false }, engine: 'interpreter' }],
];

/** mov al, 0xff; out 0x21, al; out 0xa1, al: no interrupt comes of the 8259s. */
const MASK = 'b0ff e621 e6a1';
/** mov ebx, COUNT; xor eax, eax; loop: inc dword [ebx]; add eax, 3; call sub; jmp loop; sub: inc ecx; ret */
const LOOP = `bb${le32(COUNT)} 31c0 ff03 83c003 e802000000 ebf4 41c3`;
const AT = { zero: ENTRY + 5, loop: ENTRY + 7, add: ENTRY + 9, call: ENTRY + 12, jump: ENTRY + 17, sub: ENTRY + 19, ret: ENTRY + 20 };

const make = (options: MachineOptions, ...code: string[]) => Machine.create({ kernel: kernel(...code), memoryBytes: 4 * MiB, ...options });
const sharedOf = (machine: Machine) => (machine as unknown as { shared: SharedMemory }).shared;
const word = (machine: Machine, physical: number) => sharedOf(machine).i32[(RAM + physical) >> 2]!;
const cpuWord = (machine: Machine, offset: number) => sharedOf(machine).i32[(cpuBase(sharedOf(machine).plan, 0) + offset) >> 2]!;
const eip = (machine: Machine) => cpuWord(machine, Cpu.at.eip);
const gpr = (machine: Machine, n: number) => cpuWord(machine, Cpu.at.gpr + n * GPR_STRIDE);
const count = (machine: Machine) => word(machine, COUNT);
const paused = (machine: Machine) => new Promise<PausedEvent>((resolve) => machine.addEventListener('paused', resolve, { once: true }));
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof DragomanError ? error.code : error),
  );
const until = async (is: () => boolean) => {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 1));
};
const places = (hits: readonly BreakpointHit[]) => hits.map(({ cpu, breakpoint }) => [cpu, breakpoint.address]);

describe.each(WAYS)('%s', (_way, options) => {
  it('pauses and goes on, between two instructions, as often as it is asked to', async () => {
    const machine = await make(options, LOOP);
    expect(machine.state).toBe('created');
    expect(await codeOf(machine.pause())).toBe('BAD_STATE');
    const run = machine.run();
    expect(machine.state).toBe('running');
    for (let turn = 0, before = 0; turn < 20; turn++) {
      await until(() => count(machine) > before);
      await Promise.all([machine.pause(), machine.pause()]);
      expect(machine.state).toBe('paused');
      const at = { eip: eip(machine), count: count(machine), eax: gpr(machine, Gpr.EAX), ecx: gpr(machine, Gpr.ECX) };
      expect(Object.values(AT)).toContain(at.eip);
      // What one turn of the loop changes is changed as far as EIP says.
      const past = (address: number) => (at.eip > address || at.eip >= AT.sub ? 1 : 0);
      const turns = at.count - past(AT.loop);
      expect(at.eax).toBe((3 * (turns + past(AT.add))) | 0);
      expect(at.ecx).toBe(turns + (at.eip === AT.ret || at.eip === AT.jump ? 1 : 0));
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect([eip(machine), count(machine)]).toEqual([at.eip, at.count]);
      before = at.count;
      await machine.resume();
      expect(machine.state).toBe('running');
    }
    expect(await codeOf(machine.resume())).toBe('BAD_STATE');
    expect(await codeOf(machine.step(0))).toBe('BAD_STATE');
    machine.stop('enough');
    expect(await run).toEqual({ kind: 'stopped', reason: 'enough' });
    expect(machine.state).toBe('ended');
    expect(await codeOf(machine.pause())).toBe('ENDED');
    expect(await codeOf(machine.resume())).toBe('ENDED');
  });

  it('begins with a pause, and steps from the first instruction on', async () => {
    const machine = await make({ ...options, paused: true }, LOOP);
    const first = paused(machine);
    const run = machine.run();
    expect(await first).toMatchObject({ reason: 'start', hits: [] });
    const seen = [eip(machine)];
    for (let n = 0; n < 9; n++) {
      expect(await machine.step(0)).toBe(1);
      seen.push(eip(machine));
    }
    expect(seen).toEqual([ENTRY, AT.zero, AT.loop, AT.add, AT.call, AT.sub, AT.ret, AT.jump, AT.loop, AT.add]);
    expect(count(machine)).toBe(2);
    // A turn is six instructions.
    expect(await machine.step(0, 6000)).toBe(6000);
    expect([eip(machine), count(machine)]).toEqual([AT.add, 1002]);
    expect(machine.state).toBe('paused');
    expect(await codeOf(machine.step(1))).toBe('BAD_OPTION');
    expect(await codeOf(machine.step(0, 0))).toBe('BAD_OPTION');
    expect(await codeOf(machine.step('0' as unknown as number))).toBe('BAD_OPTION');
    await machine.close();
    expect(await run).toMatchObject({ kind: 'stopped' });
  });

  it('stops before an instruction, each time, and not any more when the breakpoint is gone', async () => {
    const machine = await make({ ...options, paused: true }, LOOP);
    const first = paused(machine);
    void machine.run();
    await first;
    const events: unknown[] = [];
    machine.addEventListener('breakpoint', ({ cpu, breakpoint }) => events.push([cpu, breakpoint.address]));
    const point = await machine.setBreakpoint(AT.sub);
    for (let turn = 1; turn <= 3; turn++) {
      const stop = paused(machine);
      await machine.resume();
      expect(places((await stop).hits)).toEqual([[0, AT.sub]]);
      expect([eip(machine), count(machine), gpr(machine, Gpr.ECX), machine.state]).toEqual([AT.sub, turn, turn - 1, 'paused']);
    }
    expect([point.hits, events]).toEqual([3, Array(3).fill([0, AT.sub])]);
    // Another one, and the same place twice.
    const [ret, again] = [await machine.setBreakpoint(AT.ret), await machine.setBreakpoint(AT.sub)];
    let stop = paused(machine);
    await machine.resume();
    expect(places((await stop).hits)).toEqual([[0, AT.ret]]);
    stop = paused(machine);
    await machine.resume();
    expect((await stop).hits.map(({ breakpoint }) => breakpoint)).toEqual([point, again]);
    // Steps stop there, too, and count what was done.
    expect(await machine.step(0, 100)).toBe(1);
    expect(eip(machine)).toBe(AT.ret);
    for (const one of [point, ret, again]) await one.remove();
    await point.remove();
    const before = count(machine);
    await machine.resume();
    await until(() => count(machine) > before + 1000);
    expect(machine.state).toBe('running');
    await machine.close();
  });

  it('takes breakpoints while it runs, in code that is translated', async () => {
    const machine = await make(options, LOOP);
    const run = machine.run();
    await until(() => count(machine) > 100_000);
    const stop = paused(machine);
    const point = await machine.setBreakpoint(AT.add);
    expect(places((await stop).hits)).toEqual([[0, AT.add]]);
    expect(eip(machine)).toBe(AT.add);
    await point.remove();
    const before = count(machine);
    await machine.resume();
    await until(() => count(machine) > before + 100_000);
    machine.stop('enough');
    await run;
  });

  it('stops behind an access to data', async () => {
    const machine = await make(options, LOOP);
    void machine.run();
    await until(() => count(machine) > 1000);
    let stop = paused(machine);
    const point = await machine.setWatchpoint(COUNT - 6, { length: 8 });
    expect((await stop).hits).toEqual([{ cpu: 0, breakpoint: point }]);
    expect(eip(machine)).toBe(AT.add);
    for (let turn = 0; turn < 2; turn++) {
      const before = count(machine);
      stop = paused(machine);
      await machine.resume();
      await stop;
      expect([eip(machine), count(machine)]).toEqual([AT.add, before + 1]);
    }
    await point.remove();
    // Beside it, and for the other kind.
    await machine.setWatchpoint(COUNT + 4, { access: 'readwrite' });
    const before = count(machine);
    await machine.resume();
    await until(() => count(machine) > before + 1000);
    stop = paused(machine);
    await machine.setWatchpoint(COUNT, { access: 'read', length: 1 });
    await stop;
    expect(eip(machine)).toBe(AT.add);
    await machine.close();
  });

  it('is reset, while it runs, in a pause, and at a breakpoint', async () => {
    // The loop makes an instruction of its own another one first: mov byte [AT.add + 2], 5.
    const code = `c605${le32(ENTRY + 7 + 9 + 2)}05 bb${le32(COUNT)} 31c0 ff03 83c003 ebf9`;
    const loop = ENTRY + 7 + 7;
    const machine = await make(options, code);
    const run = machine.run();
    const resets: string[] = [];
    machine.addEventListener('reset', () => resets.push(machine.state));
    await until(() => count(machine) > 100_000);
    await machine.reset();
    await until(() => count(machine) > 1000);
    expect(count(machine)).toBeLessThan(2 ** 30);
    const stop = paused(machine);
    const point = await machine.setBreakpoint(loop);
    await stop;
    await machine.reset();
    expect([machine.state, eip(machine), count(machine)]).toEqual(['paused', ENTRY, 0]);
    expect(await machine.step(0, 3)).toBe(3);
    expect(eip(machine)).toBe(loop);
    await point.remove();
    expect(await machine.step(0, 2)).toBe(2);
    // The code was changed again.
    expect([gpr(machine, Gpr.EAX), count(machine)]).toEqual([5, 1]);
    await machine.resume();
    await until(() => count(machine) > 10_000);
    expect(resets).toEqual(['running', 'paused']);
    machine.stop('enough');
    expect(await run).toMatchObject({ kind: 'stopped' });
    expect(await codeOf(machine.reset())).toBe('ENDED');
  });

  it('ends while it is paused, and a pause ends with the run', async () => {
    const machine = await make({ ...options, paused: true }, CLI_HLT);
    const first = paused(machine);
    const run = machine.run();
    await first;
    await machine.resume();
    expect(await run).toEqual({ kind: 'halted' });
    const other = await make({ ...options, paused: true }, LOOP);
    const second = paused(other);
    const end = new Promise((resolve) => other.addEventListener('end', ({ result }) => resolve(result)));
    const stopped = other.run();
    await second;
    other.stop('no more');
    expect(await stopped).toEqual({ kind: 'stopped', reason: 'no more' });
    expect(await end).toEqual({ kind: 'stopped', reason: 'no more' });
  });

  it('ends while it steps', async () => {
    const machine = await make({ ...options, paused: true }, LOOP);
    const first = paused(machine);
    const run = machine.run();
    await first;
    const steps = codeOf(machine.step(0, 2 ** 31 - 1));
    await until(() => count(machine) > 10);
    machine.stop('no more');
    expect(await steps).toBe('ENDED');
    expect(await run).toMatchObject({ reason: 'no more' });
  });

  it('is paused while it steps', async () => {
    const machine = await make({ ...options, paused: true }, LOOP);
    const first = paused(machine);
    void machine.run();
    await first;
    const steps = machine.step(0, 2 ** 31 - 1);
    await until(() => count(machine) > 10);
    await machine.pause();
    const done = await steps;
    expect([machine.state, count(machine)]).toEqual(['paused', Math.floor((done + 3) / 6)]);
    await machine.close();
  });

  it('has no step for a CPU that waits', async () => {
    // No interrupt ever comes, but one could: sti; hlt; jmp hlt.
    const machine = await make({ ...options, paused: true }, MASK, 'fb f4 ebfd');
    const first = paused(machine);
    void machine.run();
    await first;
    if (options.lockstep === undefined) {
      expect(await machine.step(0, 10)).toBe(5);
      expect(await machine.step(0, 10)).toBe(0);
    } else {
      expect(await machine.step(0, 5)).toBe(5);
    }
    await machine.resume();
    await machine.pause();
    expect(eip(machine)).toBe(ENTRY + 8);
    await machine.close();
  });
});

it.each(WAYS)('%s: a CPU in HLT goes by what the host changes of it', async (_way, options) => {
  // sti; hlt; loop: inc dword [COUNT]; jmp loop
  const machine = await make(options, MASK, `fb f4 ff05${le32(COUNT)} ebf8`);
  const run = machine.run();
  await until(() => cpuWord(machine, Cpu.at.halted) !== 0);
  await machine.pause();
  const { registers } = machine.cpus[0]!;
  expect(registers.eip).toBe(ENTRY + 8);
  // Elsewhere, and back into HLT with interrupts off: nothing can ever end that.
  registers.eip = ENTRY + 8;
  await machine.resume();
  await until(() => count(machine) > 0);
  await machine.pause();
  registers.eip = ENTRY;
  await machine.resume();
  await until(() => cpuWord(machine, Cpu.at.halted) !== 0);
  await machine.pause();
  expect([registers.eip, registers.eflags & 0x200]).toEqual([ENTRY + 8, 0x200]);
  // On threads a CPU sees that when it has left HLT.
  if (options.lockstep === undefined) return machine.close();
  registers.eflags &= ~0x200;
  await machine.resume();
  expect(await run).toEqual({ kind: 'halted' });
});

it('takes so many breakpoints, and no more', async () => {
  const machine = await make({}, LOOP);
  const points = [];
  for (let n = 0; n < MOST_BREAKPOINTS - 8; n++) points.push(await machine.setBreakpoint(0x300000 + n));
  const large = await machine.setWatchpoint(0x280000, { length: 64 });
  expect(await codeOf(machine.setBreakpoint(0x300000))).toBe('HOST_LIMIT');
  await large.remove();
  await machine.setBreakpoint(0x300000);
  for (const bad of ['no_such', -1, 1.5, 2 ** 32, undefined]) expect(await codeOf(machine.setBreakpoint(bad as number))).toBe('BAD_OPTION');
  for (const bad of [{ length: 0 }, { length: 5000 }, { access: 'execute' }, { size: 4 }, 5])
    expect(await codeOf(machine.setWatchpoint(0x100, bad as object))).toBe('BAD_OPTION');
  await machine.close();
});

it('the clock of the guest stands still in a pause', async () => {
  // loop: rdtsc; mov [COUNT], eax; mov [COUNT + 4], edx; jmp loop
  const machine = await make({ engine: 'interpreter' }, `0f31 a3${le32(COUNT)} 8915${le32(COUNT + 4)} ebf1`);
  void machine.run();
  const time = () => new BigUint64Array(sharedOf(machine).memory.buffer, RAM + COUNT, 1)[0]!;
  await until(() => time() > 0n);
  const at = [performance.now()];
  const mark = () => at.push(performance.now());
  await machine.pause();
  const before = time();
  mark();
  await new Promise((resolve) => setTimeout(resolve, 200));
  mark();
  await machine.step(0, 8);
  mark();
  const guestMs = Number(time() - before) / 1e6;
  expect(guestMs).toBeGreaterThan(0);
  expect(guestMs).toBeLessThan(at[1]! - at[0]! + (at[3]! - at[2]!) + 1);
  await machine.close();
});

it('a run in lockstep is the same with pauses, and with steps', async () => {
  // Some turns of arithmetic, then cli; hlt.
  const code = `b9${le32(300_000)} bb${le32(COUNT)} 90 0103 69c003070000 3103 49 75f4`;
  const end = async (disturb: (machine: Machine) => Promise<void>) => {
    const machine = await make({ lockstep: { seed: 5, paced: false }, paused: true, cpus: 1 }, code, CLI_HLT);
    const first = paused(machine);
    const run = machine.run();
    await first;
    await disturb(machine);
    expect(await run).toEqual({ kind: 'halted' });
    const { turns, virtualMs } = machine.stats().lockstep!;
    return { hash: machine.memoryHash(), turns, virtualMs, instructions: machine.stats().instructions };
  };
  const plain = await end((machine) => machine.resume());
  const disturbed = await end(async (machine) => {
    for (let n = 1; n < 200; n++) await machine.step(0, n * 3);
    for (let n = 0; n < 10; n++) {
      await machine.resume();
      await machine.pause().catch(() => {});
      if (machine.state === 'ended') return;
    }
    await machine.resume();
  });
  expect(disturbed).toEqual(plain);
});
