// Segment registers: loading them in every mode, the tables' registers, and the instructions that only ask about
// descriptors (SDM vol. 2, MOV, LLDT, LTR, LGDT, LAR, LSL, VERR, ARPL; vol. 3, 5).
import { updateMode } from '../system/control';
import {
  ACCESSED, ACCESS_MASK, NOT_SYSTEM, PRESENT, TYPE_BUSY, TYPE_LDT, TYPE_TSS16, TYPE_TSS32,
  baseOf, descHigh, descLow, dplOf, fetchDescriptor, inTable, isConforming, isNull, isProtected, isReadable, isStack,
  limitOf, markAccessed, markBusy, readDescriptor, refuse, segment, typeOf,
} from './descriptor';
import { faulted, raise, raiseError } from '../base/fault';
import { writeFlags } from '../system/flags';
import {
  CPU_CPL, CPU_EFLAGS, CPU_GDTBASE, CPU_GDTLIMIT, CPU_IDTBASE, CPU_IDTLIMIT, EFLAGS_VM, EFLAGS_ZF,
  SEG_ACCESS, SEG_BASE, SEG_CS, SEG_GS, SEG_LDTR, SEG_LIMIT, SEG_SELECTOR, SEG_SS, SEG_TOPREAD, SEG_TOPWRITE, SEG_TR,
  VECTOR_GP, VECTOR_NP, VECTOR_SS, VECTOR_UD,
} from '../gen/layout';
import { load16, load32, probeWrite, store16, store32 } from '../memory/memory';

/** Access word of every segment in virtual-8086 mode: present, DPL 3, writable data, accessed. */
const ACCESS_V86: u32 = 0xf300;
const ACCESS_REAL: u32 = 0x9300;

/** Sets a segment register and its hidden part. updateMode must follow: it computes the fast-check words. */
export function setSegment(cpu: usize, seg: u32, selector: u32, base: u32, limit: u32, access: u32): void {
  const s = segment(cpu, seg);
  store<u32>(s, selector, SEG_SELECTOR);
  store<u32>(s, base, SEG_BASE);
  store<u32>(s, limit, SEG_LIMIT);
  store<u32>(s, access, SEG_ACCESS);
}

/** Sets a code or data segment from its descriptor (which counts as accessed from now on). */
export function setFromDescriptor(cpu: usize, seg: u32, selector: u32, low: u32, high: u32): void {
  setSegment(cpu, seg, selector, baseOf(low, high), limitOf(low, high), (high & ACCESS_MASK) | ACCESSED);
}

export function setNull(cpu: usize, seg: u32, selector: u32): void {
  setSegment(cpu, seg, selector, 0, 0, 0);
  const s = segment(cpu, seg);
  store<u32>(s, 0, SEG_TOPREAD);
  store<u32>(s, 0, SEG_TOPWRITE);
}

/** Loads a segment register as real mode (limit and access stay) or virtual-8086 mode does. */
export function setReal(cpu: usize, seg: u32, selector: u32): void {
  selector &= 0xffff;
  if ((load<u32>(cpu, CPU_EFLAGS) & EFLAGS_VM) != 0) {
    setSegment(cpu, seg, selector, selector << 4, 0xffff, ACCESS_V86);
    return;
  }
  const s = segment(cpu, seg);
  let access = load<u32>(s, SEG_ACCESS);
  let limit = load<u32>(s, SEG_LIMIT);
  if (access == 0) {
    access = ACCESS_REAL;
    limit = 0xffff;
  } else if (seg == SEG_CS) {
    // A far transfer in real mode gives a CS that can be written.
    access = (access & ~(0xff00 as u32)) | ACCESS_REAL;
  }
  setSegment(cpu, seg, selector, selector << 4, limit, access);
}

export function readSelector(cpu: usize, seg: u32): u32 {
  return load<u32>(segment(cpu, seg), SEG_SELECTOR);
}

/** Checks a descriptor for SS (SDM vol. 3, 5.7). `bad` is the vector of a wrong one: #GP or #TS. True: a fault was raised. */
export function refuseStack(cpu: usize, selector: u32, high: u32, cpl: u32, bad: u32, ext: u32): bool {
  if ((selector & 3) != cpl || dplOf(high) != cpl || !isStack(high)) return refuse(cpu, bad, selector, ext);
  if (!(high & PRESENT)) return refuse(cpu, VECTOR_SS, selector, ext);
  return false;
}

/** Checks a descriptor for DS, ES, FS, GS (SDM vol. 3, 5.6). True: a fault was raised. */
export function refuseData(cpu: usize, selector: u32, high: u32, cpl: u32, bad: u32): bool {
  if (!isReadable(high)) return refuse(cpu, bad, selector, 0);
  if (!isConforming(high) && ((selector & 3) > dplOf(high) || cpl > dplOf(high))) return refuse(cpu, bad, selector, 0);
  if (!(high & PRESENT)) return refuse(cpu, VECTOR_NP, selector, 0);
  return false;
}

/** MOV Sreg, POP Sreg, LDS and their like. */
export function loadSegment(cpu: usize, seg: u32, selector: u32): void {
  selector &= 0xffff;
  if (!isProtected(cpu)) {
    setReal(cpu, seg, selector);
  } else if (isNull(selector)) {
    if (seg == SEG_SS) {
      raiseError(cpu, VECTOR_GP, 0);
      return;
    }
    setNull(cpu, seg, selector);
  } else {
    if (fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return;
    const low = descLow;
    const high = descHigh;
    const cpl = load<u32>(cpu, CPU_CPL);
    if (seg == SEG_SS ? refuseStack(cpu, selector, high, cpl, VECTOR_GP, 0) : refuseData(cpu, selector, high, cpl, VECTOR_GP)) return;
    if (markAccessed(cpu, selector, high)) return;
    setFromDescriptor(cpu, seg, selector, low, high);
  }
  if (seg <= SEG_GS) updateMode(cpu);
}

/** Raises #UD outside protected mode, #GP(0) above CPL `most`; true: a fault was raised. */
function refuseOutside(cpu: usize, most: u32): bool {
  if (!isProtected(cpu)) {
    raise(cpu, VECTOR_UD);
    return true;
  }
  if (load<u32>(cpu, CPU_CPL) > most) {
    raiseError(cpu, VECTOR_GP, 0);
    return true;
  }
  return false;
}

export function lldt(cpu: usize, selector: u32): void {
  if (refuseOutside(cpu, 0)) return;
  selector &= 0xffff;
  if (isNull(selector)) {
    setNull(cpu, SEG_LDTR, selector);
    return;
  }
  loadLdt(cpu, selector, VECTOR_GP, VECTOR_NP);
}

/** Loads LDTR with checks; `bad` and `absent` are the vectors of a wrong and of an absent LDT. True: a fault was raised. */
export function loadLdt(cpu: usize, selector: u32, bad: u32, absent: u32): bool {
  if (selector & 4) return refuse(cpu, bad, selector, 0);
  if (fetchDescriptor(cpu, selector, bad, 0)) return true;
  const low = descLow;
  const high = descHigh;
  if (high & NOT_SYSTEM || typeOf(high) != TYPE_LDT) return refuse(cpu, bad, selector, 0);
  if (!(high & PRESENT)) return refuse(cpu, absent, selector, 0);
  setSegment(cpu, SEG_LDTR, selector, baseOf(low, high), limitOf(low, high), high & ACCESS_MASK);
  return false;
}

export function ltr(cpu: usize, selector: u32): void {
  if (refuseOutside(cpu, 0)) return;
  selector &= 0xffff;
  if (isNull(selector)) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  if (selector & 4) {
    refuse(cpu, VECTOR_GP, selector, 0);
    return;
  }
  if (fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return;
  const low = descLow;
  const high = descHigh;
  const type = typeOf(high);
  if (high & NOT_SYSTEM || (type != TYPE_TSS16 && type != TYPE_TSS32)) {
    refuse(cpu, VECTOR_GP, selector, 0);
    return;
  }
  if (!(high & PRESENT)) {
    refuse(cpu, VECTOR_NP, selector, 0);
    return;
  }
  if (markBusy(cpu, selector, true)) return;
  setSegment(cpu, SEG_TR, selector, baseOf(low, high), limitOf(low, high), (high & ACCESS_MASK) | (TYPE_BUSY << 8));
}

export function sldt(cpu: usize): u32 {
  if (refuseOutside(cpu, 3)) return 0;
  return readSelector(cpu, SEG_LDTR);
}

export function str(cpu: usize): u32 {
  if (refuseOutside(cpu, 3)) return 0;
  return readSelector(cpu, SEG_TR);
}

function loadTable(cpu: usize, linear: u32, opsize: u32, baseField: u32, limitField: u32): void {
  if (load<u32>(cpu, CPU_CPL) != 0) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  const limit = load16(cpu, linear);
  if (faulted(cpu)) return;
  const base = load32(cpu, linear + 2);
  if (faulted(cpu)) return;
  store<u32>(cpu + limitField, limit);
  store<u32>(cpu + baseField, opsize == 2 ? base & 0xffffff : base);
}

function storeTable(cpu: usize, linear: u32, base: u32, limit: u32): void {
  if (probeWrite(cpu, linear, 6)) return;
  store16(cpu, linear, limit);
  store32(cpu, linear + 2, base);
}

export function lgdt(cpu: usize, linear: u32, opsize: u32): void {
  loadTable(cpu, linear, opsize, CPU_GDTBASE, CPU_GDTLIMIT);
}

export function lidt(cpu: usize, linear: u32, opsize: u32): void {
  loadTable(cpu, linear, opsize, CPU_IDTBASE, CPU_IDTLIMIT);
}

export function sgdt(cpu: usize, linear: u32): void {
  storeTable(cpu, linear, load<u32>(cpu, CPU_GDTBASE), load<u32>(cpu, CPU_GDTLIMIT));
}

export function sidt(cpu: usize, linear: u32): void {
  storeTable(cpu, linear, load<u32>(cpu, CPU_IDTBASE), load<u32>(cpu, CPU_IDTLIMIT));
}

/** Reads the descriptor for LAR, LSL, VERR, VERW; true where the selector is of use at this CPL. Clears or sets ZF only through `answer`. */
function visible(cpu: usize, selector: u32): bool {
  if (isNull(selector) || !inTable(cpu, selector)) return false;
  if (readDescriptor(cpu, selector)) return false;
  const dpl = dplOf(descHigh);
  return isConforming(descHigh) || (dpl >= load<u32>(cpu, CPU_CPL) && dpl >= (selector & 3));
}

/** Sets ZF, unless a fault is on its way. */
function answer(cpu: usize, yes: bool): void {
  if (!faulted(cpu)) writeFlags(cpu, yes ? EFLAGS_ZF : 0, EFLAGS_ZF);
}

/** System types that LAR and LSL know. */
const LAR_TYPES: u32 = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 9) | (1 << 11) | (1 << 12);
const LSL_TYPES: u32 = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 9) | (1 << 11);

/** Code, data, or a system descriptor of one of these types. */
function known(types: u32): bool {
  return (descHigh & NOT_SYSTEM) != 0 || ((types >>> typeOf(descHigh)) & 1) != 0;
}

/** LAR: sets ZF and returns the access rights (32-bit form), or clears ZF. */
export function lar(cpu: usize, selector: u32): u32 {
  if (refuseOutside(cpu, 3)) return 0;
  const yes = visible(cpu, selector) && known(LAR_TYPES);
  answer(cpu, yes);
  return descHigh & 0xf0ff00;
}

/** LSL: sets ZF and returns the limit in bytes, or clears ZF. */
export function lsl(cpu: usize, selector: u32): u32 {
  if (refuseOutside(cpu, 3)) return 0;
  const yes = visible(cpu, selector) && known(LSL_TYPES);
  answer(cpu, yes);
  return limitOf(descLow, descHigh);
}

export function verr(cpu: usize, selector: u32): void {
  if (refuseOutside(cpu, 3)) return;
  answer(cpu, visible(cpu, selector) && isReadable(descHigh));
}

export function verw(cpu: usize, selector: u32): void {
  if (refuseOutside(cpu, 3)) return;
  answer(cpu, visible(cpu, selector) && isStack(descHigh));
}

/** ARPL: the new value of the destination; ZF says whether it changed. */
export function arpl(cpu: usize, dst: u32, src: u32): u32 {
  if (refuseOutside(cpu, 3)) return dst;
  const lower = (dst & 3) < (src & 3);
  answer(cpu, lower);
  return lower ? (dst & ~3) | (src & 3) : dst;
}
