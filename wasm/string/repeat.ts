// REP, for memory and for ports: a single step is one iteration (SDM vol. 2, REP).
import { CPU_STEP, CPU_STEPARMED } from '../gen/layout';

/** Bit of Cpu.stepArmed: the string instruction goes on. */
const ARMED_REPEAT: u32 = 4;

/** Elements that one call does at most, where it would do `most` else. */
@inline
export function stepBudget(cpu: usize, most: u32): u32 {
  return load<u32>(cpu, CPU_STEP) ? 1 : most;
}

/** There is more to do. */
export function again(cpu: usize): u32 {
  const armed = load<u32>(cpu, CPU_STEPARMED);
  if (armed) store<u32>(cpu, armed | ARMED_REPEAT, CPU_STEPARMED);
  return 1;
}
