// Far jumps, calls and returns: between code segments, through call gates, to other tasks (SDM vol. 3, 5.8; vol. 2,
// JMP, CALL, RET). Cpu.eip is the instruction's own EIP until the transfer is done.
import { faulted } from '../base/fault';
import { userAccess } from '../base/state';
import { tellStack } from '../clients/told';
import { Cpu, Descriptor, Gpr, InnerStack, Seg, SystemType, Vector } from '../gen/layout';
import { load16, load32 } from '../memory/memory';
import {
  baseOf,
  dplOf,
  fetchDescriptor,
  highOf,
  isCode,
  isConforming,
  isNull,
  isProtected,
  limitOf,
  lowOf,
  markAccessed,
  refuse,
  typeOf,
} from '../segments/descriptor';
import { readSelector, refuseStack, setFromDescriptor, setReal } from '../segments/segment';
import { updateMode } from '../system/control';
import { dropSegments, general, innerStack, setCode, updateModeBehindTransfer } from './flow';
import { closeStack, loadedEsp, openCurrentStack, openStack, pop, push, skip } from './stack';
import { lengthOfTransfer, TASK_CALL, TASK_JUMP, taskSwitch } from './task';

/** Goes to CS:EIP in real or virtual-8086 mode. */
function goReal(cpu: Cpu, selector: u32, offset: u32): void {
  setReal(cpu, Seg.CS, selector);
  cpu.eip = offset;
  updateMode(cpu);
}

/** Whether an offset is outside CS in real or virtual-8086 mode; true: #GP was raised. */
function outsideReal(cpu: Cpu, offset: u32): bool {
  return offset > cpu.seg[Seg.CS].limit && general(cpu, 0);
}

function go(cpu: Cpu, selector: u32, low: u32, high: u32, cpl: u32, offset: u32): void {
  setCode(cpu, selector, low, high, cpl);
  cpu.eip = offset;
  updateModeBehindTransfer(cpu);
}

/** Checks the code segment of a direct far jump or call (SDM vol. 3, 5.8.1); true: a fault was raised. */
function refuseDirect(cpu: Cpu, selector: u32, high: u32): bool {
  const cpl = cpu.cpl;
  const dpl = dplOf(high);
  if (isConforming(high) ? dpl > cpl : (selector & 3) > cpl || dpl != cpl) return refuse(cpu, Vector.GP, selector, 0);
  return !(high & Descriptor.PRESENT) && refuse(cpu, Vector.NP, selector, 0);
}

/** JMP ptr16:16/32, JMP m16:16/32. */
export function farJump(cpu: Cpu, selector: u32, offset: u32, opsize: u32): void {
  selector &= 0xffff;
  if (opsize == 2) offset &= 0xffff;
  if (!isProtected(cpu)) {
    if (!outsideReal(cpu, offset)) goReal(cpu, selector, offset);
    return;
  }
  if (isNull(selector)) {
    general(cpu, 0);
    return;
  }
  const words = fetchDescriptor(cpu, selector, Vector.GP, 0);
  if (faulted(cpu)) return;
  const low = lowOf(words);
  const high = highOf(words);
  if (!(high & Descriptor.NOT_SYSTEM)) {
    jumpSystem(cpu, selector, low, high);
    return;
  }
  if (!isCode(high)) {
    refuse(cpu, Vector.GP, selector, 0);
    return;
  }
  if (refuseDirect(cpu, selector, high)) return;
  if (offset > limitOf(low, high)) {
    general(cpu, 0);
    return;
  }
  if (markAccessed(cpu, selector, high)) return;
  go(cpu, selector, low, high, cpu.cpl, offset);
}

/** Checks DPL and P of a gate or TSS descriptor, and its type among `types` (bits); true: a fault was raised. */
function refuseSystem(cpu: Cpu, selector: u32, high: u32): bool {
  const types: u32 =
    (1 << SystemType.TSS16) | (1 << SystemType.CALL16) | (1 << SystemType.TASK) | (1 << SystemType.TSS32) | (1 << SystemType.CALL32);
  if (!((types >>> typeOf(high)) & 1)) return refuse(cpu, Vector.GP, selector, 0);
  const dpl = dplOf(high);
  if (dpl < cpu.cpl || dpl < (selector & 3)) return refuse(cpu, Vector.GP, selector, 0);
  return !(high & Descriptor.PRESENT) && refuse(cpu, Vector.NP, selector, 0);
}

@inline
function isCallGate(high: u32): bool {
  return (typeOf(high) & 7) == SystemType.CALL16;
}

@inline
function gateOffset(low: u32, high: u32): u32 {
  return typeOf(high) == SystemType.CALL32 ? (low & 0xffff) | (high & 0xffff0000) : low & 0xffff;
}

/** Reads and checks the code segment that a call gate names, short of its privilege. Ask faulted() afterwards. */
function fetchTarget(cpu: Cpu, selector: u32): u64 {
  if (isNull(selector)) {
    general(cpu, 0);
    return 0;
  }
  const words = fetchDescriptor(cpu, selector, Vector.GP, 0);
  if (faulted(cpu)) return 0;
  const high = highOf(words);
  if (!isCode(high) || dplOf(high) > cpu.cpl) refuse(cpu, Vector.GP, selector, 0);
  return words;
}

function jumpSystem(cpu: Cpu, selector: u32, low: u32, high: u32): void {
  if (refuseSystem(cpu, selector, high)) return;
  if (!isCallGate(high)) {
    taskSwitch(cpu, typeOf(high) == SystemType.TASK ? low >>> 16 : selector, TASK_JUMP, cpu.eip + lengthOfTransfer(cpu), 0, 0);
    return;
  }
  const offset = gateOffset(low, high);
  const target = low >>> 16;
  const code = fetchTarget(cpu, target);
  if (faulted(cpu)) return;
  const codeLow = lowOf(code);
  const codeHigh = highOf(code);
  const cpl = cpu.cpl;
  // A jump never changes the privilege level.
  if (!isConforming(codeHigh) && dplOf(codeHigh) != cpl) {
    refuse(cpu, Vector.GP, target, 0);
    return;
  }
  if (!(codeHigh & Descriptor.PRESENT)) {
    refuse(cpu, Vector.NP, target, 0);
    return;
  }
  if (offset > limitOf(codeLow, codeHigh)) {
    general(cpu, 0);
    return;
  }
  if (markAccessed(cpu, target, codeHigh)) return;
  go(cpu, target, codeLow, codeHigh, cpl, offset);
}

/** CALL ptr16:16/32, CALL m16:16/32. */
export function farCall(cpu: Cpu, selector: u32, offset: u32, opsize: u32, nextEip: u32): void {
  selector &= 0xffff;
  if (opsize == 2) offset &= 0xffff;
  if (!isProtected(cpu)) {
    openCurrentStack(cpu, 0);
    if (push(cpu, readSelector(cpu, Seg.CS), opsize) || push(cpu, nextEip, opsize) || outsideReal(cpu, offset)) return;
    closeStack(cpu);
    goReal(cpu, selector, offset);
    return;
  }
  if (isNull(selector)) {
    general(cpu, 0);
    return;
  }
  const words = fetchDescriptor(cpu, selector, Vector.GP, 0);
  if (faulted(cpu)) return;
  const low = lowOf(words);
  const high = highOf(words);
  if (!(high & Descriptor.NOT_SYSTEM)) {
    callSystem(cpu, selector, low, high, nextEip);
    return;
  }
  if (!isCode(high)) {
    refuse(cpu, Vector.GP, selector, 0);
    return;
  }
  if (refuseDirect(cpu, selector, high)) return;
  callSame(cpu, selector, low, high, offset, opsize, nextEip);
}

/** A call that stays at its privilege level: pushes CS:EIP and goes. */
function callSame(cpu: Cpu, selector: u32, low: u32, high: u32, offset: u32, opsize: u32, nextEip: u32): void {
  openCurrentStack(cpu, 0);
  if (push(cpu, readSelector(cpu, Seg.CS), opsize) || push(cpu, nextEip, opsize)) return;
  if (offset > limitOf(low, high)) {
    general(cpu, 0);
    return;
  }
  if (markAccessed(cpu, selector, high)) return;
  closeStack(cpu);
  go(cpu, selector, low, high, cpu.cpl, offset);
}

function callSystem(cpu: Cpu, selector: u32, low: u32, high: u32, nextEip: u32): void {
  if (refuseSystem(cpu, selector, high)) return;
  if (!isCallGate(high)) {
    taskSwitch(cpu, typeOf(high) == SystemType.TASK ? low >>> 16 : selector, TASK_CALL, nextEip, 0, 0);
    return;
  }
  const size: u32 = typeOf(high) == SystemType.CALL32 ? 4 : 2;
  const offset = gateOffset(low, high);
  const target = low >>> 16;
  const code = fetchTarget(cpu, target);
  if (faulted(cpu)) return;
  const codeLow = lowOf(code);
  const codeHigh = highOf(code);
  if (!(codeHigh & Descriptor.PRESENT)) {
    refuse(cpu, Vector.NP, target, 0);
    return;
  }
  const dpl = dplOf(codeHigh);
  if (isConforming(codeHigh) || dpl == cpu.cpl) {
    callSame(cpu, target, codeLow, codeHigh, offset, size, nextEip);
    return;
  }
  if (innerStack(cpu, dpl, 0)) return;
  const inner = changetype<InnerStack>(cpu.scratch);
  openStack(baseOf(inner.low, inner.high), limitOf(inner.low, inner.high), inner.high, inner.esp, true, inner.selector & 0xfffc);
  if (offset > limitOf(codeLow, codeHigh)) {
    general(cpu, 0);
    return;
  }
  if (push(cpu, readSelector(cpu, Seg.SS), size) || push(cpu, cpu.gpr[Gpr.ESP], size)) return;
  if (copyParameters(cpu, high & 31, size)) return;
  if (push(cpu, readSelector(cpu, Seg.CS), size) || push(cpu, nextEip, size)) return;
  if (markAccessed(cpu, target, codeHigh)) return;
  setFromDescriptor(cpu, Seg.SS, inner.selector, inner.low, inner.high);
  closeStack(cpu);
  go(cpu, target, codeLow, codeHigh, dpl, offset);
}

/** Copies `count` parameters from the caller's stack, still the current one, to the new stack; true: a fault was raised. */
function copyParameters(cpu: Cpu, count: u32, size: u32): bool {
  const ss = cpu.seg[Seg.SS];
  const mask: u32 = ss.access & 0x400000 ? 0xffffffff : 0xffff;
  const base = ss.base;
  for (let i = count; i > 0; i--) {
    const at = base + ((cpu.gpr[Gpr.ESP] + (i - 1) * size) & mask);
    const value = size == 4 ? load32(cpu, at) : load16(cpu, at);
    if (faulted(cpu)) return true;
    tellStack(cpu, at, size, userAccess(cpu), 0);
    if (push(cpu, value, size)) return true;
  }
  return false;
}

/** RETF, RETF imm16. */
export function farRet(cpu: Cpu, opsize: u32, popBytes: u32): void {
  openCurrentStack(cpu, 0);
  const offset = pop(cpu, opsize);
  if (faulted(cpu)) return;
  const selector = pop(cpu, opsize) & 0xffff;
  if (faulted(cpu)) return;
  if (!isProtected(cpu)) {
    if (outsideReal(cpu, offset)) return;
    skip(popBytes);
    closeStack(cpu);
    goReal(cpu, selector, offset);
    return;
  }
  skip(popBytes);
  farReturn(cpu, selector, offset, opsize, popBytes);
}

/** Reads and checks the code segment that a far return or IRET goes to. Ask faulted() afterwards. */
function fetchReturn(cpu: Cpu, selector: u32): u64 {
  if (isNull(selector)) {
    general(cpu, 0);
    return 0;
  }
  const words = fetchDescriptor(cpu, selector, Vector.GP, 0);
  if (faulted(cpu)) return 0;
  const high = highOf(words);
  const rpl = selector & 3;
  const dpl = dplOf(high);
  if (!isCode(high) || rpl < cpu.cpl || (isConforming(high) ? dpl > rpl : dpl != rpl)) refuse(cpu, Vector.GP, selector, 0);
  else if (!(high & Descriptor.PRESENT)) refuse(cpu, Vector.NP, selector, 0);
  return words;
}

/** The protected-mode end of RETF and IRET, the stack being open behind what was popped so far. `popBytes` is also dropped from
 * the outer stack. True: a fault was raised, and nothing has changed. */
export function farReturn(cpu: Cpu, selector: u32, offset: u32, opsize: u32, popBytes: u32): bool {
  const words = fetchReturn(cpu, selector);
  if (faulted(cpu)) return true;
  const low = lowOf(words);
  const high = highOf(words);
  const rpl = selector & 3;
  if (rpl == cpu.cpl) {
    if (offset > limitOf(low, high)) return general(cpu, 0);
    if (markAccessed(cpu, selector, high)) return true;
    closeStack(cpu);
    go(cpu, selector, low, high, rpl, offset);
    return false;
  }
  const esp = pop(cpu, opsize);
  if (faulted(cpu)) return true;
  const ss = pop(cpu, opsize) & 0xffff;
  if (faulted(cpu)) return true;
  if (isNull(ss)) return general(cpu, 0);
  const stack = fetchDescriptor(cpu, ss, Vector.GP, 0);
  if (faulted(cpu)) return true;
  const stackLow = lowOf(stack);
  const stackHigh = highOf(stack);
  if (refuseStack(cpu, ss, stackHigh, rpl, Vector.GP, 0)) return true;
  if (offset > limitOf(low, high)) return general(cpu, 0);
  if (markAccessed(cpu, selector, high) || markAccessed(cpu, ss, stackHigh)) return true;
  setFromDescriptor(cpu, Seg.SS, ss, stackLow, stackHigh);
  openStack(0, 0, stackHigh, loadedEsp(cpu, stackHigh, esp), false, 0);
  skip(popBytes);
  closeStack(cpu);
  setCode(cpu, selector, low, high, rpl);
  dropSegments(cpu, rpl);
  cpu.eip = offset;
  updateModeBehindTransfer(cpu);
  return false;
}
