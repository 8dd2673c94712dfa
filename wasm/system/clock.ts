// The time-stamp counter of the machine: the host's monotonic clock, read by one call of a function of the host's own.
import { hostMonotonic, hostRdtsc } from '../gen/host';
import { CATCH_UP_PARTS, ClockAsks, Cpu, control } from '../gen/layout';

/** What the guest's clock lags behind at `now` nanoseconds since power-on (src/machine/board/clock-lag.ts). */
function lagAt(now: u64): u64 {
  const lag = control.clockLag;
  if (lag == 0) return 0;
  return u64(ceil(max<f64>(0, lag - (f64(now) - control.clockLagSince) * (1 / f64(CATCH_UP_PARTS)))));
}

/** Nanoseconds since power-on: the counter of all CPUs, before Cpu.tscOffset is added. */
export function machineTsc(cpu: Cpu): u64 {
  const asks = control.clockAsks;
  if ((asks & ClockAsks.MADE) | cpu.clockWatch) return hostRdtsc(cpu);
  const now = hostMonotonic() - control.clockStart;
  return asks ? now - lagAt(now) : now;
}

/** The same for the engine's own use, for which what is hidden of a host's stalls is time, too. */
export function engineClock(cpu: Cpu): u64 {
  if (control.clockAsks & ClockAsks.MADE) return hostRdtsc(cpu);
  return hostMonotonic() - control.clockStart;
}
