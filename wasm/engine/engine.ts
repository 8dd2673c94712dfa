// What the emitted code calls to get from one block to the next when the inline ways do not know:
// links, hot blocks, single steps, faults, empty table slots.
import { polled } from '../system/held';
import { deliver, poll, shadowAt } from '../transfer/deliver';
import {
  CONTROL,
  CONTROL_HEATHEAD,
  CONTROL_HEATLOCK,
  CONTROL_HEATSIGNAL,
  CONTROL_HEATTAIL,
  CONTROL_HOTWITHIN,
  CONTROL_LOCKSTEP,
  CONTROL_STOPONFAULT,
  CONTROL_TRACE,
  CPU_BUDGET,
  CPU_COUNTINTERPRETED,
  CPU_CR0,
  CPU_DEBUGPENDING,
  CPU_EFLAGS,
  CPU_EIP,
  CPU_EXIT,
  CPU_EXITARG,
  CPU_EXITDATA,
  CPU_FAULT,
  CPU_MODE,
  CPU_SEG,
  CPU_SHADOW,
  CPU_STEP,
  CPU_STEPARMED,
  CPU_WATCH,
  EFLAGS_RF,
  EFLAGS_TF,
  EXIT_FAULT,
  EXIT_INTERNAL,
  EXIT_LOOKUP,
  EXIT_SLICE,
  EXIT_STOP,
  FAULT,
  FAULT_BAIL,
  FAULT_TRAP,
  HEAD_HEAT,
  HEAD_HEATSINCE,
  HEAD_LASTPAGE,
  HEAD_MODE,
  HEAD_PHYS,
  HEAT_PERIOD,
  HEAT_QUEUE,
  HEAT_QUEUE_ENTRIES,
  MODE_BREAK,
  MODE_STEP,
  PAGE,
  PENDING_STOP,
  REC_EIP,
  REC_LENGTH,
  REC_SIZE,
  SEG_BASE,
  SEG_CS,
  SEG_SIZE,
  SHADOW_SS,
  SLOTS,
  SLOT_EIP,
  SLOT_SIZE,
  STEP_ARMED,
  STEP_BAIL,
  STEP_SHADOW,
  STEP_TRAP,
  VECTOR_MF,
  WATCH_CODE,
} from '../gen/layout';
import { growsCode } from '../memory/codepage';
import { stopForError } from '../x87/fpu-error';
import { engineClock } from '../system/clock';
import { noteBlock } from './history';
import { findBlock } from './lookup';
import { traceInterpreted } from './trace';
import { checkBreakpoints, codeHits, linearEip, singleStepTrap } from '../system/debug';
import { isBreakPage } from '../memory/watch';
import { CR0_NE } from '../base/state';

/** Bits of Cpu.stepArmed. */
const ARMED: u32 = 1;
const ARMED_TF: u32 = 2;
const ARMED_REPEAT: u32 = 4;

/** What belongs to one step. */
const STEP_ONCE: u32 = STEP_ARMED | STEP_BAIL | STEP_SHADOW;

/** The engine's clock, in units of 2^20 ns (about 1 ms). */
export function heatNow(cpu: usize): u32 {
  return u32(engineClock(cpu) >> 20);
}

/** Whether the block took so long to reach the threshold that a region of it would not pay: it is counted anew. */
function isLukewarm(cpu: usize, head: usize): bool {
  const within = load<u32>(CONTROL, CONTROL_HOTWITHIN);
  if (!within || load<u32>(head, HEAD_HEAT) >= HEAT_PERIOD) return false;
  const now = heatNow(cpu);
  if (now - load<u32>(head, HEAD_HEATSINCE) <= within) return false;
  store<u32>(head, now, HEAD_HEATSINCE);
  store<u32>(head, 0, HEAD_HEAT);
  return true;
}

/** A block reached the hot threshold: asks the translator for a region. A full queue, or one that another CPU writes to, drops the request (the block asks again later). */
export function hot(cpu: usize, head: usize): void {
  if (load<u32>(head, HEAD_MODE) & (MODE_STEP | MODE_BREAK)) return;
  if (isLukewarm(cpu, head)) return;
  // Code that a program writes as it goes along is often done before its region would be there: it is asked for a period later.
  if (load<u32>(head, HEAD_HEAT) < HEAT_PERIOD && growsCode(load<u32>(head, HEAD_PHYS))) return;
  // Another CPU is writing to the queue.
  if (atomic.cmpxchg<u32>(CONTROL, 0, 1, CONTROL_HEATLOCK) != 0) return;
  request(head);
  atomic.store<u32>(CONTROL, 0, CONTROL_HEATLOCK);
}

function request(head: usize): void {
  const tail = load<u32>(CONTROL, CONTROL_HEATTAIL);
  const next = (tail + 1) % HEAT_QUEUE_ENTRIES;
  if (next == atomic.load<u32>(CONTROL, CONTROL_HEATHEAD)) return;
  const entry = HEAT_QUEUE + tail * 16;
  store<u32>(entry, load<u32>(head, HEAD_PHYS));
  store<u32>(entry, load<u32>(head, REC_EIP), 4);
  store<u32>(entry, load<u32>(head, HEAD_MODE), 8);
  store<u32>(entry, u32(head), 12);
  atomic.store<u32>(CONTROL, next, CONTROL_HEATTAIL);
  atomic.add<u32>(CONTROL, 1, CONTROL_HEATSIGNAL);
  atomic.notify(CONTROL + CONTROL_HEATSIGNAL, 1);
}

/** Link field `link` of a record is empty and Cpu.eip is where it leads: fills it if that block is known and on the same page. */
export function resolveLink(cpu: usize, link: usize): void {
  if (load<u32>(cpu, CPU_STEP) | load<u32>(cpu, CPU_STEPARMED)) return;
  const record = link & ~63;
  const base = load<u32>(cpu + SEG_CS * SEG_SIZE, CPU_SEG + SEG_BASE);
  // The record behind a block's last instruction has that one's end as its EIP, which may be on the next page.
  const from = load<u32>(record, REC_EIP) - u32(load<u32>(record, REC_LENGTH) == 0) + base;
  const to = load<u32>(cpu, CPU_EIP) + base;
  // Between instruction breakpoints nothing is linked: they come and go.
  if ((from ^ to) & ~(PAGE - 1) || isBreakPage(cpu, to)) return;
  const head = findBlock(cpu);
  if (head) {
    noteBlock(cpu, load<u32>(cpu, CPU_EIP));
    // A head that runs into the next page is looked up each time: that page may be mapped elsewhere by then.
    if (load<u32>(head, HEAD_LASTPAGE) == load<u32>(head, HEAD_PHYS) >>> 12) store<u32>(link, head);
  } else {
    // The dispatcher will meet the fault again.
    store<u32>(cpu, 0, CPU_FAULT);
  }
}

/** Delivers Cpu.fault; a bail-out of a region runs the one instruction in the interpreter instead. */
export function deliverFault(cpu: usize): void {
  if (load<u32>(cpu, CPU_FAULT) & FAULT_BAIL) {
    store<u32>(cpu, 0, CPU_FAULT);
    runAlone(cpu);
    return;
  }
  store<u32>(cpu, 0, CPU_STEPARMED);
  store<u32>(cpu, load<u32>(cpu, CPU_STEP) & ~STEP_ONCE, CPU_STEP);
  // Data breakpoints that an instruction hit before it faulted are met again when it is restarted.
  if (!(load<u32>(cpu, CPU_FAULT) & FAULT_TRAP)) store<u32>(cpu, 0, CPU_DEBUGPENDING);
  if (load<u32>(cpu, CPU_FAULT) == (FAULT | VECTOR_MF) && !(load<u32>(cpu, CPU_CR0) & CR0_NE)) {
    store<u32>(cpu, 0, CPU_FAULT);
    stopForError(cpu);
    return;
  }
  if (load<u32>(CONTROL, CONTROL_STOPONFAULT)) {
    store<u32>(cpu, EXIT_FAULT, CPU_EXIT);
    return;
  }
  deliver(cpu);
  // A guest whose handlers fault for ever never comes to a block's head.
  if (load<u32>(CONTROL, CONTROL_LOCKSTEP) && !load<u32>(cpu, CPU_EXIT)) {
    const left = load<i32>(cpu, CPU_BUDGET) - 1;
    store<i32>(cpu, left, CPU_BUDGET);
    if (left < 0) store<u32>(cpu, EXIT_SLICE, CPU_EXIT);
  }
  if (polled(cpu) & PENDING_STOP && !load<u32>(cpu, CPU_EXIT)) store<u32>(cpu, EXIT_STOP, CPU_EXIT);
}

/** The step under way is over: true where its #DB trap was raised (and delivered). */
function endStep(cpu: usize): bool {
  const armed = load<u32>(cpu, CPU_STEPARMED);
  store<u32>(cpu, 0, CPU_STEPARMED);
  store<u32>(cpu, load<u32>(cpu, CPU_STEP) & ~STEP_ONCE, CPU_STEP);
  // 0: the step ended in an exception or interrupt.
  if (!armed) return false;
  // Behind a load of SS no trap comes (SDM vol. 3, 6.8.3); data breakpoints wait for one instruction more.
  if (load<u32>(cpu, CPU_SHADOW) == SHADOW_SS) {
    if (load<u32>(cpu, CPU_DEBUGPENDING)) runAlone(cpu);
    return false;
  }
  // RF is set for what comes between the iterations of a string instruction (SDM vol. 3, 17.3.1.1), and an instruction breakpoint there is met once.
  const flags = load<u32>(cpu, CPU_EFLAGS);
  const again = (armed & ARMED_REPEAT) != 0;
  if (again) store<u32>(cpu, flags | EFLAGS_RF, CPU_EFLAGS);
  if (singleStepTrap(cpu, armed & ARMED_TF)) {
    deliverFault(cpu);
    return true;
  }
  if (again) {
    if (load<u32>(cpu, CPU_WATCH) & WATCH_CODE && codeHits(cpu, linearEip(cpu))) runAlone(cpu);
    else store<u32>(cpu, flags, CPU_EFLAGS);
  }
  return false;
}

/** The next instruction is run alone. */
function runAlone(cpu: usize): void {
  store<u32>(cpu, load<u32>(cpu, CPU_STEP) | STEP_BAIL, CPU_STEP);
}

/**
 * Runs instructions one at a time while Cpu.step asks for it. Called at each dispatch with Cpu.eip exact: ends the step
 * that was under way (with its #DB trap), does what is pending, then gives the record of the next instruction, which is
 * alone in its block, or 0: dispatch again, or leave with Cpu.exit (the block must be decoded). The block's head is left out.
 */
export function stepDispatch(cpu: usize): u32 {
  if (load<u32>(cpu, CPU_STEP) & STEP_ARMED && endStep(cpu)) return 0;
  if (load<u32>(cpu, CPU_STEP) & STEP_TRAP) {
    store<u32>(cpu, load<u32>(cpu, CPU_STEP) & ~STEP_TRAP, CPU_STEP);
    if (singleStepTrap(cpu, 0)) {
      deliverFault(cpu);
      return 0;
    }
  }
  if (!load<u32>(cpu, CPU_STEP)) return 0;
  if (load<u32>(CONTROL, CONTROL_LOCKSTEP) && load<i32>(cpu, CPU_BUDGET) <= 0) {
    store<u32>(cpu, EXIT_SLICE, CPU_EXIT);
    return 0;
  }
  const shadow = shadowAt(cpu, load<u32>(cpu, CPU_EIP));
  if (polled(cpu)) {
    // In a shadow only what makes the CPU's thread leave is done.
    if (poll(cpu, load<u32>(cpu, CPU_EIP)) && (!shadow || load<u32>(cpu, CPU_EXIT))) return 0;
  }
  if (load<u32>(cpu, CPU_WATCH) & WATCH_CODE && shadow != SHADOW_SS) {
    checkBreakpoints(cpu);
    if (load<u32>(cpu, CPU_FAULT)) {
      deliverFault(cpu);
      return 0;
    }
  }
  const mode = load<u32>(cpu, CPU_MODE);
  store<u32>(cpu, mode | MODE_STEP, CPU_MODE);
  const head = findBlock(cpu);
  store<u32>(cpu, mode, CPU_MODE);
  if (!head) {
    if (load<u32>(cpu, CPU_FAULT)) deliverFault(cpu);
    else store<u32>(cpu, EXIT_LOOKUP, CPU_EXIT);
    return 0;
  }
  noteBlock(cpu, load<u32>(cpu, CPU_EIP));
  if (load<u32>(CONTROL, CONTROL_TRACE)) traceInterpreted(cpu, load<u32>(cpu, CPU_EIP));
  if (load<u32>(CONTROL, CONTROL_LOCKSTEP)) {
    store<u32>(cpu, load<u32>(cpu, CPU_BUDGET) - 1, CPU_BUDGET);
    store<u64>(cpu, load<u64>(cpu, CPU_COUNTINTERPRETED) + 1, CPU_COUNTINTERPRETED);
  }
  const flags = load<u32>(cpu, CPU_EFLAGS);
  store<u32>(cpu, flags & ~EFLAGS_RF, CPU_EFLAGS);
  store<u32>(cpu, 0, CPU_SHADOW);
  store<u32>(cpu, ARMED | (flags & EFLAGS_TF ? ARMED_TF : 0), CPU_STEPARMED);
  store<u32>(cpu, load<u32>(cpu, CPU_STEP) | STEP_ARMED, CPU_STEP);
  return head + REC_SIZE;
}

/** EIP that belongs to a table slot. */
export function slotEip(cpu: usize, slot: u32): u32 {
  return load<u32>(SLOTS + slot * SLOT_SIZE, SLOT_EIP);
}

/** Ends the run: something of ours is wrong or missing (1: an instruction without a lift; argument: its record). */
export function internalError(cpu: usize, code: u32, arg: u32): void {
  store<u32>(cpu, EXIT_INTERNAL, CPU_EXIT);
  store<u32>(cpu, code, CPU_EXITARG);
  store<u32>(cpu, arg, CPU_EXITDATA);
}
