// What the whole runtime asks of a CPU's state.
import { crossed } from '../clients/told';
import { Cpu, Cr0, Cr4, control, Eflags, Mode, NO_RETURN } from '../gen/layout';

/** All stores are seen before anything that follows. A store and a load that are sequentially consistent, of a word that only this CPU uses, are ordered with
 * each other and with all around them. */
@inline
export function order(cpu: Cpu): void {
  cpu.zero.store(0);
  cpu.zero.load();
}

/** What serialising instructions do beside their work (SDM vol. 3, 8.3): they are in order for other CPUs. */
@inline
export function serialize(cpu: Cpu): void {
  if (control.cpuCount != 1) order(cpu);
}

/** Writes the bits of `mask` of a general register only: a 16-bit count or index leaves the upper half alone. */
@inline
export function setRegMasked(cpu: Cpu, n: u32, value: u32, mask: u32): void {
  cpu.gpr[n] = (cpu.gpr[n] & ~mask) | (value & mask);
}

/** Access.USER or 0: the rights of the current privilege level. */
@inline
export function userAccess(cpu: Cpu): u32 {
  return cpu.mode & Mode.USER;
}

/** The mode of the code becomes this one. Where that is another one, no code that waits for a return is gone on with. */
@inline
export function changeMode(cpu: Cpu, mode: u32): void {
  const before = cpu.mode;
  if (before != mode) cpu.callReturn = NO_RETURN;
  cpu.mode = mode;
  if ((before ^ mode) & Mode.USER && control.clientTells) crossed(cpu);
}

/** Segment types are not checked in real-address and virtual-8086 mode (SDM vol. 3, 20.1). */
@inline
export function untypedSegments(cpu: Cpu): bool {
  return !(cpu.cr0 & Cr0.PE) || (cpu.eflags & Eflags.VM) != 0;
}

@inline
export function pagingOn(cpu: Cpu): bool {
  return (cpu.cr0 & Cr0.PG) != 0;
}

@inline
export function paeOn(cpu: Cpu): bool {
  return (cpu.cr4 & Cr4.PAE) != 0;
}
