// Segment registers: loading them in every mode, the tables' registers, and the instructions that only ask about
// descriptors (SDM vol. 2, MOV, LLDT, LTR, LGDT, LAR, LSL, VERR, ARPL; vol. 3, 5).

import { faulted, raise, raiseError } from '../base/fault';
import { enterSlow, leaveSlow } from '../engine/costs';
import { Cpu, Descriptor, Eflags, Mode, Seg, SlowPath, SystemType, Vector } from '../gen/layout';
import { readTable } from '../memory/access';
import { load16, load32, probeWrite, store16, store32 } from '../memory/memory';
import { updateLoaded } from '../system/control';
import { writeFlags } from '../system/flags';
import {
  baseOf,
  dplOf,
  fetchDescriptor,
  highOf,
  inTable,
  isConforming,
  isNull,
  isProtected,
  isReadable,
  isStack,
  limitOf,
  lowOf,
  markAccessed,
  markBusy,
  readDescriptor,
  refuse,
  typeOf,
} from './descriptor';
import { forgetProofs } from './table';

/** Access word of every segment in virtual-8086 mode: present, DPL 3, writable data, accessed. */
const ACCESS_V86: u32 = 0xf300;
const ACCESS_REAL: u32 = 0x9300;

/** Sets a segment register and its hidden part. updateMode must follow: it computes the fast-check words. */
export function setSegment(cpu: Cpu, seg: u32, selector: u32, base: u32, limit: u32, access: u32): void {
  const s = cpu.seg[seg];
  s.selector = selector;
  s.base = base;
  s.limit = limit;
  s.access = access;
}

/** Sets a code or data segment from its descriptor (which counts as accessed from now on). */
export function setFromDescriptor(cpu: Cpu, seg: u32, selector: u32, low: u32, high: u32): void {
  setSegment(cpu, seg, selector, baseOf(low, high), limitOf(low, high), (high & Descriptor.KEPT) | Descriptor.ACCESSED);
}

export function setNull(cpu: Cpu, seg: u32, selector: u32): void {
  setSegment(cpu, seg, selector, 0, 0, 0);
  const s = cpu.seg[seg];
  s.topRead = 0;
  s.topWrite = 0;
}

/** Loads a segment register as real mode (limit and access stay) or virtual-8086 mode does. */
export function setReal(cpu: Cpu, seg: u32, selector: u32): void {
  selector &= 0xffff;
  if ((cpu.eflags & Eflags.VM) != 0) {
    setSegment(cpu, seg, selector, selector << 4, 0xffff, ACCESS_V86);
    return;
  }
  const s = cpu.seg[seg];
  let access = s.access;
  let limit = s.limit;
  if (access == 0) {
    access = ACCESS_REAL;
    limit = 0xffff;
  } else if (seg == Seg.CS) {
    // A far transfer in real mode gives a CS that can be written.
    access = (access & ~(0xff00 as u32)) | ACCESS_REAL;
  }
  setSegment(cpu, seg, selector, selector << 4, limit, access);
}

export function readSelector(cpu: Cpu, seg: u32): u32 {
  return cpu.seg[seg].selector;
}

/** Checks a descriptor for SS (SDM vol. 3, 5.7). `bad` is the vector of a wrong one: #GP or #TS. True: a fault was raised. */
export function refuseStack(cpu: Cpu, selector: u32, high: u32, cpl: u32, bad: u32, ext: u32): bool {
  if ((selector & 3) != cpl || dplOf(high) != cpl || !isStack(high)) return refuse(cpu, bad, selector, ext);
  if (!(high & Descriptor.PRESENT)) return refuse(cpu, Vector.SS, selector, ext);
  return false;
}

/** Checks a descriptor for DS, ES, FS, GS (SDM vol. 3, 5.6). True: a fault was raised. */
export function refuseData(cpu: Cpu, selector: u32, high: u32, cpl: u32, bad: u32): bool {
  if (!isReadable(high)) return refuse(cpu, bad, selector, 0);
  if (!isConforming(high) && ((selector & 3) > dplOf(high) || cpl > dplOf(high))) return refuse(cpu, bad, selector, 0);
  if (!(high & Descriptor.PRESENT)) return refuse(cpu, Vector.NP, selector, 0);
  return false;
}

/** Present data that grows upwards and was accessed before. */
const USUAL: u32 = Descriptor.PRESENT | Descriptor.NOT_SYSTEM | Descriptor.ACCESSED;
const USUAL_CARES: u32 = USUAL | Descriptor.CODE | Descriptor.EXPAND_DOWN;

/** loadSegment of DS, ES, FS or GS in protected mode where the descriptor is a usual one, whose mode does not change by it. False: not done. */
@inline
function loadUsual(cpu: Cpu, seg: u32, selector: u32, words: u64): bool {
  const low = lowOf(words);
  const high = highOf(words);
  const dpl = dplOf(high);
  if ((high & USUAL_CARES) != USUAL || dpl < cpu.cpl || dpl < (selector & 3)) return false;
  const base = baseOf(low, high);
  const limit = limitOf(low, high);
  const writable = (high & Descriptor.WRITABLE) != 0;
  // Where the mode is flat, it stays so with a flat segment. FS and GS never matter.
  if (seg < Seg.FS && (!(cpu.mode & Mode.FLAT) || base != 0 || limit != 0xffffffff || !writable)) return false;
  setSegment(cpu, seg, selector, base, limit, high & Descriptor.KEPT);
  const s = cpu.seg[seg];
  const top: u32 = limit >= 15 ? limit - 15 : 0;
  s.topRead = top;
  s.topWrite = writable ? top : 0;
  return true;
}

/** MOV Sreg, POP Sreg, LDS and their like. Not 0: the mode is another one, or memory was changed that may be code. */
export function loadSegment(cpu: Cpu, seg: u32, selector: u32): u32 {
  const since = enterSlow(cpu, SlowPath.SEGMENT);
  const changed = loadInFull(cpu, seg, selector & 0xffff);
  leaveSlow(cpu, SlowPath.SEGMENT, since);
  return changed;
}

function loadInFull(cpu: Cpu, seg: u32, selector: u32): u32 {
  let marked = false;
  if (!isProtected(cpu)) {
    setReal(cpu, seg, selector);
  } else if (isNull(selector)) {
    if (seg == Seg.SS) {
      raiseError(cpu, Vector.GP, 0);
      return 0;
    }
    setNull(cpu, seg, selector);
    if (seg >= Seg.FS) return 0;
  } else {
    const quick = !(selector & 4) && (selector | 7) <= cpu.gdtLimit;
    const words = quick ? readTable<u64>(cpu, cpu.gdtBase + (selector & 0xfff8)) : fetchDescriptor(cpu, selector, Vector.GP, 0);
    if (faulted(cpu) || (seg != Seg.SS && loadUsual(cpu, seg, selector, words))) return 0;
    const low = lowOf(words);
    const high = highOf(words);
    const cpl = cpu.cpl;
    if (seg == Seg.SS ? refuseStack(cpu, selector, high, cpl, Vector.GP, 0) : refuseData(cpu, selector, high, cpl, Vector.GP)) return 0;
    marked = !(high & Descriptor.ACCESSED);
    if (marked && markAccessed(cpu, selector, high)) return 0;
    setFromDescriptor(cpu, seg, selector, low, high);
  }
  return u32(updateLoaded(cpu, seg) || marked);
}

/** Raises #UD outside protected mode, #GP(0) above CPL `most`; true: a fault was raised. */
function refuseOutside(cpu: Cpu, most: u32): bool {
  if (!isProtected(cpu)) {
    raise(cpu, Vector.UD);
    return true;
  }
  if (cpu.cpl > most) {
    raiseError(cpu, Vector.GP, 0);
    return true;
  }
  return false;
}

export function lldt(cpu: Cpu, selector: u32): void {
  if (refuseOutside(cpu, 0)) return;
  selector &= 0xffff;
  if (isNull(selector)) {
    setNull(cpu, Seg.LDTR, selector);
    return;
  }
  loadLdt(cpu, selector, Vector.GP, Vector.NP);
}

/** Loads LDTR with checks; `bad` and `absent` are the vectors of a wrong and of an absent LDT. True: a fault was raised. */
export function loadLdt(cpu: Cpu, selector: u32, bad: u32, absent: u32): bool {
  if (selector & 4) return refuse(cpu, bad, selector, 0);
  const words = fetchDescriptor(cpu, selector, bad, 0);
  if (faulted(cpu)) return true;
  const low = lowOf(words);
  const high = highOf(words);
  if (high & Descriptor.NOT_SYSTEM || typeOf(high) != SystemType.LDT) return refuse(cpu, bad, selector, 0);
  if (!(high & Descriptor.PRESENT)) return refuse(cpu, absent, selector, 0);
  setSegment(cpu, Seg.LDTR, selector, baseOf(low, high), limitOf(low, high), high & Descriptor.KEPT);
  return false;
}

export function ltr(cpu: Cpu, selector: u32): void {
  if (refuseOutside(cpu, 0)) return;
  selector &= 0xffff;
  if (isNull(selector)) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  if (selector & 4) {
    refuse(cpu, Vector.GP, selector, 0);
    return;
  }
  const words = fetchDescriptor(cpu, selector, Vector.GP, 0);
  if (faulted(cpu)) return;
  const low = lowOf(words);
  const high = highOf(words);
  const type = typeOf(high);
  if (high & Descriptor.NOT_SYSTEM || (type != SystemType.TSS16 && type != SystemType.TSS32)) {
    refuse(cpu, Vector.GP, selector, 0);
    return;
  }
  if (!(high & Descriptor.PRESENT)) {
    refuse(cpu, Vector.NP, selector, 0);
    return;
  }
  if (markBusy(cpu, selector, true)) return;
  setSegment(cpu, Seg.TR, selector, baseOf(low, high), limitOf(low, high), (high & Descriptor.KEPT) | (SystemType.BUSY << 8));
}

export function sldt(cpu: Cpu): u32 {
  if (refuseOutside(cpu, 3)) return 0;
  return readSelector(cpu, Seg.LDTR);
}

export function str(cpu: Cpu): u32 {
  if (refuseOutside(cpu, 3)) return 0;
  return readSelector(cpu, Seg.TR);
}

function loadTable(cpu: Cpu, linear: u32, opsize: u32, isGdt: bool): void {
  if (cpu.cpl != 0) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  const limit = load16(cpu, linear);
  if (faulted(cpu)) return;
  const base = load32(cpu, linear + 2);
  if (faulted(cpu)) return;
  const from = opsize == 2 ? base & 0xffffff : base;
  if (isGdt) {
    cpu.gdtLimit = limit;
    cpu.gdtBase = from;
    forgetProofs(cpu);
  } else {
    cpu.idtLimit = limit;
    cpu.idtBase = from;
  }
}

function storeTable(cpu: Cpu, linear: u32, base: u32, limit: u32): void {
  if (probeWrite(cpu, linear, 6)) return;
  store16(cpu, linear, limit);
  store32(cpu, linear + 2, base);
}

export function lgdt(cpu: Cpu, linear: u32, opsize: u32): void {
  loadTable(cpu, linear, opsize, true);
}

export function lidt(cpu: Cpu, linear: u32, opsize: u32): void {
  loadTable(cpu, linear, opsize, false);
}

export function sgdt(cpu: Cpu, linear: u32): void {
  storeTable(cpu, linear, cpu.gdtBase, cpu.gdtLimit);
}

export function sidt(cpu: Cpu, linear: u32): void {
  storeTable(cpu, linear, cpu.idtBase, cpu.idtLimit);
}

/** The descriptor for LAR, LSL, VERR, VERW, where the selector is of use at this CPL; else 0, which none of them takes. */
function visible(cpu: Cpu, selector: u32): u64 {
  if (isNull(selector) || !inTable(cpu, selector)) return 0;
  const words = readDescriptor(cpu, selector);
  if (faulted(cpu)) return 0;
  const high = highOf(words);
  const dpl = dplOf(high);
  return isConforming(high) || (dpl >= cpu.cpl && dpl >= (selector & 3)) ? words : 0;
}

/** Sets ZF, unless a fault is on its way. */
function answer(cpu: Cpu, yes: bool): void {
  if (!faulted(cpu)) writeFlags(cpu, yes ? Eflags.ZF : 0, Eflags.ZF);
}

/** System types that LAR and LSL know. */
const LAR_TYPES: u32 = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 9) | (1 << 11) | (1 << 12);
const LSL_TYPES: u32 = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 9) | (1 << 11);

/** Code, data, or a system descriptor of one of these types. */
function known(high: u32, types: u32): bool {
  return (high & Descriptor.NOT_SYSTEM) != 0 || ((types >>> typeOf(high)) & 1) != 0;
}

/** LAR: sets ZF and returns the access rights (32-bit form), or clears ZF. */
export function lar(cpu: Cpu, selector: u32): u32 {
  if (refuseOutside(cpu, 3)) return 0;
  const high = highOf(visible(cpu, selector));
  answer(cpu, known(high, LAR_TYPES));
  return high & 0xf0ff00;
}

/** LSL: sets ZF and returns the limit in bytes, or clears ZF. */
export function lsl(cpu: Cpu, selector: u32): u32 {
  if (refuseOutside(cpu, 3)) return 0;
  const words = visible(cpu, selector);
  answer(cpu, known(highOf(words), LSL_TYPES));
  return limitOf(lowOf(words), highOf(words));
}

export function verr(cpu: Cpu, selector: u32): void {
  if (refuseOutside(cpu, 3)) return;
  answer(cpu, isReadable(highOf(visible(cpu, selector))));
}

export function verw(cpu: Cpu, selector: u32): void {
  if (refuseOutside(cpu, 3)) return;
  answer(cpu, isStack(highOf(visible(cpu, selector))));
}

/** ARPL: the new value of the destination; ZF says whether it changed. */
export function arpl(cpu: Cpu, dst: u32, src: u32): u32 {
  if (refuseOutside(cpu, 3)) return dst;
  const lower = (dst & 3) < (src & 3);
  answer(cpu, lower);
  return lower ? (dst & ~3) | (src & 3) : dst;
}
