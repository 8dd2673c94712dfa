// Interrupts and exceptions: from a vector to its handler, through the IVT or the IDT (SDM vol. 3, 6.8 to 6.15, 20.1.4,
// 20.3), and what happens when that itself goes wrong. Everything is checked before anything of the CPU's state changes.

import { faulted, raise, raiseError } from '../base/fault';
import { tellParts, tellsAccesses } from '../clients/told';
import { enterSlow, leaveSlow } from '../engine/costs';
import { noteBlock, noteDelivery } from '../engine/history';
import { sampleHere } from '../engine/sample';
import { hostInterruptAck } from '../gen/host';
import {
  Cpu,
  control,
  Delivery,
  Descriptor,
  Eflags,
  Exit,
  FAULT,
  FAULT_HAS_ERROR,
  FAULT_TRAP,
  Gpr,
  InnerStack,
  Mode,
  Pending,
  Seg,
  SlowPath,
  Step,
  SystemType,
  Vector,
} from '../gen/layout';
import { proveDirect } from '../memory/direct-map';
import { unpark } from '../memory/exclusive';
import { sysLoad32 } from '../memory/memory';
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
  refuse,
} from '../segments/descriptor';
import { readSelector, setFromDescriptor, setNull, setReal } from '../segments/segment';
import { forgetTable } from '../segments/table';
import { armDebugTrap, enterDebug, noteInt1, setDelivering, updateStep } from '../system/debug';
import { readFlags } from '../system/flags';
import { hold, letGo, polled } from '../system/held';
import { deliverFlat } from './flat';
import { entered, general, innerStack, setCode, updateModeBehindTransfer } from './flow';
import { eipOf, takePoint } from './points';
import { closeStack, openCurrentStack, openStack, push } from './stack';
import { TASK_GATE, taskSwitch } from './task';

/** Kinds of softInterrupt. */
export const SOFT_INT: u32 = 0;
export const SOFT_INT3: u32 = 1;
export const SOFT_INTO: u32 = 2;
export const SOFT_INT1: u32 = 3;

/** Vectors whose delivery can make a double fault of the next one (SDM vol. 3, table 6-4). */
const CONTRIBUTORY: u32 = (1 << 0) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13);

@inline
function isContributory(vector: u32): bool {
  return vector < 32 && ((CONTRIBUTORY >>> vector) & 1) != 0;
}

/** Delivers the exception in Cpu.fault; Cpu.eip is what the handler will see as the return address. Ends with Cpu.fault clear: at a
 * handler, or with Exit.TRIPLE_FAULT. */
export function deliver(cpu: Cpu): void {
  if (tellsAccesses()) tellParts(cpu);
  /** A page fault or contributory exception whose delivery is under way; 32: none. */
  let first: u32 = 32;
  while (true) {
    const fault = cpu.fault;
    if (!(fault & FAULT)) return;
    let vector = fault & 0xff;
    let error = cpu.faultError;
    let hasError = (fault & FAULT_HAS_ERROR) != 0;
    // The debug trap of a new task: the delivery that led to it is over.
    if (fault & FAULT_TRAP) first = 32;
    if (first == Vector.DF) {
      noteDelivery(cpu, vector | Delivery.SHUTDOWN | (hasError ? Delivery.ERROR : 0), error);
      cpu.fault = 0;
      cpu.exit = Exit.TRIPLE_FAULT;
      return;
    }
    if (
      first == Vector.PF ? vector == Vector.PF || isContributory(vector) : first < 32 && isContributory(first) && isContributory(vector)
    ) {
      vector = Vector.DF;
      error = 0;
      hasError = true;
    }
    cpu.fault = 0;
    cpu.countFaults++;
    noteDelivery(cpu, vector | (hasError ? Delivery.ERROR : 0), error);
    let flags = readFlags(cpu);
    // Fault-class exceptions resume with RF set (SDM vol. 3, 17.3.1.1); an instruction breakpoint comes as a trap.
    if (!(fault & FAULT_TRAP) && vector != Vector.DF && vector != Vector.MC) flags |= Eflags.RF;
    if (vector == Vector.DB) enterDebug(cpu);
    const since = enterSlow(cpu, SlowPath.FAULT);
    deliverOne(cpu, vector, hasError, error, flags);
    leaveSlow(cpu, SlowPath.FAULT, since);
    first = vector;
  }
}

/** To a handler by no instruction: what it stores and hits traps before the handler's first one. */
function deliverOne(cpu: Cpu, vector: u32, hasError: bool, error: u32, flags: u32): void {
  setDelivering(true);
  enterHandler(cpu, vector, false, 1, hasError, error, cpu.eip, flags);
  setDelivering(false);
}

/** Delivers an external interrupt (or an NMI) at Cpu.eip. */
export function interrupt(cpu: Cpu, vector: u32): void {
  cpu.countInterrupts++;
  cpu.debugPass = 0;
  noteDelivery(cpu, vector | Delivery.INTERRUPT, 0);
  const since = enterSlow(cpu, SlowPath.INTERRUPT);
  if (!cpu.point || !interruptPoint(cpu, vector)) {
    deliverOne(cpu, vector, false, 0, readFlags(cpu));
    if (faulted(cpu)) deliver(cpu);
  }
  leaveSlow(cpu, SlowPath.INTERRUPT, since);
}

/** The short way from a point of a region: the frame gets its address, and the dispatcher writes the EIP over it that it stands for. */
function interruptPoint(cpu: Cpu, vector: u32): bool {
  if (!deliverFlat(cpu, vector, false, false, 0, cpu.point, readFlags(cpu))) return false;
  takePoint(cpu);
  begin(cpu);
  return true;
}

/** INT n, INT3, INTO, INT1: `nextEip` is the return address, Cpu.eip the instruction's own. A fault stays in Cpu.fault. */
export function softInterrupt(cpu: Cpu, vector: u32, nextEip: u32, kind: u32): void {
  const flags = readFlags(cpu);
  if (kind == SOFT_INT && (flags & Eflags.VM) != 0 && (flags & Eflags.IOPL) != Eflags.IOPL) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  if (control.stopOnFault) {
    cpu.eip = nextEip;
    cpu.fault = FAULT | FAULT_TRAP | vector;
    return;
  }
  noteDelivery(cpu, vector | Delivery.SOFTWARE, 0);
  if (kind != SOFT_INT1) {
    if (deliverFlat(cpu, vector, true, false, 0, nextEip, flags)) begin(cpu);
    else enterLong(cpu, vector, true, 0, false, 0, nextEip, flags);
    return;
  }
  const hits = cpu.debugPending;
  cpu.debugPending = 0;
  enterHandler(cpu, vector, false, 1, false, 0, nextEip, flags);
  if (!faulted(cpu)) noteInt1(cpu, hits);
}

/** INTO: goes on at `nextEip` where OF (`overflow`) is clear. */
export function into(cpu: Cpu, nextEip: u32, overflow: u32): void {
  if (overflow) softInterrupt(cpu, Vector.OF, nextEip, SOFT_INTO);
  else cpu.eip = nextEip;
}

/** To the handler of `vector`. `soft`: the gate's DPL is checked. `ext`: bit 0 of the error codes of what goes wrong.
 * `eip` and `flags` are what is pushed. On a fault nothing has changed (but for a task switch that was past its point of no return). */
function enterHandler(cpu: Cpu, vector: u32, soft: bool, ext: u32, hasError: bool, error: u32, eip: u32, flags: u32): void {
  if (deliverFlat(cpu, vector, soft, hasError, error, eip, flags)) begin(cpu);
  else enterLong(cpu, vector, soft, ext, hasError, error, eip, flags);
}

/** enterHandler without the short way. */
function enterLong(cpu: Cpu, vector: u32, soft: bool, ext: u32, hasError: bool, error: u32, eip: u32, flags: u32): void {
  if (!(cpu.cr0 & 1)) {
    enterRealHandler(cpu, vector, eip, flags);
    return;
  }
  const place = vector * 8;
  const code = place + 2 + ext;
  if (place + 7 > cpu.idtLimit) {
    raiseError(cpu, Vector.GP, code);
    return;
  }
  const gate = cpu.idtBase + place;
  const gateLow = sysLoad32(cpu, gate);
  if (faulted(cpu)) return;
  const gateHigh = sysLoad32(cpu, gate + 4);
  if (faulted(cpu)) return;
  const type = (gateHigh >>> 8) & 31;
  // 5: task gate; 6, 7, 14, 15: interrupt and trap gates of 16 and 32 bits.
  if (type != SystemType.TASK && (type & 0x16) != 6) {
    raiseError(cpu, Vector.GP, code);
    return;
  }
  const cpl = cpu.cpl;
  if (soft && dplOf(gateHigh) < cpl) {
    raiseError(cpu, Vector.GP, code);
    return;
  }
  if (!(gateHigh & Descriptor.PRESENT)) {
    raiseError(cpu, Vector.NP, code);
    return;
  }
  if (type == SystemType.TASK) {
    enterTaskHandler(cpu, gateLow >>> 16, ext, hasError, error, eip, flags);
    return;
  }

  const size: u32 = type & 8 ? 4 : 2;
  const offset = size == 4 ? (gateLow & 0xffff) | (gateHigh & 0xffff0000) : gateLow & 0xffff;
  const selector = gateLow >>> 16;
  if (isNull(selector)) {
    general(cpu, ext);
    return;
  }
  const words = fetchDescriptor(cpu, selector, Vector.GP, ext);
  if (faulted(cpu)) return;
  const low = lowOf(words);
  const high = highOf(words);
  if (!isCode(high) || dplOf(high) > cpl) {
    refuse(cpu, Vector.GP, selector, ext);
    return;
  }
  if (!(high & Descriptor.PRESENT)) {
    refuse(cpu, Vector.NP, selector, ext);
    return;
  }
  const virtual = (flags & Eflags.VM) != 0;
  const deeper = !isConforming(high) && dplOf(high) < cpl;
  const newCpl = deeper ? dplOf(high) : cpl;
  // From virtual-8086 mode only to privilege level 0.
  if (virtual && newCpl != 0) {
    refuse(cpu, Vector.GP, selector, ext);
    return;
  }
  const inner = changetype<InnerStack>(cpu.scratch);
  if (deeper) {
    if (innerStack(cpu, newCpl, ext)) return;
    openStack(baseOf(inner.low, inner.high), limitOf(inner.low, inner.high), inner.high, inner.esp, true, (inner.selector & 0xfffc) | ext);
    if (offset > limitOf(low, high)) {
      general(cpu, ext);
      return;
    }
    if (virtual) {
      if (push(cpu, readSelector(cpu, Seg.GS), size) || push(cpu, readSelector(cpu, Seg.FS), size)) return;
      if (push(cpu, readSelector(cpu, Seg.DS), size) || push(cpu, readSelector(cpu, Seg.ES), size)) return;
    }
    if (push(cpu, readSelector(cpu, Seg.SS), size) || push(cpu, cpu.gpr[Gpr.ESP], size)) return;
  } else {
    if (offset > limitOf(low, high)) {
      general(cpu, ext);
      return;
    }
    openCurrentStack(cpu, ext);
  }
  if (push(cpu, flags, size) || push(cpu, readSelector(cpu, Seg.CS), size) || push(cpu, eip, size)) return;
  if (hasError && push(cpu, error, size)) return;
  if (markAccessed(cpu, selector, high)) return;

  // Nothing can fail any more.
  let clear: u32 = Eflags.TF | Eflags.NT | Eflags.RF | Eflags.VM;
  if (!(type & 1)) clear |= Eflags.IF;
  cpu.eflags &= ~clear;
  if (deeper) setFromDescriptor(cpu, Seg.SS, inner.selector, inner.low, inner.high);
  closeStack(cpu);
  if (virtual) {
    setNull(cpu, Seg.GS, 0);
    setNull(cpu, Seg.FS, 0);
    setNull(cpu, Seg.DS, 0);
    setNull(cpu, Seg.ES, 0);
  }
  setCode(cpu, selector, low, high, newCpl);
  arrive(cpu, offset);
}

/** What every delivery through a gate for code ends with. */
function arrive(cpu: Cpu, eip: u32): void {
  cpu.eip = eip;
  updateModeBehindTransfer(cpu);
  begin(cpu);
}

/** At the handler. A single step that was under way is over: it does not trap there. */
function begin(cpu: Cpu): void {
  noteBlock(cpu, cpu.eip);
  cpu.stepArmed = 0;
  cpu.halted = 0;
  cpu.shadow = 0;
  updateStep(cpu);
  armDebugTrap(cpu);
  entered(cpu);
}

/** Real mode: through the interrupt vector table (SDM vol. 3, 20.1.4). Error codes are not pushed. */
function enterRealHandler(cpu: Cpu, vector: u32, eip: u32, flags: u32): void {
  const place = vector * 4;
  if (place + 3 > cpu.idtLimit) {
    raise(cpu, Vector.GP);
    return;
  }
  const entry = sysLoad32(cpu, cpu.idtBase + place);
  if (faulted(cpu)) return;
  if ((entry & 0xffff) > cpu.seg[Seg.CS].limit) {
    raise(cpu, Vector.GP);
    return;
  }
  openCurrentStack(cpu, 0);
  if (push(cpu, flags, 2) || push(cpu, readSelector(cpu, Seg.CS), 2) || push(cpu, eip, 2)) return;
  closeStack(cpu);
  cpu.eflags = cpu.eflags & ~(Eflags.IF | Eflags.TF | Eflags.AC | Eflags.RF);
  setReal(cpu, Seg.CS, entry >>> 16);
  arrive(cpu, entry & 0xffff);
}

/** Through a task gate: the error code goes to the new task's stack. */
function enterTaskHandler(cpu: Cpu, selector: u32, ext: u32, hasError: bool, error: u32, eip: u32, flags: u32): void {
  taskSwitch(cpu, selector, TASK_GATE, eip, flags & Eflags.RF, ext);
  const trap = cpu.fault;
  if (trap & FAULT && !(trap & FAULT_TRAP)) return;
  cpu.halted = 0;
  cpu.shadow = 0;
  if (!hasError) return;
  // A trap of the new task's debug bit waits until the error code is on its stack.
  cpu.fault = 0;
  openCurrentStack(cpu, ext);
  if (push(cpu, error, cpu.seg[Seg.TR].access & 0x800 ? 4 : 2)) return;
  closeStack(cpu);
  cpu.fault = trap;
}

/** What may be relied on is something else. */
function relyAnew(cpu: Cpu): void {
  proveDirect(cpu);
  forgetTable(cpu);
}

const NMIS: u32 = Pending.NMI | Pending.NMI_AGAIN;

/** The shadow that the instruction at `eip` is in: that of STI, that of a load of SS, or 0. */
export function shadowAt(cpu: Cpu, eip: u32): u32 {
  return cpu.shadowEip == eip ? cpu.shadow : 0;
}

/** At a safe point that found something pending: does it, or holds what cannot be taken yet. 1: Cpu.exit is set, or CS:EIP changed, and the caller must go
 * through the dispatcher. Bits that end in an exit are the host's to clear. `samples`: counts kicks. */
function doPending(cpu: Cpu, eip: u32, translated: bool): u32 {
  cpu.eip = eip;
  noteBlock(cpu, eip);
  let pending = polled(cpu);
  if (pending & ~(Pending.INTR | NMIS)) {
    if (pending & Pending.SAMPLE) {
      cpu.pending.and(~Pending.SAMPLE);
      sampleHere(cpu);
      pending &= ~Pending.SAMPLE;
      // Nothing has changed: what runs may go on.
      if (!pending) return 0;
    }
    if (pending & Pending.HOLD) {
      // Copies of TLB entries are forgotten on the way through the dispatcher.
      unpark(cpu);
      return 1;
    }
    let exit: u32 = 0;
    if (pending & Pending.STOP) exit = Exit.STOP;
    else if (pending & Pending.DROP) exit = Exit.DROP;
    else if (pending & Pending.INSTALL) exit = Exit.INSTALL;
    else if (pending & Pending.TIMER) exit = Exit.TIMER;
    else if (pending & Pending.INIT) exit = Exit.INIT;
    else if (pending & Pending.SIPI) exit = Exit.SIPI;
    else if (pending & Pending.PAUSE) exit = Exit.PAUSE;
    if (exit) {
      cpu.exit = exit;
      return 1;
    }
    if (pending & Pending.KICK) {
      cpu.pending.and(~Pending.KICK);
      if (cpu.relaxSeen != control.relax) relyAnew(cpu);
      if (translated) cpu.samplesTranslated++;
      else cpu.samplesInterpreted++;
      if (cpu.mode & Mode.USER) cpu.samplesUser++;
      return 1;
    }
    // No system-management mode.
    cpu.pending.and(~Pending.SMI);
  }
  if (shadowAt(cpu, eip)) {
    // One more instruction, and exactly one: stepDispatch runs it. So the shadow costs nothing while nothing is pending.
    cpu.step |= Step.SHADOW;
    return 1;
  }
  const nmi = pending & NMIS;
  if (nmi && cpu.nmiBlocked) hold(cpu, NMIS);
  else if (nmi) {
    // Of two the second stays.
    cpu.pending.and(~(nmi & Pending.NMI_AGAIN ? Pending.NMI_AGAIN : Pending.NMI));
    cpu.nmiBlocked = 1;
    interrupt(cpu, Vector.NMI);
    return 1;
  }
  if (!(pending & Pending.INTR)) return 0;
  if (!(cpu.eflags & Eflags.IF)) {
    hold(cpu, Pending.INTR);
    return 0;
  }
  // Cleared first: the acknowledgement sets it again where more is waiting.
  cpu.pending.and(~Pending.INTR);
  const vector = hostInterruptAck(cpu);
  if (vector < 0) return 0;
  interrupt(cpu, vector);
  return 1;
}

/** IRET: NMIs come again. While one was being served one more could wait, but no third (SDM vol. 3, 6.7.1). */
export function unblockNmi(cpu: Cpu): void {
  if (!cpu.nmiBlocked) return;
  cpu.nmiBlocked = 0;
  letGo(cpu, NMIS);
  if ((polled(cpu) & NMIS) == NMIS) cpu.pending.and(~Pending.NMI_AGAIN);
}

/** The interpreter's safe points: see doPending. */
export function poll(cpu: Cpu, eip: u32): u32 {
  return doPending(cpu, eip, false);
}

/** Those of regions. */
export function pollRegion(cpu: Cpu, eip: u32): u32 {
  return doPending(cpu, eip, true);
}

/** Those of regions that say by the address of a point where they are. */
export function pollPoint(cpu: Cpu, point: u32): u32 {
  cpu.point = point;
  const done = doPending(cpu, eipOf(point), true);
  cpu.point = 0;
  return done;
}
