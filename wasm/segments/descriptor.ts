// Segment and gate descriptors: where they are, what their bits mean, how they are read and marked (SDM vol. 3, 3.4.5).
// Nothing here changes a segment register.
import { faulted, raiseError } from '../base/fault';
import {
  CPU_CR0, CPU_EFLAGS, CPU_GDTBASE, CPU_GDTLIMIT, CPU_SEG, EFLAGS_VM, SEG_ACCESS, SEG_BASE, SEG_LDTR, SEG_LIMIT, SEG_SIZE,
} from '../gen/layout';
import { sysLoad32, sysStore8 } from '../memory/memory';

// Bits of the second word.
export const ACCESSED: u32 = 0x100;
/** Data: writable. Code: readable. */
export const WRITABLE: u32 = 0x200;
/** Code: conforming. Data: expand-down. */
export const CONFORMING: u32 = 0x400;
export const CODE: u32 = 0x800;
/** Clear for system segments and gates. */
export const NOT_SYSTEM: u32 = 0x1000;
export const PRESENT: u32 = 0x8000;
export const BIG: u32 = 0x400000;
export const GRANULAR: u32 = 0x800000;
/** Bits that SegCache.access keeps. */
export const ACCESS_MASK: u32 = 0xf0ff00;

// Types of system descriptors: (second word >> 8) & 15.
export const TYPE_TSS16: u32 = 1;
export const TYPE_LDT: u32 = 2;
export const TYPE_CALL16: u32 = 4;
export const TYPE_TASK: u32 = 5;
export const TYPE_TSS32: u32 = 9;
export const TYPE_CALL32: u32 = 12;
/** The bit that makes an available TSS a busy one. */
export const TYPE_BUSY: u32 = 2;

/** The descriptor that was read last: copy both words before anything else is read. */
export let descLow: u32 = 0;
export let descHigh: u32 = 0;

@inline
export function typeOf(high: u32): u32 {
  return (high >>> 8) & 15;
}

@inline
export function dplOf(high: u32): u32 {
  return (high >>> 13) & 3;
}

@inline
export function baseOf(low: u32, high: u32): u32 {
  return (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000);
}

/** The highest valid offset, in bytes. */
@inline
export function limitOf(low: u32, high: u32): u32 {
  const limit = (low & 0xffff) | (high & 0xf0000);
  return high & GRANULAR ? (limit << 12) | 0xfff : limit;
}

@inline
export function isCode(high: u32): bool {
  return (high & (NOT_SYSTEM | CODE)) == (NOT_SYSTEM | CODE);
}

@inline
export function isConforming(high: u32): bool {
  return (high & (NOT_SYSTEM | CODE | CONFORMING)) == (NOT_SYSTEM | CODE | CONFORMING);
}

/** A data segment that may be written: what SS must be. */
@inline
export function isStack(high: u32): bool {
  return (high & (NOT_SYSTEM | CODE | WRITABLE)) == (NOT_SYSTEM | WRITABLE);
}

/** A data segment or readable code. */
@inline
export function isReadable(high: u32): bool {
  return (high & NOT_SYSTEM) != 0 && (high & (CODE | WRITABLE)) != CODE;
}

@inline
export function isNull(selector: u32): bool {
  return (selector & 0xfffc) == 0;
}

/** Protected mode proper: neither real nor virtual-8086 mode. */
@inline
export function isProtected(cpu: usize): bool {
  return (load<u32>(cpu, CPU_CR0) & 1) != 0 && (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_VM) == 0;
}

@inline
export function segment(cpu: usize, seg: u32): usize {
  return cpu + CPU_SEG + seg * SEG_SIZE;
}

/** Linear address of the descriptor that a selector names. */
export function descriptorAddress(cpu: usize, selector: u32): u32 {
  const base = selector & 4 ? load<u32>(segment(cpu, SEG_LDTR), SEG_BASE) : load<u32>(cpu, CPU_GDTBASE);
  return base + (selector & 0xfff8);
}

/** Whether the selector names a place inside its table. */
export function inTable(cpu: usize, selector: u32): bool {
  const last = (selector & 0xffff) | 7;
  if (selector & 4) {
    const ldt = segment(cpu, SEG_LDTR);
    return load<u32>(ldt, SEG_ACCESS) != 0 && last <= load<u32>(ldt, SEG_LIMIT);
  }
  return last <= load<u32>(cpu, CPU_GDTLIMIT);
}

/** Reads a descriptor that is known to be inside its table; true: a page fault was raised. */
export function readDescriptor(cpu: usize, selector: u32): bool {
  const at = descriptorAddress(cpu, selector);
  descLow = sysLoad32(cpu, at);
  if (faulted(cpu)) return true;
  descHigh = sysLoad32(cpu, at + 4);
  return faulted(cpu);
}

/** Reads a descriptor; raises `vector` with the selector where it is outside its table. True: a fault was raised. */
export function fetchDescriptor(cpu: usize, selector: u32, vector: u32, ext: u32): bool {
  if (!inTable(cpu, selector)) return refuse(cpu, vector, selector, ext);
  return readDescriptor(cpu, selector);
}

/** Raises `vector` with a selector as its error code (SDM vol. 3, 6.13); always true. */
export function refuse(cpu: usize, vector: u32, selector: u32, ext: u32): bool {
  raiseError(cpu, vector, (selector & 0xfffc) | ext);
  return true;
}

/** Sets the accessed bit of a code or data descriptor in memory, where it is not set; true: a fault was raised. */
export function markAccessed(cpu: usize, selector: u32, high: u32): bool {
  if (high & ACCESSED) return false;
  sysStore8(cpu, descriptorAddress(cpu, selector) + 5, ((high >>> 8) & 0xff) | 1);
  return faulted(cpu);
}

/** Sets or clears the busy bit of a TSS descriptor in memory; true: a fault was raised. */
export function markBusy(cpu: usize, selector: u32, busy: bool): bool {
  const at = descriptorAddress(cpu, selector) + 4;
  const type = sysLoad32(cpu, at) >>> 8;
  if (faulted(cpu)) return true;
  sysStore8(cpu, at + 1, ((type & ~TYPE_BUSY) | (busy ? TYPE_BUSY : 0)) & 0xff);
  return faulted(cpu);
}
