// Short names for the words of a CPU's state that the whole runtime uses.
import { CPU_CR0, CPU_CR4, CPU_EFLAGS, CPU_GPR, CPU_MODE, CPU_SEG, EFLAGS_VM, CPU_ZERO, GPR_STRIDE, MODE_USER, SEG_SIZE } from '../gen/layout';

export const CR0_PE: u32 = 1;
export const CR0_MP: u32 = 2;
export const CR0_EM: u32 = 4;
export const CR0_TS: u32 = 8;
export const CR0_ET: u32 = 0x10;
export const CR0_NE: u32 = 0x20;
export const CR0_WP: u32 = 0x10000;
export const CR0_AM: u32 = 0x40000;
export const CR0_NW: u32 = 0x20000000;
export const CR0_CD: u32 = 0x40000000;
export const CR0_PG: u32 = 0x80000000;

export const CR4_TSD: u32 = 4;
export const CR4_DE: u32 = 8;
export const CR4_PSE: u32 = 0x10;
export const CR4_PAE: u32 = 0x20;
export const CR4_MCE: u32 = 0x40;
export const CR4_PGE: u32 = 0x80;
export const CR4_PCE: u32 = 0x100;
export const CR4_OSFXSR: u32 = 0x200;
export const CR4_OSXMMEXCPT: u32 = 0x400;

/** Bits of an access; the same as those of a page fault's error code (SDM vol. 3, 4.7). */
export const ACCESS_READ: u32 = 0;
export const ACCESS_WRITE: u32 = 2;
export const ACCESS_USER: u32 = 4;
export const ACCESS_EXEC: u32 = 16;
/** Not in an error code: the store comes from a region, which must not change code itself. */
export const ACCESS_REGION: u32 = 0x100;
/** Neither: the processor's own access to a descriptor table or a TSS, which no data breakpoint sees. */
export const ACCESS_TABLE: u32 = 0x200;
/** A walk that changes no entry: one that has not been used yet counts as a failure. */
export const ACCESS_PEEK: u32 = 0x400;

/** Bits of SEG_ACCESS. */
export const ACC_ACCESSED: u32 = 0x100;
/** Writable data, or readable code. */
export const ACC_RW: u32 = 0x200;
/** Expand-down data, or conforming code. */
export const ACC_DC: u32 = 0x400;
export const ACC_CODE: u32 = 0x800;
export const ACC_S: u32 = 0x1000;
export const ACC_P: u32 = 0x8000;
export const ACC_DB: u32 = 0x400000;

/** What serialising instructions do beside their work (SDM vol. 3, 8.3): all stores are seen before anything that follows. A store and a
 * load that are sequentially consistent, of a word that only this CPU uses, are ordered with each other and with all around them. */
@inline
export function serialize(cpu: usize): void {
  atomic.store<u32>(cpu, 0, CPU_ZERO);
  atomic.load<u32>(cpu, CPU_ZERO);
}

@inline
export function reg(cpu: usize, n: u32): u32 {
  return load<u32>(cpu + n * GPR_STRIDE, CPU_GPR);
}

@inline
export function setReg(cpu: usize, n: u32, value: u32): void {
  store<u32>(cpu + n * GPR_STRIDE, value, CPU_GPR);
}

/** Writes the bits of `mask` only: a 16-bit count or index leaves the upper half alone. */
@inline
export function setRegMasked(cpu: usize, n: u32, value: u32, mask: u32): void {
  const at = cpu + n * GPR_STRIDE;
  store<u32>(at, (load<u32>(at, CPU_GPR) & ~mask) | (value & mask), CPU_GPR);
}

/** Address of a SegCache. */
@inline
export function segAt(cpu: usize, n: u32): usize {
  return cpu + CPU_SEG + n * SEG_SIZE;
}

/** ACCESS_USER or 0: the rights of the current privilege level. */
@inline
export function userAccess(cpu: usize): u32 {
  return load<u32>(cpu, CPU_MODE) & MODE_USER;
}

/** Segment types are not checked in real-address and virtual-8086 mode (SDM vol. 3, 20.1). */
@inline
export function untypedSegments(cpu: usize): bool {
  return !(load<u32>(cpu, CPU_CR0) & CR0_PE) || (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_VM) != 0;
}

@inline
export function paeOn(cpu: usize): bool {
  return (load<u32>(cpu, CPU_CR4) & CR4_PAE) != 0;
}
