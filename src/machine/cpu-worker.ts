// One CPU's thread: runs it, sleeps in HLT, installs what the translator published.
import { parentPort, workerData } from 'node:worker_threads';
import { unseenModules } from '../cache/publish.ts';
import { Vcpu } from '../cpu/vcpu.ts';
import { Cpu, Eflags, Exit, Pending } from '../layout/cpu.ts';
import { CONTROL, Control } from '../layout/memory.ts';
import { buildBoard } from './board.ts';
import type { CpuMessage, CpuWorkerData } from './threads.ts';

const data = workerData as CpuWorkerData;
const post = (message: CpuMessage) => parentPort!.postMessage(message);

const { shared, clock, chipset } = buildBoard(data.board, {
  thread: data.thread,
  isHost: false,
  isFirst: false,
  onEnd: (reason) => {
    post({ kind: 'end-run', reason });
    Atomics.store(shared.i32, (CONTROL + Control.at.stop) >> 2, 1);
    Atomics.or(shared.i32, pending, Pending.STOP);
  },
});
const { i32 } = shared;

const cpu = new Vcpu(data.image, shared, data.index, {
  portIn: (_cpu, port, size) => chipset.portIn(data.index, port, size as 1 | 2 | 4),
  portOut: (_cpu, port, size, value) => chipset.portOut(data.index, port, size as 1 | 2 | 4, value),
  mmioRead: (_cpu, phys, size) => chipset.mmioRead(data.index, phys >>> 0, size as 1 | 2 | 4),
  mmioWrite: (_cpu, phys, size, value) => chipset.mmioWrite(data.index, phys >>> 0, size as 1 | 2 | 4, value),
  rdtsc: () => BigInt(Math.floor(clock.now())),
  interruptAck: () => chipset.interruptAck(data.index),
  log: () => {},
});
const pending = (cpu.base + Cpu.at.pending) >> 2;
const timerSignal = (CONTROL + Control.at.timerSignal) >> 2;

cpu.onInstall = () => {
  Atomics.and(i32, pending, ~Pending.INSTALL);
  for (const module of unseenModules(shared, cpu.base)) cpu.regions.install(module);
};

const LONG_SLEEP_MS = 20;

/** Sleeps until something is pending that HLT wakes for. False where nothing ever can be. */
function halt(): boolean {
  const enabled = (cpu.get(Cpu.at.eflags) & Eflags.IF) !== 0;
  const wakes = Pending.NMI | Pending.INIT | Pending.SIPI | Pending.STOP | (enabled ? Pending.INTR : 0);
  cpu.set(Cpu.at.shadow, 0);
  const haltedAt = performance.now();
  for (;;) {
    const word = Atomics.load(i32, pending);
    if ((word & wakes) !== 0) break;
    if (!enabled && shared.plan.cpuCount === 1) return false;
    // What is no interrupt is done without waking the guest; pages to drop wait for the interrupt that tells of them.
    if ((word & Pending.INSTALL) !== 0) cpu.onInstall?.();
    Atomics.and(i32, pending, ~(Pending.KICK | Pending.TIMER | Pending.SMI));
    const start = performance.now();
    Atomics.wait(i32, pending, Atomics.load(i32, pending) & ~wakes);
    cpu.count(Cpu.at.idleNs, Math.round((performance.now() - start) * 1e6));
  }
  cpu.set(Cpu.at.halted, 0);
  // The timekeeper does not kick a CPU that sleeps. It sees this one when it next looks; after a long sleep, tell it.
  if (performance.now() - haltedAt > LONG_SLEEP_MS) {
    Atomics.add(i32, timerSignal, 1);
    Atomics.notify(i32, timerSignal);
  }
  return true;
}

function run(): void {
  for (;;) {
    const exit = cpu.run();
    switch (exit) {
      case Exit.HALT:
        if (halt()) continue;
        break;
      case Exit.TIMER:
        Atomics.and(i32, pending, ~Pending.TIMER);
        continue;
      case Exit.INIT:
        Atomics.and(i32, pending, ~Pending.INIT);
        continue;
      case Exit.SIPI:
        Atomics.and(i32, pending, ~Pending.SIPI);
        continue;
    }
    post({ kind: 'ended', exit, arg: cpu.get(Cpu.at.exitArg), data: cpu.get(Cpu.at.exitData) });
    return;
  }
}

run();
