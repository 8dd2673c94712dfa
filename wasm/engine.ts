// What the emitted code calls to get from one block to the next when the inline ways do not know:
// links, hot blocks, single steps, faults, empty table slots.
import { deliver } from './deliver';
import {
  CONTROL,
  CONTROL_HEATHEAD,
  CONTROL_HEATSIGNAL,
  CONTROL_HEATTAIL,
  CONTROL_STOPONFAULT,
  CPU_EFLAGS,
  CPU_EIP,
  CPU_EXIT,
  CPU_EXITARG,
  CPU_EXITDATA,
  CPU_FAULT,
  CPU_MODE,
  CPU_SEG,
  CPU_STEP,
  CPU_STEPARMED,
  EFLAGS_TF,
  EXIT_FAULT,
  EXIT_INTERNAL,
  EXIT_LOOKUP,
  FAULT_BAIL,
  HEAD_MODE,
  HEAD_PHYS,
  HEAT_QUEUE,
  HEAT_QUEUE_ENTRIES,
  MODE_STEP,
  PAGE,
  REC_EIP,
  SEG_BASE,
  SEG_CS,
  SEG_SIZE,
  SLOTS,
  SLOT_EIP,
  SLOT_SIZE,
  STEP_BAIL,
  STEP_DEBUG,
} from './gen/layout';
import { findBlock } from './lookup';
import { checkBreakpoints, singleStepTrap } from './debug';

const ARMED: u32 = 1;
const ARMED_TF: u32 = 2;

/** A block reached the hot threshold: asks the translator for a region. A full queue drops the request (the block asks again later). */
export function hot(cpu: usize, head: usize): void {
  if (load<u32>(head, HEAD_MODE) & MODE_STEP) return;
  const tail = load<u32>(CONTROL + CONTROL_HEATTAIL);
  const next = (tail + 1) % HEAT_QUEUE_ENTRIES;
  if (next == atomic.load<u32>(CONTROL + CONTROL_HEATHEAD)) return;
  const entry = HEAT_QUEUE + tail * 16;
  store<u32>(entry, load<u32>(head, HEAD_PHYS));
  store<u32>(entry, load<u32>(head, REC_EIP), 4);
  store<u32>(entry, load<u32>(head, HEAD_MODE), 8);
  store<u32>(entry, u32(head), 12);
  atomic.store<u32>(CONTROL + CONTROL_HEATTAIL, next);
  atomic.add<u32>(CONTROL + CONTROL_HEATSIGNAL, 1);
  atomic.notify(CONTROL + CONTROL_HEATSIGNAL, 1);
}

/** Link field `link` of a record is empty and Cpu.eip is where it leads: fills it if that block is known and on the same page. */
export function resolveLink(cpu: usize, link: usize): void {
  if (load<u32>(cpu, CPU_STEP) | load<u32>(cpu, CPU_STEPARMED)) return;
  const record = link & ~63;
  const base = load<u32>(cpu + SEG_CS * SEG_SIZE, CPU_SEG + SEG_BASE);
  const from = load<u32>(record, REC_EIP) + base;
  const to = load<u32>(cpu, CPU_EIP) + base;
  if ((from ^ to) & ~(PAGE - 1)) return;
  const head = findBlock(cpu);
  if (head) store<u32>(link, head);
}

/** Delivers Cpu.fault; a bail-out of a region runs the one instruction in the interpreter instead. */
export function deliverFault(cpu: usize): void {
  if (load<u32>(cpu, CPU_FAULT) & FAULT_BAIL) {
    store<u32>(cpu, 0, CPU_FAULT);
    store<u32>(cpu, load<u32>(cpu, CPU_STEP) | STEP_BAIL, CPU_STEP);
    return;
  }
  store<u32>(cpu, 0, CPU_STEPARMED);
  store<u32>(cpu, load<u32>(cpu, CPU_STEP) & ~STEP_BAIL, CPU_STEP);
  if (load<u32>(CONTROL + CONTROL_STOPONFAULT)) store<u32>(cpu, EXIT_FAULT, CPU_EXIT);
  else deliver(cpu);
}

/**
 * Runs instructions one at a time while Cpu.step asks for it. Called at each dispatch with Cpu.eip exact: ends the step
 * that was under way (with its #DB trap), then gives the block of the next single instruction, or 0: dispatch again, or
 * leave with Cpu.exit (the block must be decoded).
 */
export function stepDispatch(cpu: usize): u32 {
  const armed = load<u32>(cpu, CPU_STEPARMED);
  if (armed) {
    store<u32>(cpu, 0, CPU_STEPARMED);
    store<u32>(cpu, load<u32>(cpu, CPU_STEP) & ~STEP_BAIL, CPU_STEP);
    if (singleStepTrap(cpu, armed & ARMED_TF)) {
      deliverFault(cpu);
      return 0;
    }
    if (!load<u32>(cpu, CPU_STEP)) return 0;
  }
  if (load<u32>(cpu, CPU_STEP) & STEP_DEBUG) {
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
  store<u32>(cpu, ARMED | (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_TF ? ARMED_TF : 0), CPU_STEPARMED);
  return head;
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
