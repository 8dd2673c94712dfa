// serai under load on several CPUs is paused, stepped and stopped at breakpoints, and nothing is lost by it.
import { expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { Machine, type MachineOptions, MiB, type PanicEvent, type PausedEvent } from '../../../src/api/index.ts';
import type { SharedMemory } from '../../../src/cpu/state.ts';
import { Cpu } from '../../../src/layout/cpu.ts';
import { cpuBase } from '../../../src/layout/memory.ts';

const WAIT = { timeoutMs: 120_000 };
const KERNEL = 0xc0000000;

const make = (options: MachineOptions) => Machine.create({ kernel: SERAI, memoryBytes: 64 * MiB, cpus: 3, ...options });
const eips = (machine: Machine) => {
  const { i32, plan } = (machine as unknown as { shared: SharedMemory }).shared;
  return Array.from({ length: plan.cpuCount }, (_, cpu) => i32[(cpuBase(plan, cpu) + Cpu.at.eip) >> 2]! >>> 0);
};
/** The handler of the timer's interrupts: no CPU that runs gets round it (serai's segments.h, VECTOR_TIMER; SDM vol. 3, figure 6-2). */
function timerHandler(machine: Machine): number {
  const cpu = machine.cpus[0]!;
  const bytes = cpu.memory.read(cpu.registers.idtr.base + 8 * 0xe0, 8);
  const gate = new DataView(bytes.buffer, bytes.byteOffset);
  return ((gate.getUint16(6, true) << 16) | gate.getUint16(0, true)) >>> 0;
}
const paused = (machine: Machine) => new Promise<PausedEvent>((resolve) => machine.addEventListener('paused', resolve, { once: true }));

it.each<[string, MachineOptions, number]>([
  ['threads', {}, 2],
  ...(process.env.DRAGOMAN_LONG_TESTS === '1'
    ? ([['lockstep', { lockstep: { seed: 3, paced: false } }, 1]] as [string, MachineOptions, number][])
    : []),
])('%s: stress goes on behind pauses, steps and breakpoints', async (_way, options, seconds) => {
  const machine = await make(options);
  const run = machine.run();
  await machine.console.until('serai> ', WAIT);
  await machine.console.type(`stress ${seconds}\n`);
  let met = 0;
  for (let turn = 0; turn < 40; turn++) {
    await machine.pause();
    const all = eips(machine);
    for (const cpu of [turn % 3, (turn + 1) % 3]) if (options.lockstep === undefined) await machine.step(cpu, 1 + turn);
    // Where a CPU was it may come again: not for sure, and not soon. To the handler one comes for sure, as long as stress runs.
    const at = turn === 0 ? timerHandler(machine) : all.find((eip) => eip >= KERNEL);
    if (turn % 4 === 0 && at !== undefined) {
      const point = await machine.setBreakpoint(at);
      const stop = paused(machine);
      await machine.resume();
      await (turn === 0 ? stop : Promise.race([stop, new Promise((resolve) => setTimeout(resolve, 50))]));
      await point.remove();
      met += point.hits;
      if (machine.state === 'paused') {
        expect(point.hits).toBeGreaterThan(0);
        await machine.resume();
      }
    } else await machine.resume();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(met).toBeGreaterThan(0);
  const { before } = await machine.console.until('serai> ', WAIT);
  expect(before).toMatch(/^stress: ok$/m);
  await machine.console.type('halt\n');
  expect(await run).toEqual({ kind: 'power-off' });
});

it('a panic is an event', async () => {
  const machine = await make({ cpus: 1, lockstep: { paced: false } });
  const panic = new Promise<PanicEvent>((resolve) => machine.addEventListener('panic', resolve, { once: true }));
  let bytes = 0;
  machine.addEventListener('console', (event) => (bytes += event.bytes.length));
  void machine.run();
  await machine.console.until('serai> ', WAIT);
  await machine.console.type('panic\n');
  expect((await panic).text).toContain('as you wish');
  expect(bytes).toBeGreaterThan(100);
  await machine.close();
});
