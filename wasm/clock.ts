// The time-stamp counter of the machine: the host's monotonic clock, read by one call of a function of the host's own.
import { CLOCKASKS_MADE, CONTROL, CONTROL_CLOCKASKS, CONTROL_CLOCKSTART, CPU_CLOCKWATCH } from './gen/layout';
import { hostMonotonic, hostRdtsc } from './host';

/** Nanoseconds since power-on: the counter of all CPUs, before Cpu.tscOffset is added. */
export function machineTsc(cpu: usize): u64 {
  if (load<u32>(CONTROL, CONTROL_CLOCKASKS) | load<u32>(cpu, CPU_CLOCKWATCH)) return hostRdtsc(cpu);
  return hostMonotonic() - load<u64>(CONTROL, CONTROL_CLOCKSTART);
}

/** The same for the engine's own use, for which what is hidden of a host's stalls is time, too. */
export function engineClock(cpu: usize): u64 {
  if (load<u32>(CONTROL, CONTROL_CLOCKASKS) & CLOCKASKS_MADE) return hostRdtsc(cpu);
  return hostMonotonic() - load<u64>(CONTROL, CONTROL_CLOCKSTART);
}
