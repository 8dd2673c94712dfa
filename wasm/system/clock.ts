// The time-stamp counter of the machine: the host's monotonic clock, read by one call of a function of the host's own.
import {
  CATCH_UP_PARTS, CLOCKASKS_MADE, CONTROL, CONTROL_CLOCKASKS, CONTROL_CLOCKLAG, CONTROL_CLOCKLAGSINCE, CONTROL_CLOCKSTART, CPU_CLOCKWATCH,
} from '../gen/layout';
import { hostMonotonic, hostRdtsc } from '../base/host';

/** What the guest's clock lags behind at `now` nanoseconds since power-on (src/machine/board/clock-lag.ts). */
function lagAt(now: u64): u64 {
  const lag = load<f64>(CONTROL, CONTROL_CLOCKLAG);
  if (lag == 0) return 0;
  return u64(ceil(max<f64>(0, lag - (f64(now) - load<f64>(CONTROL, CONTROL_CLOCKLAGSINCE)) * (1 / f64(CATCH_UP_PARTS)))));
}

/** Nanoseconds since power-on: the counter of all CPUs, before Cpu.tscOffset is added. */
export function machineTsc(cpu: usize): u64 {
  const asks = load<u32>(CONTROL, CONTROL_CLOCKASKS);
  if ((asks & CLOCKASKS_MADE) | load<u32>(cpu, CPU_CLOCKWATCH)) return hostRdtsc(cpu);
  const now = hostMonotonic() - load<u64>(CONTROL, CONTROL_CLOCKSTART);
  return asks ? now - lagAt(now) : now;
}

/** The same for the engine's own use, for which what is hidden of a host's stalls is time, too. */
export function engineClock(cpu: usize): u64 {
  if (load<u32>(CONTROL, CONTROL_CLOCKASKS) & CLOCKASKS_MADE) return hostRdtsc(cpu);
  return hostMonotonic() - load<u64>(CONTROL, CONTROL_CLOCKSTART);
}
