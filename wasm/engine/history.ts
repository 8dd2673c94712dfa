// What happened last on a CPU, for the dump of its state: code entered through the runtime's slow ways, and exceptions and
// interrupts. Nothing here is on a hot path; every block's entry would cost too much (docs/architecture.md).
import {
  CONTROL, CONTROL_TRACE, CPU_CR2, CPU_EIP, CPU_LASTBLOCKCOUNT, CPU_LASTBLOCKS, CPU_LASTDELIVERIES, CPU_LASTDELIVERYCOUNT,
  LAST_BLOCKS, LAST_DELIVERIES, NOTE_CR2, NOTE_EIP, NOTE_ERROR, NOTE_SIZE, NOTE_WHAT,
} from '../gen/layout';
import { traceDelivery } from './trace';

/** Code at `eip` is entered. The same as before counts once. */
export function noteBlock(cpu: usize, eip: u32): void {
  const count = load<u32>(cpu, CPU_LASTBLOCKCOUNT);
  if (count && load<u32>(cpu + ((count - 1) & (LAST_BLOCKS - 1)) * 4, CPU_LASTBLOCKS) == eip) return;
  store<u32>(cpu + (count & (LAST_BLOCKS - 1)) * 4, eip, CPU_LASTBLOCKS);
  store<u32>(cpu, count + 1, CPU_LASTBLOCKCOUNT);
}

/** An exception or interrupt comes at Cpu.eip. `what`: its vector, with bits of Delivery. */
export function noteDelivery(cpu: usize, what: u32, error: u32): void {
  const count = load<u32>(cpu, CPU_LASTDELIVERYCOUNT);
  const note = cpu + CPU_LASTDELIVERIES + (count & (LAST_DELIVERIES - 1)) * NOTE_SIZE;
  store<u32>(note, what, NOTE_WHAT);
  store<u32>(note, error, NOTE_ERROR);
  store<u32>(note, load<u32>(cpu, CPU_EIP), NOTE_EIP);
  store<u32>(note, load<u32>(cpu, CPU_CR2), NOTE_CR2);
  store<u32>(cpu, count + 1, CPU_LASTDELIVERYCOUNT);
  if (load<u32>(CONTROL, CONTROL_TRACE)) traceDelivery(cpu, what, error);
}
