// What happened last on a CPU, for the dump of its state: code entered through the runtime's slow ways, and exceptions and
// interrupts. Nothing here is on a hot path; every block's entry would cost too much (docs/architecture.md).
import { Cpu, control, LAST_BLOCKS, LAST_DELIVERIES } from '../gen/layout';
import { traceDelivery } from './trace';

/** Code at `eip` is entered. The same as before counts once. */
export function noteBlock(cpu: Cpu, eip: u32): void {
  const count = cpu.lastBlockCount;
  if (count && cpu.lastBlocks[(count - 1) & (LAST_BLOCKS - 1)] == eip) return;
  cpu.lastBlocks[count & (LAST_BLOCKS - 1)] = eip;
  cpu.lastBlockCount = count + 1;
}

/** An exception or interrupt comes at Cpu.eip. `what`: its vector, with bits of Delivery. */
export function noteDelivery(cpu: Cpu, what: u32, error: u32): void {
  const count = cpu.lastDeliveryCount;
  const note = cpu.lastDeliveries[count & (LAST_DELIVERIES - 1)];
  note.what = what;
  note.error = error;
  note.eip = cpu.eip;
  note.cr2 = cpu.cr2;
  cpu.lastDeliveryCount = count + 1;
  if (control.trace) traceDelivery(cpu, what, error);
}
