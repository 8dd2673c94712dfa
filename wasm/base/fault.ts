// Exceptions on their way: a helper that finds one notes it here and returns; the engine delivers it later.
import { Cpu, FAULT, FAULT_HAS_ERROR, Vector } from '../gen/layout';

/** Notes an exception without an error code. */
export function raise(cpu: Cpu, vector: u32): void {
  cpu.fault = FAULT | vector;
  cpu.faultError = 0;
}

/** Notes an exception with an error code. */
export function raiseError(cpu: Cpu, vector: u32, error: u32): void {
  cpu.fault = FAULT | FAULT_HAS_ERROR | vector;
  cpu.faultError = error;
}

/** Notes a page fault (SDM vol. 3, 4.7): CR2 is set at once. */
export function raisePage(cpu: Cpu, linear: u32, error: u32): void {
  cpu.cr2 = linear;
  raiseError(cpu, Vector.PF, error);
}

@inline
export function faulted(cpu: Cpu): bool {
  return cpu.fault != 0;
}
