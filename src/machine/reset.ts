// Resets CPUs that are not in the middle of anything, as RESET does (SDM vol. 3, table 10-1). What the engine keeps beside the architecture (its counters, positions in rings, areas) stays as it is.
import { deriveState, type RuntimeExports } from '../cpu/runtime.ts';
import { initCpu, powerCpu, type SharedMemory } from '../cpu/state.ts';
import { Cpu, PENDING_HELD_SHIFT, Pending } from '../layout/cpu.ts';
import { cpuBase } from '../layout/memory.ts';

/** What comes from outside, pending or held. */
const FROM_OUTSIDE = Pending.INTR | Pending.NMI | Pending.NMI_AGAIN | Pending.INIT | Pending.SIPI | Pending.SMI | Pending.TIMER;

/** All of them. Those that held code of what is in memory have been told already. */
export function resetCpus(shared: SharedMemory, runtime: RuntimeExports): void {
  const { i32, plan } = shared;
  for (let index = 0; index < plan.cpuCount; index++) {
    const base = cpuBase(plan, index);
    Atomics.and(i32, (base + Cpu.at.pending) >> 2, ~(FROM_OUTSIDE | (FROM_OUTSIDE << PENDING_HELD_SHIFT)));
    powerCpu(shared, index);
    initCpu(shared, index);
    deriveState(runtime, base);
  }
}
