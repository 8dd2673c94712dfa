// Far jumps, calls and returns: between code segments, through call gates, to other tasks (SDM vol. 3, 5.8; vol. 2,
// JMP, CALL, RET). Cpu.eip is the instruction's own EIP until the transfer is done.
import { updateMode } from '../system/control';
import {
  NOT_SYSTEM, PRESENT, TYPE_CALL16, TYPE_CALL32, TYPE_TASK, TYPE_TSS16, TYPE_TSS32, baseOf, descHigh, descLow, dplOf, fetchDescriptor,
  isCode, isConforming, isNull, isProtected, limitOf, markAccessed, refuse, segment, typeOf,
} from '../segments/descriptor';
import { faulted } from '../base/fault';
import { dropSegments, general, innerEsp, innerHigh, innerLow, innerSelector, innerStack, setCode, settleMode } from './flow';
import { CPU_CPL, CPU_EIP, GPR_ESP, SEG_ACCESS, SEG_BASE, SEG_CS, SEG_LIMIT, SEG_SS, VECTOR_GP, VECTOR_NP } from '../gen/layout';
import { load16, load32 } from '../memory/memory';
import { readSelector, refuseStack, setFromDescriptor, setReal } from '../segments/segment';
import { closeStack, loadedEsp, openCurrentStack, openStack, pop, push, skip } from './stack';
import { reg } from '../base/state';
import { TASK_CALL, TASK_JUMP, lengthOfTransfer, taskSwitch } from './task';

/** Goes to CS:EIP in real or virtual-8086 mode. */
function goReal(cpu: usize, selector: u32, offset: u32): void {
  setReal(cpu, SEG_CS, selector);
  store<u32>(cpu, offset, CPU_EIP);
  updateMode(cpu);
}

/** Whether an offset is outside CS in real or virtual-8086 mode; true: #GP was raised. */
function outsideReal(cpu: usize, offset: u32): bool {
  return offset > load<u32>(segment(cpu, SEG_CS), SEG_LIMIT) && general(cpu, 0);
}

function go(cpu: usize, selector: u32, low: u32, high: u32, cpl: u32, offset: u32): void {
  setCode(cpu, selector, low, high, cpl);
  store<u32>(cpu, offset, CPU_EIP);
  settleMode(cpu);
}

/** Checks the code segment of a direct far jump or call (SDM vol. 3, 5.8.1); true: a fault was raised. */
function refuseDirect(cpu: usize, selector: u32, high: u32): bool {
  const cpl = load<u32>(cpu, CPU_CPL);
  const dpl = dplOf(high);
  if (isConforming(high) ? dpl > cpl : (selector & 3) > cpl || dpl != cpl) return refuse(cpu, VECTOR_GP, selector, 0);
  return !(high & PRESENT) && refuse(cpu, VECTOR_NP, selector, 0);
}

/** JMP ptr16:16/32, JMP m16:16/32. */
export function farJump(cpu: usize, selector: u32, offset: u32, opsize: u32): void {
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
  if (fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return;
  const low = descLow;
  const high = descHigh;
  if (!(high & NOT_SYSTEM)) {
    jumpSystem(cpu, selector, low, high);
    return;
  }
  if (!isCode(high)) {
    refuse(cpu, VECTOR_GP, selector, 0);
    return;
  }
  if (refuseDirect(cpu, selector, high)) return;
  if (offset > limitOf(low, high)) {
    general(cpu, 0);
    return;
  }
  if (markAccessed(cpu, selector, high)) return;
  go(cpu, selector, low, high, load<u32>(cpu, CPU_CPL), offset);
}

/** Checks DPL and P of a gate or TSS descriptor, and its type among `types` (bits); true: a fault was raised. */
function refuseSystem(cpu: usize, selector: u32, high: u32): bool {
  const types: u32 = (1 << TYPE_TSS16) | (1 << TYPE_CALL16) | (1 << TYPE_TASK) | (1 << TYPE_TSS32) | (1 << TYPE_CALL32);
  if (!((types >>> typeOf(high)) & 1)) return refuse(cpu, VECTOR_GP, selector, 0);
  const dpl = dplOf(high);
  if (dpl < load<u32>(cpu, CPU_CPL) || dpl < (selector & 3)) return refuse(cpu, VECTOR_GP, selector, 0);
  return !(high & PRESENT) && refuse(cpu, VECTOR_NP, selector, 0);
}

@inline
function isCallGate(high: u32): bool {
  return (typeOf(high) & 7) == TYPE_CALL16;
}

@inline
function gateOffset(low: u32, high: u32): u32 {
  return typeOf(high) == TYPE_CALL32 ? (low & 0xffff) | (high & 0xffff0000) : low & 0xffff;
}

/** Reads and checks the code segment that a call gate names, short of its privilege; true: a fault was raised. */
function fetchTarget(cpu: usize, selector: u32): bool {
  if (isNull(selector)) return general(cpu, 0);
  if (fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return true;
  if (!isCode(descHigh) || dplOf(descHigh) > load<u32>(cpu, CPU_CPL)) return refuse(cpu, VECTOR_GP, selector, 0);
  return false;
}

function jumpSystem(cpu: usize, selector: u32, low: u32, high: u32): void {
  if (refuseSystem(cpu, selector, high)) return;
  if (!isCallGate(high)) {
    taskSwitch(cpu, typeOf(high) == TYPE_TASK ? low >>> 16 : selector, TASK_JUMP, load<u32>(cpu, CPU_EIP) + lengthOfTransfer(cpu), 0, 0);
    return;
  }
  const offset = gateOffset(low, high);
  const target = low >>> 16;
  if (fetchTarget(cpu, target)) return;
  const codeLow = descLow;
  const codeHigh = descHigh;
  const cpl = load<u32>(cpu, CPU_CPL);
  // A jump never changes the privilege level.
  if (!isConforming(codeHigh) && dplOf(codeHigh) != cpl) {
    refuse(cpu, VECTOR_GP, target, 0);
    return;
  }
  if (!(codeHigh & PRESENT)) {
    refuse(cpu, VECTOR_NP, target, 0);
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
export function farCall(cpu: usize, selector: u32, offset: u32, opsize: u32, nextEip: u32): void {
  selector &= 0xffff;
  if (opsize == 2) offset &= 0xffff;
  if (!isProtected(cpu)) {
    openCurrentStack(cpu, 0);
    if (push(cpu, readSelector(cpu, SEG_CS), opsize) || push(cpu, nextEip, opsize) || outsideReal(cpu, offset)) return;
    closeStack(cpu);
    goReal(cpu, selector, offset);
    return;
  }
  if (isNull(selector)) {
    general(cpu, 0);
    return;
  }
  if (fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return;
  const low = descLow;
  const high = descHigh;
  if (!(high & NOT_SYSTEM)) {
    callSystem(cpu, selector, low, high, nextEip);
    return;
  }
  if (!isCode(high)) {
    refuse(cpu, VECTOR_GP, selector, 0);
    return;
  }
  if (refuseDirect(cpu, selector, high)) return;
  callSame(cpu, selector, low, high, offset, opsize, nextEip);
}

/** A call that stays at its privilege level: pushes CS:EIP and goes. */
function callSame(cpu: usize, selector: u32, low: u32, high: u32, offset: u32, opsize: u32, nextEip: u32): void {
  openCurrentStack(cpu, 0);
  if (push(cpu, readSelector(cpu, SEG_CS), opsize) || push(cpu, nextEip, opsize)) return;
  if (offset > limitOf(low, high)) {
    general(cpu, 0);
    return;
  }
  if (markAccessed(cpu, selector, high)) return;
  closeStack(cpu);
  go(cpu, selector, low, high, load<u32>(cpu, CPU_CPL), offset);
}

function callSystem(cpu: usize, selector: u32, low: u32, high: u32, nextEip: u32): void {
  if (refuseSystem(cpu, selector, high)) return;
  if (!isCallGate(high)) {
    taskSwitch(cpu, typeOf(high) == TYPE_TASK ? low >>> 16 : selector, TASK_CALL, nextEip, 0, 0);
    return;
  }
  const size: u32 = typeOf(high) == TYPE_CALL32 ? 4 : 2;
  const offset = gateOffset(low, high);
  const target = low >>> 16;
  if (fetchTarget(cpu, target)) return;
  const codeLow = descLow;
  const codeHigh = descHigh;
  if (!(codeHigh & PRESENT)) {
    refuse(cpu, VECTOR_NP, target, 0);
    return;
  }
  const dpl = dplOf(codeHigh);
  if (isConforming(codeHigh) || dpl == load<u32>(cpu, CPU_CPL)) {
    callSame(cpu, target, codeLow, codeHigh, offset, size, nextEip);
    return;
  }
  if (innerStack(cpu, dpl, 0)) return;
  openStack(baseOf(innerLow, innerHigh), limitOf(innerLow, innerHigh), innerHigh, innerEsp, true, innerSelector & 0xfffc);
  if (offset > limitOf(codeLow, codeHigh)) {
    general(cpu, 0);
    return;
  }
  if (push(cpu, readSelector(cpu, SEG_SS), size) || push(cpu, reg(cpu, GPR_ESP), size)) return;
  if (copyParameters(cpu, high & 31, size)) return;
  if (push(cpu, readSelector(cpu, SEG_CS), size) || push(cpu, nextEip, size)) return;
  if (markAccessed(cpu, target, codeHigh)) return;
  setFromDescriptor(cpu, SEG_SS, innerSelector, innerLow, innerHigh);
  closeStack(cpu);
  go(cpu, target, codeLow, codeHigh, dpl, offset);
}

/** Copies `count` parameters from the caller's stack, still the current one, to the new stack; true: a fault was raised. */
function copyParameters(cpu: usize, count: u32, size: u32): bool {
  const ss = segment(cpu, SEG_SS);
  const mask: u32 = load<u32>(ss, SEG_ACCESS) & 0x400000 ? 0xffffffff : 0xffff;
  const base = load<u32>(ss, SEG_BASE);
  for (let i = count; i > 0; i--) {
    const at = base + ((reg(cpu, GPR_ESP) + (i - 1) * size) & mask);
    const value = size == 4 ? load32(cpu, at) : load16(cpu, at);
    if (faulted(cpu) || push(cpu, value, size)) return true;
  }
  return false;
}

/** RETF, RETF imm16. */
export function farRet(cpu: usize, opsize: u32, popBytes: u32): void {
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

/** Checks the code segment that a far return or IRET goes to and leaves its descriptor in descLow, descHigh; true: a fault was raised. */
export function refuseReturn(cpu: usize, selector: u32): bool {
  if (isNull(selector)) return general(cpu, 0);
  if (fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return true;
  const rpl = selector & 3;
  const dpl = dplOf(descHigh);
  if (!isCode(descHigh) || rpl < load<u32>(cpu, CPU_CPL) || (isConforming(descHigh) ? dpl > rpl : dpl != rpl)) {
    return refuse(cpu, VECTOR_GP, selector, 0);
  }
  return !(descHigh & PRESENT) && refuse(cpu, VECTOR_NP, selector, 0);
}

/** The protected-mode end of RETF and IRET, the stack being open behind what was popped so far. `popBytes` is also dropped from
 * the outer stack. True: a fault was raised, and nothing has changed. */
export function farReturn(cpu: usize, selector: u32, offset: u32, opsize: u32, popBytes: u32): bool {
  if (refuseReturn(cpu, selector)) return true;
  const low = descLow;
  const high = descHigh;
  const rpl = selector & 3;
  if (rpl == load<u32>(cpu, CPU_CPL)) {
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
  if (fetchDescriptor(cpu, ss, VECTOR_GP, 0)) return true;
  const stackLow = descLow;
  const stackHigh = descHigh;
  if (refuseStack(cpu, ss, stackHigh, rpl, VECTOR_GP, 0)) return true;
  if (offset > limitOf(low, high)) return general(cpu, 0);
  if (markAccessed(cpu, selector, high) || markAccessed(cpu, ss, stackHigh)) return true;
  setFromDescriptor(cpu, SEG_SS, ss, stackLow, stackHigh);
  openStack(0, 0, stackHigh, loadedEsp(cpu, stackHigh, esp), false, 0);
  skip(popBytes);
  closeStack(cpu);
  setCode(cpu, selector, low, high, rpl);
  dropSegments(cpu, rpl);
  store<u32>(cpu, offset, CPU_EIP);
  settleMode(cpu);
  return false;
}
