// Short ways to CPL 0, and from there to CPL 3, where all segments are flat (Mode.FLAT), as kernels of today have it: interrupts, exceptions and INT to CPL 0, IRET, SYSENTER, SYSEXIT.
// Nothing is remembered but where the GDT is (segments/table.ts): all that the long ways read is read, and compared as whole words with the one good case. What is not that case, or
// not in the TLB, changes nothing here and goes the long way, which finds the same again, or the fault.
import { loadGuest, storeGuest } from '../base/order';
import { changeMode } from '../base/state';
import { tellPops, tellPushes, tellsAccesses } from '../clients/told';
import { Cpu, Descriptor, Eflags, Gpr, Mode, PROVEN_DESCRIPTORS, Seg, SystemType, Tlb } from '../gen/layout';
import { dplOf, highOf, isProtected, lowOf, typeOf } from '../segments/descriptor';
import { tableHost } from '../segments/table';
import { updateAlignment } from '../system/watching';
import { dropSegment } from './flow';

/** Descriptors: base 0, 4 GiB, 32 bits, present, accessed; code that can be read and does not conform, data that can be written upwards. */
const CODE0: u64 = 0x00cf9b000000ffff;
const DATA0: u64 = 0x00cf93000000ffff;
const CODE3: u64 = 0x00cffb000000ffff;
const DATA3: u64 = 0x00cff3000000ffff;

/** The place in its table that a selector of the first PROVEN_DESCRIPTORS names. */
const PLACE: u32 = (PROVEN_DESCRIPTORS - 1) * 8;

/** What a segment register keeps of such a descriptor. */
@inline
function accessOf(words: u64): u32 {
  return highOf(words) & Descriptor.KEPT;
}

/** Host address of `bytes` bytes at a linear address, which are in one page that the TLB knows with the right given; 0: they are not. */
@inline
export function hostOf(cpu: Cpu, linear: u32, bytes: u32, right: u32): usize {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  return word & right && (linear & 0xfff) <= 4096 - bytes ? <usize>(linear + (word & 0xfffff000)) : 0;
}

/** Eight bytes of a table; 0, which is nothing good, where the TLB does not tell. */
@inline
function tableAt(cpu: Cpu, linear: u32): u64 {
  const host = hostOf(cpu, linear, 8, Tlb.KERNEL_READ);
  return host ? loadGuest<u64>(cpu, host) : 0;
}

/** What is between the descriptor that a selector of the GDT at `table` names and another one; not 0 where it names none of the first PROVEN_DESCRIPTORS. */
@inline
function unlike(cpu: Cpu, table: usize, selector: u32, words: u64): u64 {
  const outside = (selector & ~(PLACE | 3)) | u32(selector < 8) | u32((selector | 7) > cpu.gdtLimit);
  return (loadGuest<u64>(cpu, table + (selector & PLACE)) ^ words) | outside;
}

/** Changes CS, which is flat and stays so, to code of another selector, and the CPL. */
@inline
function enterCode(cpu: Cpu, selector: u32, words: u64, cpl: u32): void {
  const cs = cpu.seg[Seg.CS];
  cs.selector = selector;
  cs.access = accessOf(words);
  cs.topWrite = 0;
  cpu.cpl = cpl;
  changeMode(cpu, cpl ? cpu.mode | Mode.USER : cpu.mode & ~Mode.USER);
  updateAlignment(cpu);
}

/** The same for SS. */
@inline
function enterStack(cpu: Cpu, selector: u32, words: u64): void {
  const ss = cpu.seg[Seg.SS];
  ss.selector = selector;
  ss.access = accessOf(words);
}

/** SYSENTER and SYSEXIT: to CPL `cpl` with the segments that go with these selectors. False: not done. */
export function enterFlat(cpu: Cpu, cs: u32, ss: u32, cpl: u32): bool {
  if (!(cpu.mode & Mode.FLAT)) return false;
  enterStack(cpu, ss, cpl ? DATA3 : DATA0);
  enterCode(cpu, cs, cpl ? CODE3 : CODE0, cpl);
  return true;
}

/** Through an interrupt or trap gate to CPL 0, as `enterHandler` does it, but for its end. The handler's EIP is in Cpu.eip. */
@inline
export function deliverFlat(cpu: Cpu, vector: u32, soft: bool, hasError: bool, error: u32, eip: u32, flags: u32): bool {
  const cpl = cpu.cpl;
  const place = vector * 8;
  if (!(cpu.mode & Mode.FLAT) || !isProtected(cpu) || place + 7 > cpu.idtLimit) return false;
  const gate = tableAt(cpu, cpu.idtBase + place);
  const high = highOf(gate);
  // Present, and of 32 bits: type 14 or 15.
  if ((high & 0x9e00) != 0x8e00 || (soft && dplOf(high) < cpl)) return false;
  const selector = lowOf(gate) >>> 16;
  const table = tableHost(cpu);
  if (!table || unlike(cpu, table, selector, CODE0)) return false;
  let esp = cpu.gpr[Gpr.ESP];
  let ss: u32 = 0;
  const outer = cpl != 0;
  if (outer) {
    const tr = cpu.seg[Seg.TR];
    if ((typeOf(tr.access) & ~SystemType.BUSY) != SystemType.TSS32 || tr.limit < 9) return false;
    const inner = tableAt(cpu, tr.base + 4);
    esp = lowOf(inner);
    ss = highOf(inner) & 0xffff;
    if (unlike(cpu, table, ss, DATA0) | (ss & 3)) return false;
  }
  const bytes: u32 = (outer ? 20 : 12) + (hasError ? 4 : 0);
  const top = esp - bytes;
  let host = hostOf(cpu, top, bytes, Tlb.KERNEL_WRITE);
  if (!host) return false;

  if (hasError) {
    storeGuest<u32>(cpu, host, error);
    host += 4;
  }
  storeGuest<u32>(cpu, host, eip);
  storeGuest<u32>(cpu, host + 4, cpu.seg[Seg.CS].selector);
  storeGuest<u32>(cpu, host + 8, flags);
  if (outer) {
    storeGuest<u32>(cpu, host + 12, cpu.gpr[Gpr.ESP]);
    storeGuest<u32>(cpu, host + 16, cpu.seg[Seg.SS].selector);
  }
  if (tellsAccesses()) tellPushes(cpu, top, bytes);
  if (outer) enterStack(cpu, ss, DATA0);
  cpu.eflags &= ~(Eflags.TF | Eflags.NT | Eflags.RF | Eflags.VM | (high & 0x100 ? 0 : Eflags.IF));
  cpu.gpr[Gpr.ESP] = top;
  enterCode(cpu, selector & 0xfffc, CODE0, 0);
  cpu.eip = (lowOf(gate) & 0xffff) | (high & 0xffff0000);
  return true;
}

/** IRETD at CPL 0 to CPL 0 or 3, as `iret` does it, short of the flags, which it gives back; 0, which no flags are: not done. */
@inline
export function returnFlat(cpu: Cpu): u32 {
  if (!(cpu.mode & Mode.FLAT) || cpu.cpl != 0 || !isProtected(cpu)) return 0;
  const esp = cpu.gpr[Gpr.ESP];
  const host = hostOf(cpu, esp, 12, Tlb.KERNEL_READ);
  if (!host) return 0;
  const eip = loadGuest<u32>(cpu, host);
  const selector = loadGuest<u32>(cpu, host + 4) & 0xffff;
  const flags = loadGuest<u32>(cpu, host + 8);
  const table = tableHost(cpu);
  if (!table || flags & Eflags.VM) return 0;
  if ((selector & 3) == 0) {
    if (unlike(cpu, table, selector, CODE0)) return 0;
    if (tellsAccesses()) tellPops(cpu, esp, 12);
    cpu.gpr[Gpr.ESP] = esp + 12;
    enterCode(cpu, selector, CODE0, 0);
  } else {
    if ((esp & 0xfff) > 4096 - 20) return 0;
    const outer = loadGuest<u32>(cpu, host + 12);
    const ss = loadGuest<u32>(cpu, host + 16) & 0xffff;
    if (unlike(cpu, table, selector, CODE3) | unlike(cpu, table, ss, DATA3) | ((selector & ss & 3) ^ 3)) return 0;
    // Data segments that the outer level must not keep make the mode another one.
    if (dplOf(cpu.seg[Seg.DS].access & cpu.seg[Seg.ES].access) != 3) return 0;
    if (tellsAccesses()) tellPops(cpu, esp, 20);
    dropSegment(cpu, Seg.FS, 3);
    dropSegment(cpu, Seg.GS, 3);
    cpu.gpr[Gpr.ESP] = outer;
    enterStack(cpu, ss, DATA3);
    enterCode(cpu, selector, CODE3, 3);
  }
  cpu.eip = eip;
  return flags | Eflags.ONE;
}
