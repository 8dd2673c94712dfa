// The timekeeper's thread: sleeps until the earliest deadline of any device, then runs its timer.
import { workerData } from 'node:worker_threads';
import { CONTROL, Control } from '../layout/memory.ts';
import { buildBoard } from './board.ts';
import type { TimerWorkerData } from './threads.ts';

const data = workerData as TimerWorkerData;
const { shared, clock, chipset } = buildBoard(data.board, { thread: data.thread, isHost: false, isFirst: false, onEnd: () => {} });
const { i32 } = shared;
const signalAt = (CONTROL + Control.at.timerSignal) >> 2;
const stopAt = (CONTROL + Control.at.stop) >> 2;

while (Atomics.load(i32, stopAt) === 0) {
  const signal = Atomics.load(i32, signalAt);
  const deadline = chipset.hub.nextDeadline();
  const now = clock.now();
  if (deadline <= now) chipset.hub.runTimers(now);
  else Atomics.wait(i32, signalAt, signal, deadline === Number.POSITIVE_INFINITY ? undefined : (deadline - now) / 1e6);
}
