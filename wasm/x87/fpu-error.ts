// x87 errors with CR0.NE clear, as PCs report them (SDM vol. 1, 8.7.2): the processor asserts FERR# and stops before the next waiting
// instruction until an interrupt comes (IRQ 13), or IGNNE# tells it to go on. What is at these pins is src/devices/fpu-error.ts.
import { CPU_FERR, CPU_FPUSTOP, CPU_FSW, FPU_ERROR } from '../gen/layout';
import { hostFpuError } from '../base/host';

/** A waiting instruction found a pending exception. It is run again: until an interrupt comes, which is taken before it. */
export function stopForError(cpu: usize): void {
  store<u32>(cpu, 1, CPU_FERR);
  if (hostFpuError(cpu, 1)) store<u32>(cpu, 0, CPU_FPUSTOP);
}

/** Behind what may have cleared the exception that was pending: FERR# goes, and IGNNE# with it. */
export function settleError(cpu: usize): void {
  if (!load<u32>(cpu, CPU_FERR) || load<u32>(cpu, CPU_FSW) & FPU_ERROR) return;
  store<u32>(cpu, 0, CPU_FERR);
  store<u32>(cpu, FPU_ERROR, CPU_FPUSTOP);
  hostFpuError(cpu, 0);
}
