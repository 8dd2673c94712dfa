// Interrupts and exceptions: from a vector to its handler, through the IVT or the IDT (SDM vol. 3, 6.8 to 6.15, 20.1.4,
// 20.3), and what happens when that itself goes wrong. Everything is checked before anything of the CPU's state changes.
import { enterDebug, noteInt1, setDelivering, settleDebug, updateStep } from '../system/debug';
import {
  PRESENT, TYPE_TASK, baseOf, descHigh, descLow, dplOf, fetchDescriptor, isCode, isConforming, isNull, limitOf, markAccessed, refuse, segment,
} from '../segments/descriptor';
import { unpark } from '../memory/exclusive';
import { faulted, raise, raiseError } from '../base/fault';
import { readFlags } from '../system/flags';
import { general, innerEsp, innerHigh, innerLow, innerSelector, innerStack, setCode, settleMode } from './flow';
import {
  CONTROL, CONTROL_STOPONFAULT, CPU_COUNTFAULTS, CPU_COUNTINTERRUPTS, CPU_CPL, CPU_CR0, CPU_DEBUGPENDING, CPU_EFLAGS, CPU_EIP, CPU_EXIT, CPU_FAULT, CPU_FAULTERROR, CPU_HALTED,
  CPU_IDTBASE, CPU_IDTLIMIT, CPU_NMIBLOCKED, CPU_PENDING, CPU_SAMPLESINTERPRETED, CPU_SAMPLESTRANSLATED, CPU_SHADOW,
  CPU_SHADOWEIP, CPU_STEP, CPU_STEPARMED, DELIVERY_ERROR, DELIVERY_INTERRUPT, DELIVERY_SHUTDOWN, DELIVERY_SOFTWARE, EFLAGS_AC, EFLAGS_IF, EFLAGS_IOPL, EFLAGS_NT, EFLAGS_RF,
  EFLAGS_TF, EFLAGS_VM, EXIT_INIT, EXIT_DROP, EXIT_INSTALL, EXIT_SIPI, EXIT_STOP, EXIT_TIMER, EXIT_TRIPLE_FAULT, FAULT, FAULT_HAS_ERROR, FAULT_TRAP,
  GPR_ESP, PENDING_INIT, PENDING_DROP, PENDING_HOLD, PENDING_INSTALL, PENDING_KICK, PENDING_INTR, PENDING_NMI, PENDING_NMI_AGAIN, PENDING_SIPI, PENDING_SMI, PENDING_STOP, PENDING_TIMER, SEG_ACCESS, SEG_CS,
  SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_LIMIT, SEG_SS, SEG_TR, STEP_SHADOW, VECTOR_DB, VECTOR_DF, VECTOR_GP, VECTOR_MC, VECTOR_NMI, VECTOR_NP, VECTOR_OF, VECTOR_PF,
} from '../gen/layout';
import { hold, letGo, polled } from '../system/held';
import { hostInterruptAck } from '../base/host';
import { sysLoad32 } from '../memory/memory';
import { noteBlock, noteDelivery } from '../engine/history';
import { readSelector, setFromDescriptor, setNull, setReal } from '../segments/segment';
import { closeStack, openCurrentStack, openStack, push } from './stack';
import { reg } from '../base/state';
import { TASK_GATE, taskSwitch } from './task';

/** Kinds of softInterrupt. */
export const SOFT_INT: u32 = 0;
export const SOFT_INT3: u32 = 1;
export const SOFT_INTO: u32 = 2;
export const SOFT_INT1: u32 = 3;

@inline
function count(at: usize): void {
  store<u64>(at, load<u64>(at) + 1);
}

/** Vectors whose delivery can make a double fault of the next one (SDM vol. 3, table 6-4). */
const CONTRIBUTORY: u32 = (1 << 0) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13);

@inline
function isContributory(vector: u32): bool {
  return vector < 32 && ((CONTRIBUTORY >>> vector) & 1) != 0;
}

/** Delivers the exception in Cpu.fault; Cpu.eip is what the handler will see as the return address. Ends with Cpu.fault clear: at a
 * handler, or with EXIT_TRIPLE_FAULT. */
export function deliver(cpu: usize): void {
  /** A page fault or contributory exception whose delivery is under way; 32: none. */
  let first: u32 = 32;
  while (true) {
    const fault = load<u32>(cpu, CPU_FAULT);
    if (!(fault & FAULT)) return;
    let vector = fault & 0xff;
    let error = load<u32>(cpu, CPU_FAULTERROR);
    let hasError = (fault & FAULT_HAS_ERROR) != 0;
    // The debug trap of a new task: the delivery that led to it is over.
    if (fault & FAULT_TRAP) first = 32;
    if (first == VECTOR_DF) {
      noteDelivery(cpu, vector | DELIVERY_SHUTDOWN | (hasError ? DELIVERY_ERROR : 0), error);
      store<u32>(cpu, 0, CPU_FAULT);
      store<u32>(cpu, EXIT_TRIPLE_FAULT, CPU_EXIT);
      return;
    }
    if (first == VECTOR_PF ? vector == VECTOR_PF || isContributory(vector) : first < 32 && isContributory(first) && isContributory(vector)) {
      vector = VECTOR_DF;
      error = 0;
      hasError = true;
    }
    store<u32>(cpu, 0, CPU_FAULT);
    count(cpu + CPU_COUNTFAULTS);
    noteDelivery(cpu, vector | (hasError ? DELIVERY_ERROR : 0), error);
    let flags = readFlags(cpu);
    // Fault-class exceptions resume with RF set (SDM vol. 3, 17.3.1.1); an instruction breakpoint comes as a trap.
    if (!(fault & FAULT_TRAP) && vector != VECTOR_DF && vector != VECTOR_MC) flags |= EFLAGS_RF;
    if (vector == VECTOR_DB) enterDebug(cpu);
    deliverOne(cpu, vector, hasError, error, flags);
    first = vector;
  }
}

/** To a handler by no instruction: what it stores and hits traps before the handler's first one. */
function deliverOne(cpu: usize, vector: u32, hasError: bool, error: u32, flags: u32): void {
  setDelivering(true);
  dispatch(cpu, vector, false, 1, hasError, error, load<u32>(cpu, CPU_EIP), flags);
  setDelivering(false);
}

/** Delivers an external interrupt (or an NMI) at Cpu.eip. */
export function interrupt(cpu: usize, vector: u32): void {
  count(cpu + CPU_COUNTINTERRUPTS);
  noteDelivery(cpu, vector | DELIVERY_INTERRUPT, 0);
  deliverOne(cpu, vector, false, 0, readFlags(cpu));
  if (faulted(cpu)) deliver(cpu);
}

/** INT n, INT3, INTO, INT1: `nextEip` is the return address, Cpu.eip the instruction's own. A fault stays in Cpu.fault. */
export function softInterrupt(cpu: usize, vector: u32, nextEip: u32, kind: u32): void {
  const flags = readFlags(cpu);
  if (kind == SOFT_INT && (flags & EFLAGS_VM) != 0 && (flags & EFLAGS_IOPL) != EFLAGS_IOPL) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  if (load<u32>(CONTROL, CONTROL_STOPONFAULT)) {
    store<u32>(cpu, nextEip, CPU_EIP);
    store<u32>(cpu, FAULT | FAULT_TRAP | vector, CPU_FAULT);
    return;
  }
  noteDelivery(cpu, vector | DELIVERY_SOFTWARE, 0);
  if (kind != SOFT_INT1) {
    dispatch(cpu, vector, true, 0, false, 0, nextEip, flags);
    return;
  }
  const hits = load<u32>(cpu, CPU_DEBUGPENDING);
  store<u32>(cpu, 0, CPU_DEBUGPENDING);
  dispatch(cpu, vector, false, 1, false, 0, nextEip, flags);
  if (!faulted(cpu)) noteInt1(cpu, hits);
}

/** INTO: goes on at `nextEip` where OF (`overflow`) is clear. */
export function into(cpu: usize, nextEip: u32, overflow: u32): void {
  if (overflow) softInterrupt(cpu, VECTOR_OF, nextEip, SOFT_INTO);
  else store<u32>(cpu, nextEip, CPU_EIP);
}

/** To the handler of `vector`. `soft`: the gate's DPL is checked. `ext`: bit 0 of the error codes of what goes wrong.
 * `eip` and `flags` are what is pushed. On a fault nothing has changed (but for a task switch that was past its point of no return). */
function dispatch(cpu: usize, vector: u32, soft: bool, ext: u32, hasError: bool, error: u32, eip: u32, flags: u32): void {
  if (!(load<u32>(cpu, CPU_CR0) & 1)) {
    dispatchReal(cpu, vector, eip, flags);
    return;
  }
  const place = vector * 8;
  const code = place + 2 + ext;
  if (place + 7 > load<u32>(cpu, CPU_IDTLIMIT)) {
    raiseError(cpu, VECTOR_GP, code);
    return;
  }
  const gate = load<u32>(cpu, CPU_IDTBASE) + place;
  const gateLow = sysLoad32(cpu, gate);
  if (faulted(cpu)) return;
  const gateHigh = sysLoad32(cpu, gate + 4);
  if (faulted(cpu)) return;
  const type = (gateHigh >>> 8) & 31;
  // 5: task gate; 6, 7, 14, 15: interrupt and trap gates of 16 and 32 bits.
  if (type != TYPE_TASK && (type & 0x16) != 6) {
    raiseError(cpu, VECTOR_GP, code);
    return;
  }
  const cpl = load<u32>(cpu, CPU_CPL);
  if (soft && dplOf(gateHigh) < cpl) {
    raiseError(cpu, VECTOR_GP, code);
    return;
  }
  if (!(gateHigh & PRESENT)) {
    raiseError(cpu, VECTOR_NP, code);
    return;
  }
  if (type == TYPE_TASK) {
    dispatchTask(cpu, gateLow >>> 16, ext, hasError, error, eip, flags);
    return;
  }

  const size: u32 = type & 8 ? 4 : 2;
  const offset = size == 4 ? (gateLow & 0xffff) | (gateHigh & 0xffff0000) : gateLow & 0xffff;
  const selector = gateLow >>> 16;
  if (isNull(selector)) {
    general(cpu, ext);
    return;
  }
  if (fetchDescriptor(cpu, selector, VECTOR_GP, ext)) return;
  const low = descLow;
  const high = descHigh;
  if (!isCode(high) || dplOf(high) > cpl) {
    refuse(cpu, VECTOR_GP, selector, ext);
    return;
  }
  if (!(high & PRESENT)) {
    refuse(cpu, VECTOR_NP, selector, ext);
    return;
  }
  const virtual = (flags & EFLAGS_VM) != 0;
  const inner = !isConforming(high) && dplOf(high) < cpl;
  const newCpl = inner ? dplOf(high) : cpl;
  // From virtual-8086 mode only to privilege level 0.
  if (virtual && newCpl != 0) {
    refuse(cpu, VECTOR_GP, selector, ext);
    return;
  }
  if (inner) {
    if (innerStack(cpu, newCpl, ext)) return;
    openStack(baseOf(innerLow, innerHigh), limitOf(innerLow, innerHigh), innerHigh, innerEsp, true, (innerSelector & 0xfffc) | ext);
    if (offset > limitOf(low, high)) {
      general(cpu, ext);
      return;
    }
    if (virtual) {
      if (push(cpu, readSelector(cpu, SEG_GS), size) || push(cpu, readSelector(cpu, SEG_FS), size)) return;
      if (push(cpu, readSelector(cpu, SEG_DS), size) || push(cpu, readSelector(cpu, SEG_ES), size)) return;
    }
    if (push(cpu, readSelector(cpu, SEG_SS), size) || push(cpu, reg(cpu, GPR_ESP), size)) return;
  } else {
    if (offset > limitOf(low, high)) {
      general(cpu, ext);
      return;
    }
    openCurrentStack(cpu, ext);
  }
  if (push(cpu, flags, size) || push(cpu, readSelector(cpu, SEG_CS), size) || push(cpu, eip, size)) return;
  if (hasError && push(cpu, error, size)) return;
  if (markAccessed(cpu, selector, high)) return;

  // Nothing can fail any more.
  let clear: u32 = EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM;
  if (!(type & 1)) clear |= EFLAGS_IF;
  store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & ~clear, CPU_EFLAGS);
  if (inner) setFromDescriptor(cpu, SEG_SS, innerSelector, innerLow, innerHigh);
  closeStack(cpu);
  if (virtual) {
    setNull(cpu, SEG_GS, 0);
    setNull(cpu, SEG_FS, 0);
    setNull(cpu, SEG_DS, 0);
    setNull(cpu, SEG_ES, 0);
  }
  setCode(cpu, selector, low, high, newCpl);
  arrive(cpu, offset);
}

/** What every delivery ends with. A single step that was under way is over: it does not trap in the handler. */
function arrive(cpu: usize, eip: u32): void {
  noteBlock(cpu, eip);
  store<u32>(cpu, eip, CPU_EIP);
  store<u32>(cpu, 0, CPU_STEPARMED);
  store<u32>(cpu, 0, CPU_HALTED);
  store<u32>(cpu, 0, CPU_SHADOW);
  settleMode(cpu);
  updateStep(cpu);
  settleDebug(cpu);
}

/** Real mode: through the interrupt vector table (SDM vol. 3, 20.1.4). Error codes are not pushed. */
function dispatchReal(cpu: usize, vector: u32, eip: u32, flags: u32): void {
  const place = vector * 4;
  if (place + 3 > load<u32>(cpu, CPU_IDTLIMIT)) {
    raise(cpu, VECTOR_GP);
    return;
  }
  const entry = sysLoad32(cpu, load<u32>(cpu, CPU_IDTBASE) + place);
  if (faulted(cpu)) return;
  if ((entry & 0xffff) > load<u32>(segment(cpu, SEG_CS), SEG_LIMIT)) {
    raise(cpu, VECTOR_GP);
    return;
  }
  openCurrentStack(cpu, 0);
  if (push(cpu, flags, 2) || push(cpu, readSelector(cpu, SEG_CS), 2) || push(cpu, eip, 2)) return;
  closeStack(cpu);
  store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & ~(EFLAGS_IF | EFLAGS_TF | EFLAGS_AC | EFLAGS_RF), CPU_EFLAGS);
  setReal(cpu, SEG_CS, entry >>> 16);
  arrive(cpu, entry & 0xffff);
}

/** Through a task gate: the error code goes to the new task's stack. */
function dispatchTask(cpu: usize, selector: u32, ext: u32, hasError: bool, error: u32, eip: u32, flags: u32): void {
  taskSwitch(cpu, selector, TASK_GATE, eip, flags & EFLAGS_RF, ext);
  const trap = load<u32>(cpu, CPU_FAULT);
  if (trap & FAULT && !(trap & FAULT_TRAP)) return;
  store<u32>(cpu, 0, CPU_HALTED);
  store<u32>(cpu, 0, CPU_SHADOW);
  if (!hasError) return;
  // A trap of the new task's debug bit waits until the error code is on its stack.
  store<u32>(cpu, 0, CPU_FAULT);
  openCurrentStack(cpu, ext);
  if (push(cpu, error, load<u32>(segment(cpu, SEG_TR), SEG_ACCESS) & 0x800 ? 4 : 2)) return;
  closeStack(cpu);
  store<u32>(cpu, trap, CPU_FAULT);
}

const NMIS: u32 = PENDING_NMI | PENDING_NMI_AGAIN;

/** The shadow that the instruction at `eip` is in: that of STI, that of a load of SS, or 0. */
export function shadowAt(cpu: usize, eip: u32): u32 {
  return load<u32>(cpu, CPU_SHADOWEIP) == eip ? load<u32>(cpu, CPU_SHADOW) : 0;
}

/** At a safe point that found something pending: does it, or holds what cannot be taken yet. 1: Cpu.exit is set, or CS:EIP changed, and the caller must go
 * through the dispatcher. Bits that end in an exit are the host's to clear. `samples`: counts kicks. */
function doPending(cpu: usize, eip: u32, samples: usize): u32 {
  store<u32>(cpu, eip, CPU_EIP);
  noteBlock(cpu, eip);
  const pending = polled(cpu);
  if (pending & ~(PENDING_INTR | NMIS)) {
    if (pending & PENDING_HOLD) {
      // Copies of TLB entries are forgotten on the way through the dispatcher.
      unpark(cpu);
      return 1;
    }
    let exit: u32 = 0;
    if (pending & PENDING_STOP) exit = EXIT_STOP;
    else if (pending & PENDING_DROP) exit = EXIT_DROP;
    else if (pending & PENDING_INSTALL) exit = EXIT_INSTALL;
    else if (pending & PENDING_TIMER) exit = EXIT_TIMER;
    else if (pending & PENDING_INIT) exit = EXIT_INIT;
    else if (pending & PENDING_SIPI) exit = EXIT_SIPI;
    if (exit) {
      store<u32>(cpu, exit, CPU_EXIT);
      return 1;
    }
    if (pending & PENDING_KICK) {
      atomic.and<u32>(cpu, ~PENDING_KICK, CPU_PENDING);
      count(samples);
      return 1;
    }
    // No system-management mode.
    atomic.and<u32>(cpu, ~PENDING_SMI, CPU_PENDING);
  }
  if (shadowAt(cpu, eip)) {
    // One more instruction, and exactly one: stepDispatch runs it. So the shadow costs nothing while nothing is pending.
    store<u32>(cpu, load<u32>(cpu, CPU_STEP) | STEP_SHADOW, CPU_STEP);
    return 1;
  }
  const nmi = pending & NMIS;
  if (nmi && load<u32>(cpu, CPU_NMIBLOCKED)) hold(cpu, NMIS);
  else if (nmi) {
    // Of two the second stays.
    atomic.and<u32>(cpu, ~(nmi & PENDING_NMI_AGAIN ? PENDING_NMI_AGAIN : PENDING_NMI), CPU_PENDING);
    store<u32>(cpu, 1, CPU_NMIBLOCKED);
    interrupt(cpu, VECTOR_NMI);
    return 1;
  }
  if (!(pending & PENDING_INTR)) return 0;
  if (!(load<u32>(cpu, CPU_EFLAGS) & EFLAGS_IF)) {
    hold(cpu, PENDING_INTR);
    return 0;
  }
  // Cleared first: the acknowledgement sets it again where more is waiting.
  atomic.and<u32>(cpu, ~PENDING_INTR, CPU_PENDING);
  const vector = hostInterruptAck(cpu);
  if (vector < 0) return 0;
  interrupt(cpu, vector);
  return 1;
}

/** IRET: NMIs come again. While one was being served one more could wait, but no third (SDM vol. 3, 6.7.1). */
export function unblockNmi(cpu: usize): void {
  if (!load<u32>(cpu, CPU_NMIBLOCKED)) return;
  store<u32>(cpu, 0, CPU_NMIBLOCKED);
  letGo(cpu, NMIS);
  if ((polled(cpu) & NMIS) == NMIS) atomic.and<u32>(cpu, ~PENDING_NMI_AGAIN, CPU_PENDING);
}

/** The interpreter's safe points: see doPending. */
export function poll(cpu: usize, eip: u32): u32 {
  return doPending(cpu, eip, cpu + CPU_SAMPLESINTERPRETED);
}

/** Those of regions. */
export function pollRegion(cpu: usize, eip: u32): u32 {
  return doPending(cpu, eip, cpu + CPU_SAMPLESTRANSLATED);
}
