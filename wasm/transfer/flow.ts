// What all transfers of control share: the stack of an inner privilege level, the load of CS, the segments that an outer level
// must not keep; and EFLAGS as a whole (SDM vol. 3, 5.8; vol. 2, POPF, CLI, STI).
import { faulted, raiseError } from '../base/fault';
import { changeMode } from '../base/state';
import {
  Cpu,
  control,
  Descriptor,
  Eflags,
  InnerStack,
  Mode,
  Relax,
  Seg,
  SegCache,
  Shadow,
  Step,
  SystemType,
  Vector,
  Watch,
} from '../gen/layout';
import { sysLoad16, sysLoad32 } from '../memory/memory';
import {
  baseOf,
  dplOf,
  fetchDescriptor,
  highOf,
  isConforming,
  isNull,
  isProtected,
  limitOf,
  lowOf,
  markAccessed,
  refuse,
  typeOf,
} from '../segments/descriptor';
import { refuseStack, setNull } from '../segments/segment';
import { updateMode } from '../system/control';
import { updateStep } from '../system/debug';
import { readFlags, writeFlags, writeSystem } from '../system/flags';
import { polled, setSystemFlags } from '../system/held';
import { updateAlignment } from '../system/watching';
import { loadedEsp } from './stack';

/** #GP(ext): a selector or an offset that is wrong without being anybody's; always true. */
export function general(cpu: Cpu, ext: u32): bool {
  raiseError(cpu, Vector.GP, ext);
  return true;
}

/** Reads SS:ESP of a privilege level from the current TSS, and the descriptor, and checks the segment (SDM vol. 3, 5.8.5): the InnerStack in Cpu.scratch. True: a fault was raised. */
export function innerStack(cpu: Cpu, dpl: u32, ext: u32): bool {
  const tr = cpu.seg[Seg.TR];
  const tss = tr.base;
  const wide = (typeOf(tr.access) & ~SystemType.BUSY) == SystemType.TSS32;
  const at: u32 = wide ? dpl * 8 + 4 : dpl * 4 + 2;
  if (at + (wide ? 5 : 3) > tr.limit) return refuse(cpu, Vector.TS, tr.selector, ext);
  const esp = wide ? sysLoad32(cpu, tss + at) : sysLoad16(cpu, tss + at);
  if (faulted(cpu)) return true;
  const ss = sysLoad16(cpu, tss + at + (wide ? 4 : 2));
  if (faulted(cpu)) return true;
  if (isNull(ss)) return refuse(cpu, Vector.TS, 0, ext);
  const words = fetchDescriptor(cpu, ss, Vector.TS, ext);
  if (faulted(cpu)) return true;
  const low = lowOf(words);
  const high = highOf(words);
  if (refuseStack(cpu, ss, high, dpl, Vector.TS, ext) || markAccessed(cpu, ss, high)) return true;
  const inner = changetype<InnerStack>(cpu.scratch);
  inner.selector = ss;
  inner.low = low;
  inner.high = high;
  inner.esp = loadedEsp(cpu, high, esp);
  return false;
}

/** CS:EIP was entered by an interrupt, INT n, SYSENTER, SYSEXIT or IRET: without the relaxation `entries` the dispatcher looks its code up. */
@inline
export function entered(cpu: Cpu): void {
  if (!(control.relax & Relax.ENTRIES)) cpu.step |= Step.LOOKUP;
}

/** Loads CS with its descriptor, at privilege level `cpl`. updateMode must follow. */
export function setCode(cpu: Cpu, selector: u32, low: u32, high: u32, cpl: u32): void {
  const cs = cpu.seg[Seg.CS];
  cs.selector = (selector & 0xfffc) | cpl;
  cs.base = baseOf(low, high);
  cs.limit = limitOf(low, high);
  cs.access = (high & Descriptor.KEPT) | Descriptor.ACCESSED;
  cpu.cpl = cpl;
}

/** Nulls data segments that the new privilege level must not keep (SDM vol. 2, RET). */
export function dropSegments(cpu: Cpu, cpl: u32): void {
  dropSegment(cpu, Seg.ES, cpl);
  dropSegment(cpu, Seg.DS, cpl);
  dropSegment(cpu, Seg.FS, cpl);
  dropSegment(cpu, Seg.GS, cpl);
}

export function dropSegment(cpu: Cpu, seg: u32, cpl: u32): void {
  const access = cpu.seg[seg].access;
  if (dplOf(access) < cpl && !isConforming(access)) setNull(cpu, seg, 0);
}

/** Flat, 32-bit, present code that can be read; the same for data that can be written. DPL and the accessed bit aside. */
const FLAT_CODE: u32 = 0xc09a00;
const FLAT_DATA: u32 = 0xc09200;
const FLAT_CARES: u32 = 0xc09e00;
/** topRead and topWrite of a segment of 4 GiB. */
const FLAT_TOP: u32 = 0xfffffff0;

@inline
function isFlat(s: SegCache, access: u32): bool {
  return s.base == 0 && s.limit == 0xffffffff && (s.access & FLAT_CARES) == access;
}

/** updateMode for transfers, which change CS, SS, CPL and null data segments at most: quick where all was flat and stays so. */
export function updateModeBehindTransfer(cpu: Cpu): void {
  const mode = cpu.mode;
  const cs = cpu.seg[Seg.CS];
  const ss = cpu.seg[Seg.SS];
  const data = cpu.seg[Seg.DS].access & cpu.seg[Seg.ES].access;
  if (!(mode & Mode.FLAT) || !isProtected(cpu) || !(data & Descriptor.PRESENT) || !isFlat(cs, FLAT_CODE) || !isFlat(ss, FLAT_DATA)) {
    updateMode(cpu);
    return;
  }
  cs.topRead = FLAT_TOP;
  cs.topWrite = 0;
  ss.topRead = FLAT_TOP;
  ss.topWrite = FLAT_TOP;
  changeMode(cpu, cpu.cpl == 3 ? mode | Mode.USER : mode & ~Mode.USER);
  updateAlignment(cpu);
}

/** Flags that POPF and IRET may change at this privilege level (SDM vol. 2, POPF). */
export function changeable(cpu: Cpu, opsize: u32): u32 {
  const cpl = cpu.cpl;
  let mask: u32 = Eflags.ARITH | Eflags.TF | Eflags.DF | Eflags.NT;
  if (opsize == 4) mask |= Eflags.AC | Eflags.ID;
  if (cpl == 0) mask |= Eflags.IOPL;
  if (cpl <= (cpu.eflags & Eflags.IOPL) >>> 12) mask |= Eflags.IF;
  return mask;
}

/** RF means something only while instruction breakpoints are in use, and for one instruction, which is run alone; else it stays clear, as nobody would clear it. */
export function updateResume(cpu: Cpu): void {
  updateStep(cpu);
  const flags = cpu.eflags;
  if (!(flags & Eflags.RF)) return;
  if (cpu.watch & Watch.CODE) cpu.step |= Step.BAIL;
  else cpu.eflags = flags & ~Eflags.RF;
}

function flagsRefused(cpu: Cpu): bool {
  const flags = cpu.eflags;
  return (flags & Eflags.VM) != 0 && (flags & Eflags.IOPL) != Eflags.IOPL && general(cpu, 0);
}

/** The value that PUSHF pushes. */
export function pushf(cpu: Cpu): u32 {
  if (flagsRefused(cpu)) return 0;
  return readFlags(cpu) & ~(Eflags.RF | Eflags.VM);
}

/** POPF: the flags, after the value was read from the stack. Not 0: something is to be looked at before the next instruction. */
export function popf(cpu: Cpu, value: u32, opsize: u32): u32 {
  if (flagsRefused(cpu)) return 0;
  writeFlags(cpu, value & ~CLEARED, popped(cpu, opsize));
  return cpu.step | polled(cpu);
}

/** What a POPF of 32 bits clears where it may change it. */
const CLEARED: u32 = Eflags.RF | Eflags.VIF | Eflags.VIP;

/** Flags that POPF changes. */
function popped(cpu: Cpu, opsize: u32): u32 {
  const mask = changeable(cpu, opsize);
  if (opsize == 2) return mask;
  return cpu.cpl == 0 ? mask | CLEARED : mask | Eflags.RF;
}

/** POPFD but for the arithmetic flags: Cpu.eflags as it is then. */
export function popfSystem(cpu: Cpu, value: u32): u32 {
  if (!flagsRefused(cpu)) writeSystem(cpu, value & ~CLEARED, popped(cpu, 4) & ~Eflags.ARITH);
  return cpu.eflags;
}

function interruptFlagRefused(cpu: Cpu): bool {
  if (cpu.cpl <= (cpu.eflags & Eflags.IOPL) >>> 12) return false;
  return general(cpu, 0);
}

/** STI: interrupts are held off for one more instruction. Not 0: something waits. */
export function sti(cpu: Cpu, nextEip: u32): u32 {
  if (interruptFlagRefused(cpu)) return 0;
  const flags = cpu.eflags;
  if (flags & Eflags.IF) return 0;
  setSystemFlags(cpu, flags | Eflags.IF);
  cpu.shadow = Shadow.STI;
  cpu.shadowEip = nextEip;
  return polled(cpu);
}
