// What the emitted code calls to get from one block to the next when the inline ways do not know:
// links, hot blocks, single steps, faults, empty table slots.
import {
  BlockHead,
  Cpu,
  CpuArea,
  Cr0,
  control,
  DebugStop,
  Eflags,
  Exit,
  FAULT,
  FAULT_AGAIN,
  FAULT_BAIL,
  FAULT_TRAP,
  Gpr,
  HEAT_PERIOD,
  HEAT_QUEUE,
  HEAT_QUEUE_ENTRIES,
  HeatRequest,
  Mode,
  NO_RETURN,
  PAGE,
  Pending,
  Record,
  Seg,
  Shadow,
  SLOTS,
  Slot,
  Step,
  Vector,
  Watch,
} from '../gen/layout';
import { growsCode } from '../memory/codepage';
import { isDirect } from '../memory/direct-map';
import { isBreakPage } from '../memory/watch';
import { engineClock } from '../system/clock';
import { checkBreakpoints, codeHits, linearEip, meetsHost, singleStepTrap, stopForHost } from '../system/debug';
import { polled } from '../system/held';
import { deliver, poll, shadowAt } from '../transfer/deliver';
import { stopForError } from '../x87/fpu-error';
import { noteBlock } from './history';
import { findBlock, lookupBlock } from './lookup';
import { enterPage } from './places';
import { traceInterpreted } from './trace';

/** How often a block may be counted anew (isLukewarm). */
const MOST_ROUNDS: u32 = 3;

/** Bits of Cpu.stepArmed. */
const ARMED: u32 = 1;
const ARMED_TF: u32 = 2;
const ARMED_REPEAT: u32 = 4;

/** Interrupts among the bits of Pending. */
const INTERRUPTS: u32 = Pending.INTR | Pending.NMI | Pending.NMI_AGAIN;

/** What belongs to one step. */
const STEP_ONCE: u32 = Step.ARMED | Step.BAIL | Step.SHADOW;

/** The engine's clock, in units of 2^20 ns (about 1 ms). */
export function heatNow(cpu: Cpu): u32 {
  return u32(engineClock(cpu) >> 20);
}

/** Whether the block took so long to reach the threshold that a region of it would not pay yet: it is counted anew, but what was reached so often has paid for its region, however long that took. */
function isLukewarm(cpu: Cpu, head: BlockHead): bool {
  const within = control.hotWithin;
  if (!within || head.heat >= MOST_ROUNDS * HEAT_PERIOD) return false;
  const now = heatNow(cpu);
  if (now - head.heatSince <= within) return false;
  head.heatSince = now;
  head.heat = (head.heat & -HEAT_PERIOD) + HEAT_PERIOD;
  return true;
}

/** A block reached the hot threshold: asks the translator for a region. A full queue, or one that another CPU writes to, drops the request (the block asks again later). */
export function hot(cpu: Cpu, head: BlockHead): void {
  if (head.mode & (Mode.STEP | Mode.BREAK)) return;
  if (isLukewarm(cpu, head)) return;
  // Code that a program writes as it goes along is often done before its region would be there: it is asked for a period later.
  if (head.heat < HEAT_PERIOD && growsCode(head.phys)) return;
  requestRegion(cpu, head.phys, head.eip, head.mode, !isDirect(cpu, cpu.gpr[Gpr.ESP]));
}

/** Asks the translator, but where another CPU is writing to the queue. `plain`: see HeatRequest. */
export function requestRegion(cpu: Cpu, phys: u32, eip: u32, mode: u32, plain: bool): void {
  if (control.heatLock.compareExchange(0, 1) != 0) return;
  request(cpu, phys, eip, mode, plain);
  control.heatLock.store(0);
}

function request(cpu: Cpu, phys: u32, eip: u32, mode: u32, plain: bool): void {
  const tail = control.heatTail.plain;
  const next = (tail + 1) % HEAT_QUEUE_ENTRIES;
  if (next == control.heatHead.load()) return;
  const entry = changetype<HeatRequest>(HEAT_QUEUE + tail * HeatRequest.SIZE);
  entry.phys = phys;
  entry.eip = eip;
  entry.mode = mode;
  entry.hot = 1;
  entry.cpu = cpu.index;
  entry.plain = u32(plain);
  control.heatTail.store(next);
  control.heatSignal.add(1);
  control.heatSignal.notify(1);
}

/** Link field `link` of a record is empty and Cpu.eip is where it leads: fills it if that block is known and on the same page. */
export function linkBlock(cpu: Cpu, link: usize): void {
  if (cpu.step | cpu.stepArmed) return;
  const record = changetype<Record>(link & ~(Record.SIZE - 1));
  const base = cpu.seg[Seg.CS].base;
  // The record behind a block's last instruction stands for that one. Where it begins counts: what it leads to on a page on which only its end is would be found without a look whether that page has
  // breakpoints now.
  const from = (record.length == 0 ? changetype<Record>(changetype<usize>(record) - Record.SIZE) : record).eip + cpu.codePage + base;
  const to = cpu.eip + base;
  // Between instruction breakpoints nothing is linked: they come and go.
  if ((from ^ to) & ~(PAGE - 1) || isBreakPage(cpu, to)) return;
  const head = findBlock(cpu);
  if (head) {
    noteBlock(cpu, cpu.eip);
    // A head that runs into the next page is looked up each time: that page may be mapped elsewhere by then.
    if (head.lastPage == head.phys >>> 12) store<u32>(link, changetype<u32>(head));
  } else {
    // The dispatcher will meet the fault again.
    cpu.fault = 0;
  }
}

/** Delivers Cpu.fault; a bail-out of a region runs the one instruction in the interpreter instead. */
export function deliverFault(cpu: Cpu): void {
  if (cpu.fault & FAULT_BAIL) {
    cpu.fault = 0;
    stepNext(cpu);
    return;
  }
  if (cpu.fault & FAULT_AGAIN) {
    cpu.fault = 0;
    return;
  }
  cpu.stepArmed = 0;
  cpu.step &= ~STEP_ONCE;
  cpu.debugPass = 0;
  // Data breakpoints that an instruction hit before it faulted are met again when it is restarted.
  if (!(cpu.fault & FAULT_TRAP)) cpu.debugPending = 0;
  if (cpu.fault == (FAULT | Vector.MF) && !(cpu.cr0 & Cr0.NE)) {
    cpu.fault = 0;
    stopForError(cpu);
    return;
  }
  if (control.stopOnFault) {
    cpu.exit = Exit.FAULT;
    return;
  }
  deliver(cpu);
  // A guest whose handlers fault for ever never comes to a block's head.
  if (control.lockstep && !cpu.exit) {
    const left = <i32>cpu.budget - 1;
    cpu.budget = left;
    if (left < 0) cpu.exit = Exit.SLICE;
  }
  if (polled(cpu) & Pending.STOP && !cpu.exit) cpu.exit = Exit.STOP;
}

/** The step under way is over: true where its #DB trap was raised (and delivered). */
function endStep(cpu: Cpu): bool {
  const armed = cpu.stepArmed;
  cpu.stepArmed = 0;
  cpu.step &= ~STEP_ONCE;
  // 0: the step ended in an exception or interrupt.
  if (!armed) return false;
  // Behind a load of SS no trap comes (SDM vol. 3, 6.8.3); data breakpoints wait for one instruction more.
  if (cpu.shadow == Shadow.SS) {
    if (cpu.debugPending) stepNext(cpu);
    return false;
  }
  // RF is set for what comes between the iterations of a string instruction (SDM vol. 3, 17.3.1.1), and an instruction breakpoint there is met once.
  const flags = cpu.eflags;
  const again = (armed & ARMED_REPEAT) != 0;
  if (again) cpu.eflags = flags | Eflags.RF;
  if (singleStepTrap(cpu, armed & ARMED_TF)) {
    if (cpu.fault) deliverFault(cpu);
    return true;
  }
  if (again) {
    if (cpu.watch & Watch.CODE && codeHits(cpu, linearEip(cpu))) stepNext(cpu);
    else cpu.eflags = flags;
  }
  return false;
}

/** The code at CS:EIP, looked up; 0: dispatch again, or leave with Cpu.exit. */
function lookUp(cpu: Cpu): u32 {
  const head = lookupBlock(cpu);
  // 1: at an instruction breakpoint.
  if (head > 1) {
    enterPage(cpu);
    return head;
  }
  if (cpu.fault) deliverFault(cpu);
  return 0;
}

/** The next instruction is stepped. */
function stepNext(cpu: Cpu): void {
  cpu.step |= Step.BAIL;
}

/**
 * Runs instructions one at a time while Cpu.step asks for it. Called at each dispatch with Cpu.eip exact: ends the step
 * that was under way (with its #DB trap), does what is pending, then gives the record of the next instruction, which is
 * alone in its block, or 0: dispatch again, or leave with Cpu.exit (the block must be decoded). The block's head is left out. Where the dispatcher is asked to look the code up, and for no
 * step, it gives the head of the block.
 */
export function stepDispatch(cpu: Cpu): u32 {
  if (cpu.step & Step.LOOKUP) {
    cpu.step &= ~Step.LOOKUP;
    if (!cpu.step) return lookUp(cpu);
  }
  if (cpu.step & Step.ARMED && endStep(cpu)) return 0;
  if (cpu.step & Step.TRAP) {
    cpu.step &= ~Step.TRAP;
    if (singleStepTrap(cpu, 0)) {
      if (cpu.fault) deliverFault(cpu);
      return 0;
    }
  }
  if (!cpu.step) return 0;
  if (control.lockstep && <i32>cpu.budget <= 0) {
    cpu.exit = Exit.SLICE;
    return 0;
  }
  const shadow = shadowAt(cpu, cpu.eip);
  // Who steps through code with the host's help wants to see that code.
  if (polled(cpu) & (cpu.step & Step.DEBUG ? ~INTERRUPTS : -1)) {
    // In a shadow only what makes the CPU's thread leave is done.
    if (poll(cpu, cpu.eip) && (!shadow || cpu.exit)) return 0;
  }
  if (cpu.step & Step.DEBUG && !cpu.stepsLeft) {
    stopForHost(cpu, DebugStop.STEPPED);
    return 0;
  }
  if (cpu.watch & Watch.CODE) {
    if (meetsHost(cpu)) return 0;
    if (shadow != Shadow.SS) checkBreakpoints(cpu);
    if (cpu.fault) {
      deliverFault(cpu);
      return 0;
    }
  }
  const mode = cpu.mode;
  cpu.mode = mode | Mode.STEP;
  const head = findBlock(cpu);
  cpu.mode = mode;
  if (!head) {
    if (cpu.fault) {
      if (cpu.step & Step.DEBUG) cpu.stepsLeft -= 1;
      deliverFault(cpu);
    } else cpu.exit = Exit.LOOKUP;
    return 0;
  }
  cpu.debugPass = 0;
  if (cpu.step & Step.DEBUG) cpu.stepsLeft -= 1;
  noteBlock(cpu, cpu.eip);
  if (control.trace) traceInterpreted(cpu, cpu.eip);
  if (control.prof) changetype<CpuArea>(cpu).prof[mode & Mode.USER ? 1 : 0].instructions += 1;
  if (control.lockstep) {
    cpu.budget -= 1;
    cpu.countInterpreted += 1;
  }
  const flags = cpu.eflags;
  cpu.eflags = flags & ~Eflags.RF;
  cpu.shadow = 0;
  // Whoever waits for a return would go on without the next step.
  cpu.callReturn = NO_RETURN;
  cpu.stepArmed = ARMED | (flags & Eflags.TF ? ARMED_TF : 0);
  cpu.step |= Step.ARMED;
  enterPage(cpu);
  return changetype<u32>(head) + BlockHead.SIZE;
}

/** EIP that belongs to a table slot. */
export function slotEip(cpu: Cpu, slot: u32): u32 {
  return changetype<Slot>(SLOTS + slot * Slot.SIZE).eip + cpu.codePage;
}

/** Ends the run: something of ours is wrong or missing (1: an instruction without a lift; argument: its record). */
export function internalError(cpu: Cpu, code: u32, arg: u32): void {
  cpu.exit = Exit.INTERNAL;
  cpu.exitArg = code;
  cpu.exitData[0] = arg;
}
