// What all transfers of control share: the stack of an inner privilege level, the load of CS, the segments that an outer level
// must not keep; and EFLAGS as a whole (SDM vol. 3, 5.8; vol. 2, POPF, CLI, STI).
import { updateMode } from '../system/control';
import {
  ACCESSED, ACCESS_MASK, PRESENT, TYPE_BUSY, TYPE_TSS32, baseOf, descHigh, descLow, dplOf, fetchDescriptor, isConforming, isNull, isProtected, limitOf,
  markAccessed, refuse, segment, typeOf,
} from '../segments/descriptor';
import { updateStep } from '../system/debug';
import { faulted, raiseError } from '../base/fault';
import { readFlags, writeFlags } from '../system/flags';
import {
  CPU_CPL, CPU_EFLAGS, CPU_MODE, CPU_SHADOW, CPU_SHADOWEIP, CPU_STEP, CPU_WATCH, EFLAGS_AC, EFLAGS_ARITH, EFLAGS_DF, EFLAGS_ID, EFLAGS_IF, EFLAGS_IOPL, EFLAGS_NT, EFLAGS_RF,
  EFLAGS_TF, EFLAGS_VIF, EFLAGS_VIP, EFLAGS_VM, SEG_ACCESS, SEG_BASE, SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_LIMIT, SEG_SELECTOR, SEG_SS,
  SEG_TOPREAD, SEG_TOPWRITE, SEG_TR, MODE_FLAT, MODE_USER, SHADOW_STI, STEP_BAIL, VECTOR_GP, VECTOR_TS, WATCH_CODE,
} from '../gen/layout';
import { setSystemFlags } from '../system/held';
import { sysLoad16, sysLoad32 } from '../memory/memory';
import { refuseStack, setNull } from '../segments/segment';
import { loadedEsp } from './stack';
import { settleAlignment } from '../system/watching';

/** The inner stack that innerStack found. */
export let innerSelector: u32 = 0;
export let innerLow: u32 = 0;
export let innerHigh: u32 = 0;
export let innerEsp: u32 = 0;

/** #GP(ext): a selector or an offset that is wrong without being anybody's; always true. */
export function general(cpu: usize, ext: u32): bool {
  raiseError(cpu, VECTOR_GP, ext);
  return true;
}

/** Reads SS:ESP of a privilege level from the current TSS and checks the segment (SDM vol. 3, 5.8.5); true: a fault was raised. */
export function innerStack(cpu: usize, dpl: u32, ext: u32): bool {
  const tr = segment(cpu, SEG_TR);
  const tss = load<u32>(tr, SEG_BASE);
  const wide = (typeOf(load<u32>(tr, SEG_ACCESS)) & ~TYPE_BUSY) == TYPE_TSS32;
  const at: u32 = wide ? dpl * 8 + 4 : dpl * 4 + 2;
  if (at + (wide ? 5 : 3) > load<u32>(tr, SEG_LIMIT)) return refuse(cpu, VECTOR_TS, load<u32>(tr, SEG_SELECTOR), ext);
  const esp = wide ? sysLoad32(cpu, tss + at) : sysLoad16(cpu, tss + at);
  if (faulted(cpu)) return true;
  const ss = sysLoad16(cpu, tss + at + (wide ? 4 : 2));
  if (faulted(cpu)) return true;
  if (isNull(ss)) return refuse(cpu, VECTOR_TS, 0, ext);
  if (fetchDescriptor(cpu, ss, VECTOR_TS, ext)) return true;
  const low = descLow;
  const high = descHigh;
  if (refuseStack(cpu, ss, high, dpl, VECTOR_TS, ext) || markAccessed(cpu, ss, high)) return true;
  innerSelector = ss;
  innerLow = low;
  innerHigh = high;
  innerEsp = loadedEsp(cpu, high, esp);
  return false;
}

/** Loads CS with its descriptor, at privilege level `cpl`. updateMode must follow. */
export function setCode(cpu: usize, selector: u32, low: u32, high: u32, cpl: u32): void {
  const cs = segment(cpu, SEG_CS);
  store<u32>(cs, (selector & 0xfffc) | cpl, SEG_SELECTOR);
  store<u32>(cs, baseOf(low, high), SEG_BASE);
  store<u32>(cs, limitOf(low, high), SEG_LIMIT);
  store<u32>(cs, (high & ACCESS_MASK) | ACCESSED, SEG_ACCESS);
  store<u32>(cpu, cpl, CPU_CPL);
}

/** Nulls data segments that the new privilege level must not keep (SDM vol. 2, RET). */
export function dropSegments(cpu: usize, cpl: u32): void {
  dropSegment(cpu, SEG_ES, cpl);
  dropSegment(cpu, SEG_DS, cpl);
  dropSegment(cpu, SEG_FS, cpl);
  dropSegment(cpu, SEG_GS, cpl);
}

function dropSegment(cpu: usize, seg: u32, cpl: u32): void {
  const access = load<u32>(segment(cpu, seg), SEG_ACCESS);
  if (dplOf(access) < cpl && !isConforming(access)) setNull(cpu, seg, 0);
}

/** Flat, 32-bit, present code that can be read; the same for data that can be written. DPL and the accessed bit aside. */
const FLAT_CODE: u32 = 0xc09a00;
const FLAT_DATA: u32 = 0xc09200;
const FLAT_CARES: u32 = 0xc09e00;
/** topRead and topWrite of a segment of 4 GiB. */
const FLAT_TOP: u32 = 0xfffffff0;

@inline
function isFlat(s: usize, access: u32): bool {
  return load<u32>(s, SEG_BASE) == 0 && load<u32>(s, SEG_LIMIT) == 0xffffffff && (load<u32>(s, SEG_ACCESS) & FLAT_CARES) == access;
}

/** updateMode for transfers, which change CS, SS, CPL and null data segments at most: quick where all was flat and stays so. */
export function settleMode(cpu: usize): void {
  const mode = load<u32>(cpu, CPU_MODE);
  const cs = segment(cpu, SEG_CS);
  const ss = segment(cpu, SEG_SS);
  const data = load<u32>(segment(cpu, SEG_DS), SEG_ACCESS) & load<u32>(segment(cpu, SEG_ES), SEG_ACCESS);
  if (!(mode & MODE_FLAT) || !isProtected(cpu) || !(data & PRESENT) || !isFlat(cs, FLAT_CODE) || !isFlat(ss, FLAT_DATA)) {
    updateMode(cpu);
    return;
  }
  store<u32>(cs, FLAT_TOP, SEG_TOPREAD);
  store<u32>(cs, 0, SEG_TOPWRITE);
  store<u32>(ss, FLAT_TOP, SEG_TOPREAD);
  store<u32>(ss, FLAT_TOP, SEG_TOPWRITE);
  store<u32>(cpu, load<u32>(cpu, CPU_CPL) == 3 ? mode | MODE_USER : mode & ~MODE_USER, CPU_MODE);
  settleAlignment(cpu);
}

/** Flags that POPF and IRET may change at this privilege level (SDM vol. 2, POPF). */
export function changeable(cpu: usize, opsize: u32): u32 {
  const cpl = load<u32>(cpu, CPU_CPL);
  let mask: u32 = EFLAGS_ARITH | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT;
  if (opsize == 4) mask |= EFLAGS_AC | EFLAGS_ID;
  if (cpl == 0) mask |= EFLAGS_IOPL;
  if (cpl <= (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_IOPL) >>> 12) mask |= EFLAGS_IF;
  return mask;
}

/** RF means something only while instruction breakpoints are in use, and for one instruction, which is run alone; else it stays clear, as nobody would clear it. */
export function settleResume(cpu: usize): void {
  updateStep(cpu);
  const flags = load<u32>(cpu, CPU_EFLAGS);
  if (!(flags & EFLAGS_RF)) return;
  if (load<u32>(cpu, CPU_WATCH) & WATCH_CODE) store<u32>(cpu, load<u32>(cpu, CPU_STEP) | STEP_BAIL, CPU_STEP);
  else store<u32>(cpu, flags & ~EFLAGS_RF, CPU_EFLAGS);
}

function flagsRefused(cpu: usize): bool {
  const flags = load<u32>(cpu, CPU_EFLAGS);
  return (flags & EFLAGS_VM) != 0 && (flags & EFLAGS_IOPL) != EFLAGS_IOPL && general(cpu, 0);
}

/** The value that PUSHF pushes. */
export function pushf(cpu: usize): u32 {
  if (flagsRefused(cpu)) return 0;
  return readFlags(cpu) & ~(EFLAGS_RF | EFLAGS_VM);
}

/** POPF: the flags, after the value was read from the stack. */
export function popf(cpu: usize, value: u32, opsize: u32): void {
  if (flagsRefused(cpu)) return;
  let mask = changeable(cpu, opsize);
  if (opsize == 4) {
    mask |= EFLAGS_RF;
    value &= ~EFLAGS_RF;
    if (load<u32>(cpu, CPU_CPL) == 0) {
      mask |= EFLAGS_VIF | EFLAGS_VIP;
      value &= ~(EFLAGS_VIF | EFLAGS_VIP);
    }
  }
  writeFlags(cpu, value, mask);
}

function interruptFlagRefused(cpu: usize): bool {
  if (load<u32>(cpu, CPU_CPL) <= (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_IOPL) >>> 12) return false;
  return general(cpu, 0);
}

export function cli(cpu: usize): void {
  if (interruptFlagRefused(cpu)) return;
  store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & ~EFLAGS_IF, CPU_EFLAGS);
}

/** STI: interrupts are held off for one more instruction. */
export function sti(cpu: usize, nextEip: u32): void {
  if (interruptFlagRefused(cpu)) return;
  const flags = load<u32>(cpu, CPU_EFLAGS);
  if (flags & EFLAGS_IF) return;
  setSystemFlags(cpu, flags | EFLAGS_IF);
  store<u32>(cpu, SHADOW_STI, CPU_SHADOW);
  store<u32>(cpu, nextEip, CPU_SHADOWEIP);
}
