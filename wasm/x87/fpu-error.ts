// x87 errors with CR0.NE clear, as PCs report them (SDM vol. 1, 8.7.2): the processor asserts FERR# and stops before the next waiting
// instruction until an interrupt comes (IRQ 13), or IGNNE# tells it to go on. What is at these pins is src/devices/fpu-error.ts.
import { hostFpuError } from '../gen/host';
import { Cpu, FPU_ERROR } from '../gen/layout';

/** A waiting instruction found a pending exception. It is run again: until an interrupt comes, which is taken before it. */
export function stopForError(cpu: Cpu): void {
  cpu.ferr = 1;
  if (hostFpuError(cpu, 1)) cpu.fpuStop = 0;
}

/** Behind what may have cleared the exception that was pending: FERR# goes, and IGNNE# with it. */
export function updateFerr(cpu: Cpu): void {
  if (!cpu.ferr || cpu.fsw & FPU_ERROR) return;
  cpu.ferr = 0;
  cpu.fpuStop = FPU_ERROR;
  hostFpuError(cpu, 0);
}
