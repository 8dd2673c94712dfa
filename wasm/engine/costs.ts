// What slow ways cost, where instructions are counted: how often each is taken, and of some how long. One within another (a TLB miss of a delivery) counts for both.
import { hostMonotonic } from '../gen/host';
import { Cpu, control, SlowCost, TIMED_EACH } from '../gen/layout';

/** A way begins (SlowPath); what leaveSlow is to be given. */
export function enterSlow(cpu: Cpu, path: u32): u64 {
  if (!control.countInstructions) return 0;
  const cost = changetype<SlowCost>(cpu.slow[path]);
  const count = cost.count;
  cost.count = count + 1;
  return count & (TIMED_EACH - 1) ? 0 : hostMonotonic();
}

/** It is over. */
export function leaveSlow(cpu: Cpu, path: u32, since: u64): void {
  if (since == 0) return;
  const cost = changetype<SlowCost>(cpu.slow[path]);
  cost.ns += hostMonotonic() - since;
}
