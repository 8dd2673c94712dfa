// REP, for memory and for ports: a single step is one iteration (SDM vol. 2, REP).
import { Cpu } from '../gen/layout';

/** Bit of Cpu.stepArmed: the string instruction goes on. */
const ARMED_REPEAT: u32 = 4;

/** Elements that one call does at most, where it would do `most` else. */
@inline
export function stepBudget(cpu: Cpu, most: u32): u32 {
  return cpu.step ? 1 : most;
}

/** There is more to do. */
export function again(cpu: Cpu): u32 {
  const armed = cpu.stepArmed;
  if (armed) cpu.stepArmed = armed | ARMED_REPEAT;
  return 1;
}
