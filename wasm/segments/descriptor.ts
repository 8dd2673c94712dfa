// Segment and gate descriptors: where they are, what their bits mean, how they are read and marked (SDM vol. 3, 3.4.5).
// Nothing here changes a segment register.
import { faulted, raiseError } from '../base/fault';
import { Cpu, Descriptor, Eflags, Seg, SystemType } from '../gen/layout';
import { sysLoad32, sysLoad64, sysStore8 } from '../memory/memory';

/** The two words of a descriptor as it was read. */
@inline
export function lowOf(words: u64): u32 {
  return <u32>words;
}

@inline
export function highOf(words: u64): u32 {
  return <u32>(words >>> 32);
}

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
  return high & Descriptor.GRANULAR ? (limit << 12) | 0xfff : limit;
}

@inline
export function isCode(high: u32): bool {
  return (high & (Descriptor.NOT_SYSTEM | Descriptor.CODE)) == (Descriptor.NOT_SYSTEM | Descriptor.CODE);
}

@inline
export function isConforming(high: u32): bool {
  return (
    (high & (Descriptor.NOT_SYSTEM | Descriptor.CODE | Descriptor.CONFORMING)) ==
    (Descriptor.NOT_SYSTEM | Descriptor.CODE | Descriptor.CONFORMING)
  );
}

/** A data segment that may be written: what SS must be. */
@inline
export function isStack(high: u32): bool {
  return (high & (Descriptor.NOT_SYSTEM | Descriptor.CODE | Descriptor.WRITABLE)) == (Descriptor.NOT_SYSTEM | Descriptor.WRITABLE);
}

/** A data segment or readable code. */
@inline
export function isReadable(high: u32): bool {
  return (high & Descriptor.NOT_SYSTEM) != 0 && (high & (Descriptor.CODE | Descriptor.READABLE)) != Descriptor.CODE;
}

@inline
export function isNull(selector: u32): bool {
  return (selector & 0xfffc) == 0;
}

/** Protected mode proper: neither real nor virtual-8086 mode. */
@inline
export function isProtected(cpu: Cpu): bool {
  return (cpu.cr0 & 1) != 0 && (cpu.eflags & Eflags.VM) == 0;
}

/** Linear address of the descriptor that a selector names. */
export function descriptorAddress(cpu: Cpu, selector: u32): u32 {
  const base = selector & 4 ? cpu.seg[Seg.LDTR].base : cpu.gdtBase;
  return base + (selector & 0xfff8);
}

/** Whether the selector names a place inside its table. */
export function inTable(cpu: Cpu, selector: u32): bool {
  const last = (selector & 0xffff) | 7;
  if (selector & 4) {
    const ldt = cpu.seg[Seg.LDTR];
    return ldt.access != 0 && last <= ldt.limit;
  }
  return last <= cpu.gdtLimit;
}

/** Reads a descriptor that is known to be inside its table. Ask faulted() afterwards. */
export function readDescriptor(cpu: Cpu, selector: u32): u64 {
  return sysLoad64(cpu, descriptorAddress(cpu, selector));
}

/** Reads a descriptor; raises `vector` with the selector where it is outside its table. Ask faulted() afterwards. */
export function fetchDescriptor(cpu: Cpu, selector: u32, vector: u32, ext: u32): u64 {
  if (inTable(cpu, selector)) return readDescriptor(cpu, selector);
  refuse(cpu, vector, selector, ext);
  return 0;
}

/** Raises `vector` with a selector as its error code (SDM vol. 3, 6.13); always true. */
export function refuse(cpu: Cpu, vector: u32, selector: u32, ext: u32): bool {
  raiseError(cpu, vector, (selector & 0xfffc) | ext);
  return true;
}

/** Sets the accessed bit of a code or data descriptor in memory, where it is not set; true: a fault was raised. */
export function markAccessed(cpu: Cpu, selector: u32, high: u32): bool {
  if (high & Descriptor.ACCESSED) return false;
  sysStore8(cpu, descriptorAddress(cpu, selector) + 5, ((high >>> 8) & 0xff) | 1);
  return faulted(cpu);
}

/** Sets or clears the busy bit of a TSS descriptor in memory; true: a fault was raised. */
export function markBusy(cpu: Cpu, selector: u32, busy: bool): bool {
  const at = descriptorAddress(cpu, selector) + 4;
  const type = sysLoad32(cpu, at) >>> 8;
  if (faulted(cpu)) return true;
  sysStore8(cpu, at + 1, ((type & ~SystemType.BUSY) | (busy ? SystemType.BUSY : 0)) & 0xff);
  return faulted(cpu);
}
