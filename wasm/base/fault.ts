// Exceptions on their way: a helper that finds one notes it here and returns; the engine delivers it later.
import { CPU_CR2, CPU_FAULT, CPU_FAULTERROR, FAULT, FAULT_HAS_ERROR, VECTOR_PF } from '../gen/layout';

/** Notes an exception without an error code. */
export function raise(cpu: usize, vector: u32): void {
  store<u32>(cpu, FAULT | vector, CPU_FAULT);
  store<u32>(cpu, 0, CPU_FAULTERROR);
}

/** Notes an exception with an error code. */
export function raiseError(cpu: usize, vector: u32, error: u32): void {
  store<u32>(cpu, FAULT | FAULT_HAS_ERROR | vector, CPU_FAULT);
  store<u32>(cpu, error, CPU_FAULTERROR);
}

/** Notes a page fault (SDM vol. 3, 4.7): CR2 is set at once. */
export function raisePage(cpu: usize, linear: u32, error: u32): void {
  store<u32>(cpu, linear, CPU_CR2);
  raiseError(cpu, VECTOR_PF, error);
}

@inline
export function faulted(cpu: usize): bool {
  return load<u32>(cpu, CPU_FAULT) != 0;
}
