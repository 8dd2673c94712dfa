// Task switches (SDM vol. 3, 7.3): to the task of a TSS descriptor by JMP, CALL, IRET, or a task gate of the IDT.
import { faulted } from '../base/fault';
import { Cpu, Cr0, Descriptor, Eflags, IncomingTask, Seg, SystemType, Vector } from '../gen/layout';
import { load8, sysLoad16, sysLoad32, sysProbeWrite, sysStore16, sysStore32 } from '../memory/memory';
import {
  baseOf,
  dplOf,
  fetchDescriptor,
  highOf,
  isCode,
  isConforming,
  isNull,
  limitOf,
  lowOf,
  markAccessed,
  markBusy,
  refuse,
  typeOf,
} from '../segments/descriptor';
import { loadLdt, readSelector, refuseData, refuseStack, setFromDescriptor, setNull, setReal, setSegment } from '../segments/segment';
import { movToCr, updateFpuTraps, updateMode } from '../system/control';
import { armDebugTrap, raiseTaskTrap } from '../system/debug';
import { readFlags, writeFlags } from '../system/flags';
import { updateBreakpoints } from '../system/watching';
import { general, setCode, updateResume } from './flow';

/** Why the task is switched. */
export const TASK_JUMP: u32 = 0;
export const TASK_CALL: u32 = 1;
export const TASK_RETURN: u32 = 2;
/** A task gate of the IDT: nests like a call. */
export const TASK_GATE: u32 = 3;

// Offsets in a 32-bit and in a 16-bit TSS (SDM vol. 3, figures 7-2 and 7-10).
const TSS32_CR3: u32 = 0x1c;
const TSS32_EIP: u32 = 0x20;
const TSS32_GPR: u32 = 0x28;
const TSS32_SEG: u32 = 0x48;
const TSS32_LDT: u32 = 0x60;
const TSS32_TRAP: u32 = 0x64;
const TSS32_LIMIT: u32 = 0x67;
const TSS16_EIP: u32 = 0x0e;
const TSS16_GPR: u32 = 0x12;
const TSS16_SEG: u32 = 0x22;
const TSS16_LDT: u32 = 0x2a;
const TSS16_LIMIT: u32 = 0x2b;

const DR7_LOCAL: u32 = 0x155;

/** Length of the far jump or IRET at CS:EIP, the only instructions whose helpers are not told where the next one is. */
export function lengthOfTransfer(cpu: Cpu): u32 {
  const at = cpu.seg[Seg.CS].base + cpu.eip;
  const big = (cpu.seg[Seg.CS].access & 0x400000) != 0;
  let wide = big;
  let wideAddress = big;
  let n: u32 = 0;
  let byte: u32 = 0;
  for (; n < 15; n++) {
    byte = load8(cpu, at + n);
    if (byte == 0x66) wide = !big;
    else if (byte == 0x67) wideAddress = !big;
    else if (byte != 0x2e && byte != 0x36 && byte != 0x3e && byte != 0x26 && (byte & 0xfe) != 0x64 && (byte & 0xfe) != 0xf2 && byte != 0xf0)
      break;
  }
  n++;
  if (byte == 0xea) return n + (wide ? 6 : 4);
  if (byte != 0xff) return n;
  const modrm = load8(cpu, at + n);
  const mod = modrm >>> 6;
  const rm = modrm & 7;
  n++;
  if (!wideAddress) return n + (mod == 0 ? (rm == 6 ? 2 : 0) : mod);
  let base = rm;
  if (rm == 4) base = load8(cpu, at + n++) & 7;
  return n + (mod == 0 ? (base == 5 ? 4 : 0) : mod == 1 ? 1 : 4);
}

/** Switches to the task of `selector`. `nextEip` is the outgoing task's resume point, `resume` is EFLAGS.RF where its image is to have it,
 * `ext` bit 0 of error codes. Faults up to the point of no return leave all as it was; later ones belong to the new task. */
export function taskSwitch(cpu: Cpu, selector: u32, kind: u32, nextEip: u32, resume: u32, ext: u32): void {
  selector &= 0xffff;
  const bad = kind == TASK_RETURN ? Vector.TS : Vector.GP;
  if (selector & 4 || isNull(selector)) {
    refuse(cpu, bad, selector, ext);
    return;
  }
  const words = fetchDescriptor(cpu, selector, bad, ext);
  if (faulted(cpu)) return;
  const low = lowOf(words);
  const high = highOf(words);
  const wide = (typeOf(high) & ~SystemType.BUSY) == SystemType.TSS32;
  const wanted: u32 = (wide ? SystemType.TSS32 : SystemType.TSS16) | (kind == TASK_RETURN ? SystemType.BUSY : 0);
  if (high & Descriptor.NOT_SYSTEM || typeOf(high) != wanted) {
    refuse(cpu, bad, selector, ext);
    return;
  }
  if (!(high & Descriptor.PRESENT)) {
    refuse(cpu, Vector.NP, selector, ext);
    return;
  }
  const tss = baseOf(low, high);
  const limit = limitOf(low, high);
  const least = wide ? TSS32_LIMIT : TSS16_LIMIT;
  if (least > limit) {
    refuse(cpu, Vector.TS, selector, ext);
    return;
  }
  const nested = kind == TASK_CALL || kind == TASK_GATE;
  if (readTask(cpu, tss, wide)) return;
  const cr3 = wide ? sysLoad32(cpu, tss + TSS32_CR3) : 0;
  if (faulted(cpu)) return;
  const trap = wide && (sysLoad16(cpu, tss + TSS32_TRAP) & 1) != 0;
  if (faulted(cpu)) return;
  if (nested && sysProbeWrite(cpu, tss, 2)) return;

  const old = readSelector(cpu, Seg.TR);
  if (saveTask(cpu, nextEip, (readFlags(cpu) & ~(kind == TASK_RETURN ? Eflags.NT : 0)) | resume)) return;
  if (!nested && !isNull(old) && markBusy(cpu, old, false)) return;
  if (nested) sysStore16(cpu, tss, old);
  if (kind != TASK_RETURN && markBusy(cpu, selector, true)) return;

  // The point of no return: from here on the fault of a check is the new task's.
  setSegment(cpu, Seg.TR, selector, tss, limit, (high & Descriptor.KEPT) | (SystemType.BUSY << 8));
  cpu.cr0 |= Cr0.TS;
  updateFpuTraps(cpu);
  cpu.dr[7] &= ~DR7_LOCAL;
  updateBreakpoints(cpu);
  enterTask(cpu, wide, cr3, nested);
  cpu.stepArmed = 0;
  updateMode(cpu);
  updateResume(cpu);
  armDebugTrap(cpu);
  if (!faulted(cpu) && trap) raiseTaskTrap(cpu);
}

/** Reads the incoming task into Cpu.scratch; true: a fault was raised. */
function readTask(cpu: Cpu, tss: u32, wide: bool): bool {
  const task = changetype<IncomingTask>(cpu.scratch);
  for (let i: u32 = 0; i < 10; i++) {
    const value: u32 = wide ? sysLoad32(cpu, tss + TSS32_EIP + i * 4) : sysLoad16(cpu, tss + TSS16_EIP + i * 2);
    if (faulted(cpu)) return true;
    if (i == 0) task.eip = value;
    else if (i == 1) task.eflags = value;
    else task.gpr[i - 2] = wide ? value : value | 0xffff0000;
  }
  for (let i: u32 = 0; i < 6; i++) {
    const value: u32 = wide ? sysLoad16(cpu, tss + TSS32_SEG + i * 4) : i < 4 ? sysLoad16(cpu, tss + TSS16_SEG + i * 2) : 0;
    if (faulted(cpu)) return true;
    task.seg[i] = <u16>value;
  }
  task.ldt = <u16>sysLoad16(cpu, tss + (wide ? TSS32_LDT : TSS16_LDT));
  return faulted(cpu);
}

/** Saves the outgoing task in its TSS; true: a fault was raised, and nothing was written. */
function saveTask(cpu: Cpu, eip: u32, flags: u32): bool {
  const tr = cpu.seg[Seg.TR];
  const tss = tr.base;
  const wide = (typeOf(tr.access) & ~SystemType.BUSY) == SystemType.TSS32;
  const first = wide ? TSS32_EIP : TSS16_EIP;
  const bytes: u32 = wide ? TSS32_LDT - TSS32_EIP : TSS16_LDT - TSS16_EIP;
  if (first + bytes - 1 > tr.limit) return refuse(cpu, Vector.TS, tr.selector, 0);
  if (sysProbeWrite(cpu, tss + first, bytes)) return true;
  if (wide) {
    sysStore32(cpu, tss + TSS32_EIP, eip);
    sysStore32(cpu, tss + TSS32_EIP + 4, flags);
    for (let i: u32 = 0; i < 8; i++) sysStore32(cpu, tss + TSS32_GPR + i * 4, cpu.gpr[i]);
    for (let i: u32 = 0; i < 6; i++) sysStore16(cpu, tss + TSS32_SEG + i * 4, readSelector(cpu, i));
  } else {
    sysStore16(cpu, tss + TSS16_EIP, eip);
    sysStore16(cpu, tss + TSS16_EIP + 2, flags);
    for (let i: u32 = 0; i < 8; i++) sysStore16(cpu, tss + TSS16_GPR + i * 2, cpu.gpr[i]);
    for (let i: u32 = 0; i < 4; i++) sysStore16(cpu, tss + TSS16_SEG + i * 2, readSelector(cpu, i));
  }
  return faulted(cpu);
}

/** Makes what readTask read the CPU's state. */
function enterTask(cpu: Cpu, wide: bool, cr3: u32, nested: bool): void {
  const task = changetype<IncomingTask>(cpu.scratch);
  // Descriptor tables are read with the supervisor's rights whatever the new level is.
  cpu.cpl = 0;
  if (wide && cpu.cr0 & Cr0.PG) {
    movToCr(cpu, 3, cr3);
    if (faulted(cpu)) return;
  }
  cpu.eip = task.eip;
  writeFlags(cpu, (task.eflags & 0x3f7fd5) | (nested ? Eflags.NT : 0), wide ? 0x3f7fd5 : 0x7fd5 | Eflags.VM);
  if (!wide) cpu.eflags &= ~Eflags.VM;
  for (let i: u32 = 0; i < 8; i++) cpu.gpr[i] = task.gpr[i];
  // Selectors first, the hidden parts invalid until their descriptors are found good.
  for (let i: u32 = 0; i < 6; i++) setNull(cpu, i, task.seg[i]);
  const ldt: u32 = task.ldt;
  setNull(cpu, Seg.LDTR, ldt);
  const virtual = (cpu.eflags & Eflags.VM) != 0;
  const cpl: u32 = virtual ? 3 : readSelector(cpu, Seg.CS) & 3;
  cpu.cpl = cpl;
  if (!isNull(ldt) && loadLdt(cpu, ldt, Vector.TS, Vector.TS)) return;
  if (virtual) {
    for (let i: u32 = 0; i < 6; i++) setReal(cpu, i, readSelector(cpu, i));
  } else {
    if (loadTaskStack(cpu, cpl) || loadTaskCode(cpu, cpl)) return;
    if (
      loadTaskData(cpu, Seg.ES, cpl) ||
      loadTaskData(cpu, Seg.DS, cpl) ||
      loadTaskData(cpu, Seg.FS, cpl) ||
      loadTaskData(cpu, Seg.GS, cpl)
    )
      return;
  }
  if (cpu.eip > cpu.seg[Seg.CS].limit) general(cpu, 0);
}

function loadTaskStack(cpu: Cpu, cpl: u32): bool {
  const selector = readSelector(cpu, Seg.SS);
  if (isNull(selector)) return refuse(cpu, Vector.TS, selector, 0);
  const words = fetchDescriptor(cpu, selector, Vector.TS, 0);
  if (faulted(cpu)) return true;
  const low = lowOf(words);
  const high = highOf(words);
  if (refuseStack(cpu, selector, high, cpl, Vector.TS, 0) || markAccessed(cpu, selector, high)) return true;
  setFromDescriptor(cpu, Seg.SS, selector, low, high);
  return false;
}

function loadTaskCode(cpu: Cpu, cpl: u32): bool {
  const selector = readSelector(cpu, Seg.CS);
  if (isNull(selector)) return refuse(cpu, Vector.TS, selector, 0);
  const words = fetchDescriptor(cpu, selector, Vector.TS, 0);
  if (faulted(cpu)) return true;
  const low = lowOf(words);
  const high = highOf(words);
  if (!isCode(high) || (isConforming(high) ? dplOf(high) > cpl : dplOf(high) != cpl)) return refuse(cpu, Vector.TS, selector, 0);
  if (!(high & Descriptor.PRESENT)) return refuse(cpu, Vector.NP, selector, 0);
  if (markAccessed(cpu, selector, high)) return true;
  setCode(cpu, selector, low, high, cpl);
  return false;
}

function loadTaskData(cpu: Cpu, seg: u32, cpl: u32): bool {
  const selector = readSelector(cpu, seg);
  if (isNull(selector)) return false;
  const words = fetchDescriptor(cpu, selector, Vector.TS, 0);
  if (faulted(cpu)) return true;
  const low = lowOf(words);
  const high = highOf(words);
  if (refuseData(cpu, selector, high, cpl, Vector.TS) || markAccessed(cpu, selector, high)) return true;
  setFromDescriptor(cpu, seg, selector, low, high);
  return false;
}
