// The timekeeper's thread: sleeps until the earliest deadline of any device, then runs its timer.
import { Ticks } from '../../clients/flame/ticks.ts';
import { host } from '../../host/node.ts';
import { Cpu, Pending } from '../../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../../layout/memory.ts';
import { buildBoard } from '../board/board.ts';
import type { TimerWorkerData } from './messages.ts';
import { Resting } from './rest.ts';

const data = await host.workerData<TimerWorkerData>();
const { shared, clock, chipset } = buildBoard(data.board, { thread: data.thread, isHost: false, isFirst: false, onEnd: () => {} });
const { i32 } = shared;
const signalAt = controlWord(Control.at.timerSignal);
const stopAt = controlWord(Control.at.stop);
const resting = new Resting(i32, controlWord(Control.at.timekeeperRest), () => Atomics.load(i32, stopAt) !== 0);
const cpus = Array.from({ length: data.board.plan.cpuCount }, (_, cpu) => cpuBase(data.board.plan, cpu));
let kickedAt = clock.now();

/**
 * Kicks the CPUs that run, if it is time; when it would be late. A kick waits for a deadline that wakes this thread anyway, for as long
 * again: each wake takes a core from a CPU where there is none to spare. A CPU that leaves HLT bumps timerSignal.
 */
function kick(now: number): number {
  const running = cpus.filter((cpu) => i32[(cpu + Cpu.at.halted) >> 2] === 0);
  if (running.length === 0) return Number.POSITIVE_INFINITY;
  if (now - kickedAt >= data.kickMs * 1e6) {
    kickedAt = now;
    for (const cpu of running) Atomics.or(i32, (cpu + Cpu.at.pending) >> 2, Pending.KICK);
  }
  return kickedAt + 2 * data.kickMs * 1e6;
}

const sampling = new Ticks();

/** Asks the CPUs that run for a sample, if it is time and somebody wants samples; when it will be time again. */
function sample(now: number): number {
  const hz = Atomics.load(i32, controlWord(Control.at.flameHz));
  if (sampling.passed(now, hz))
    for (const cpu of cpus)
      if ((i32[(cpu + Cpu.at.halted) >> 2]! | i32[(cpu + Cpu.at.awaitsStartup) >> 2]!) === 0)
        Atomics.or(i32, (cpu + Cpu.at.pending) >> 2, Pending.SAMPLE);
  return sampling.next;
}

while (Atomics.load(i32, stopAt) === 0) {
  const signal = Atomics.load(i32, signalAt);
  resting.rest();
  const now = clock.now();
  const wakesAt = Math.min(kick(now), sample(now), chipset.hub.nextExpected(now));
  const deadline = chipset.hub.nextDeadline(wakesAt);
  if (deadline <= now) chipset.hub.runTimers(now);
  else {
    const ms = (Math.min(wakesAt, deadline) - now) / 1e6;
    Atomics.wait(i32, signalAt, signal, ms === Number.POSITIVE_INFINITY ? undefined : (clock.hostNs?.(ms) ?? ms));
  }
}
host.workerEnds();
