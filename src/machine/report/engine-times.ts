// How the time of a CPU was shared between the engines: by samples, of whichever engine met a kick of the timekeeper.
import type { MachineStats } from '../../api/options.ts';

export interface EngineTimes {
  readonly timesAre: MachineStats['timesAre'];
  /** Milliseconds; null where nothing is known. */
  readonly interpreter: number | null;
  readonly jit: number | null;
}

/** `busyMs`: time that the CPU was not in HLT. `interpreted`, `translated`: samples. Without a JIT there is nothing to sample. */
export function engineTimes(jit: boolean, busyMs: number, interpreted: number, translated: number): EngineTimes {
  if (!jit) return { timesAre: 'measured', interpreter: busyMs, jit: 0 };
  const samples = interpreted + translated;
  if (samples === 0) return { timesAre: 'unknown', interpreter: null, jit: null };
  return { timesAre: 'sampled', interpreter: (busyMs * interpreted) / samples, jit: (busyMs * translated) / samples };
}
