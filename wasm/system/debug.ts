// Debug exceptions (SDM vol. 3, 17.2 and 17.3): what the breakpoints of DR0 to DR3 are for, who meets one, and the #DB.
//
// A breakpoint costs nothing where it is not. Pages with one on data have no rights in the TLB that the fast paths see (watch.ts), pages with one on
// code have no regions (lookup.ts). Whoever meets one there, or at a port, outside of a step does nothing and raises FAULT_BAIL: the
// instruction is run again, alone, and then notes what it hits; the #DB comes when it has ended (endStep in engine.ts).
import { raise } from '../base/fault';
import {
  BREAKPOINTKIND_EXECUTE, BREAKPOINTKIND_PORT, BREAKPOINTKIND_READ, BREAKPOINTKIND_WRITE, BREAKPOINT_FIRST, BREAKPOINT_KINDS, BREAKPOINT_LENGTH, BREAKPOINT_SIZE, CPU_BREAKPOINTS, CPU_CR4,
  CPU_DEBUGPENDING, CPU_DR, CPU_EFLAGS, CPU_EIP, CPU_FAULT, CPU_STEP, CPU_STEPARMED, EFLAGS_RF, EFLAGS_TF, FAULT, FAULT_BAIL, FAULT_TRAP, SEG_BASE, SEG_CS, STEP_TF, STEP_TRAP,
  VECTOR_DB,
} from '../gen/layout';
import { CR4_DE, segAt } from '../base/state';

const DR6_BS: u32 = 0x4000;
const DR6_BT: u32 = 0x8000;
const DR7_GD: u32 = 0x2000;

/** An exception or interrupt is being delivered: its accesses are nobody's instruction, and cannot be made again. */
let delivering: bool = false;

export function setDelivering(on: bool): void {
  delivering = on;
}

/** Keeps Cpu.step in line with EFLAGS.TF. */
export function updateStep(cpu: usize): void {
  const step = load<u32>(cpu, CPU_STEP) & ~STEP_TF;
  store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & EFLAGS_TF ? step | STEP_TF : step, CPU_STEP);
}

@inline
export function breakpointAt(cpu: usize, n: u32): usize {
  return cpu + CPU_BREAKPOINTS + n * BREAKPOINT_SIZE;
}

/** Makes breakpoint n what DR7 says, and DRn; true: it was something else. A port's is one only with CR4.DE (portHits). */
export function readBreakpoint(cpu: usize, n: u32): bool {
  const dr7 = load<u32>(cpu, CPU_DR + 28);
  const type = (dr7 >>> (16 + n * 4)) & 3;
  // LEN 2 means 8 bytes, as on processors that have it.
  const code = (dr7 >>> (18 + n * 4)) & 3;
  let kinds: u32 = 0;
  if ((dr7 >>> (n * 2)) & 3) {
    kinds = type == 0 ? BREAKPOINTKIND_EXECUTE : type == 1 ? BREAKPOINTKIND_WRITE : type == 2 ? BREAKPOINTKIND_PORT : BREAKPOINTKIND_READ | BREAKPOINTKIND_WRITE;
  }
  const length: u32 = type == 0 ? 1 : code == 2 ? 8 : code + 1;
  const first: u32 = kinds ? load<u32>(cpu + n * 4, CPU_DR) & ~(length - 1) : 0;
  const at = breakpointAt(cpu, n);
  if (load<u32>(at, BREAKPOINT_KINDS) == kinds && load<u32>(at, BREAKPOINT_FIRST) == first && load<u32>(at, BREAKPOINT_LENGTH) == length) return false;
  store<u32>(at, kinds, BREAKPOINT_KINDS);
  store<u32>(at, first, BREAKPOINT_FIRST);
  store<u32>(at, length, BREAKPOINT_LENGTH);
  return true;
}

/** DR6 bits of the breakpoints of these kinds that [address, address + bytes) hits. */
function breakpointHits(cpu: usize, address: u32, bytes: u32, kinds: u32): u32 {
  let hits: u32 = 0;
  for (let n: u32 = 0; n < 4; n++) {
    const at = breakpointAt(cpu, n);
    if (!(load<u32>(at, BREAKPOINT_KINDS) & kinds)) continue;
    const past = address - load<u32>(at, BREAKPOINT_FIRST);
    if (past < load<u32>(at, BREAKPOINT_LENGTH) || 0 - past < bytes) hits |= 1 << n;
  }
  return hits;
}

/** Whether an access hits a data breakpoint, and is not one of a step or a delivery, which note it (checkData) and go on. */
export function mustBail(cpu: usize, linear: u32, bytes: u32, write: bool): bool {
  if (load<u32>(cpu, CPU_STEPARMED) || delivering) return false;
  return breakpointHits(cpu, linear, bytes, write ? BREAKPOINTKIND_WRITE : BREAKPOINTKIND_READ) != 0;
}

/** What was hit, before the access is made. True: it must not be made now, and FAULT_BAIL is raised. */
function meet(cpu: usize, hits: u32): bool {
  if (!hits) return false;
  if (!load<u32>(cpu, CPU_STEPARMED) && !delivering) {
    store<u32>(cpu, FAULT_BAIL, CPU_FAULT);
    return true;
  }
  store<u32>(cpu, load<u32>(cpu, CPU_DEBUGPENDING) | hits, CPU_DEBUGPENDING);
  return false;
}

/** Before an access to memory. True: it must not be made now, and FAULT_BAIL is raised. */
export function checkData(cpu: usize, linear: u32, bytes: u32, write: bool): bool {
  return meet(cpu, breakpointHits(cpu, linear, bytes, write ? BREAKPOINTKIND_WRITE : BREAKPOINTKIND_READ));
}

/** The same for ports (SDM vol. 3, 18.2.4). Without CR4.DE that kind is undefined, and means nothing here. */
export function checkPort(cpu: usize, port: u32, bytes: u32): bool {
  if (!(load<u32>(cpu, CPU_CR4) & CR4_DE)) return false;
  return meet(cpu, breakpointHits(cpu, port, bytes, BREAKPOINTKIND_PORT));
}

/** Raises #DB as a trap, with these bits of DR6 set. */
function raiseDebug(cpu: usize, bits: u32): void {
  const dr6 = cpu + CPU_DR + 24;
  store<u32>(dr6, (load<u32>(dr6) & ~(0xf as u32)) | bits | 0xffff0ff0);
  raise(cpu, VECTOR_DB);
  store<u32>(cpu, FAULT | FAULT_TRAP | VECTOR_DB, CPU_FAULT);
}

/** DR6 bits of the instruction breakpoints at a linear address. */
export function codeHits(cpu: usize, linear: u32): u32 {
  return breakpointHits(cpu, linear, 1, BREAKPOINTKIND_EXECUTE);
}

/** Linear address of CS:EIP. */
@inline
export function linearEip(cpu: usize): u32 {
  return load<u32>(segAt(cpu, SEG_CS), SEG_BASE) + load<u32>(cpu, CPU_EIP);
}

/** Before an instruction at CS:EIP that is run alone: raises #DB for an instruction breakpoint, unless RF holds it off
 * for this once (who starts the instruction then clears RF). Of all faults this one does not set RF for its handler's return
 * (SDM vol. 3, 17.3.1.1): in that it is like a trap. */
export function checkBreakpoints(cpu: usize): void {
  if (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_RF) return;
  const hits = codeHits(cpu, linearEip(cpu));
  if (hits) raiseDebug(cpu, hits);
}

/** After an instruction that ended without a fault, Cpu.eip being the next one's: raises #DB for the data breakpoints it hit and,
 * with `tf` (EFLAGS.TF as it was at the instruction's start), for the single step. True: it was raised. */
export function singleStepTrap(cpu: usize, tf: u32): bool {
  const bits = load<u32>(cpu, CPU_DEBUGPENDING) | (tf ? DR6_BS : 0);
  store<u32>(cpu, 0, CPU_DEBUGPENDING);
  if (bits) raiseDebug(cpu, bits);
  return bits != 0;
}

/** Behind INT1, which has no bits of its own in DR6: those of data breakpoints that a load of SS before it hit (`hits`) come with its #DB. */
export function noteInt1(cpu: usize, hits: u32): void {
  const dr6 = cpu + CPU_DR + 24;
  if (hits) store<u32>(dr6, (load<u32>(dr6) & ~(0xf as u32)) | hits);
  enterDebug(cpu);
}

/** The handler of #DB may use the debug registers: DR7.GD goes (SDM vol. 3, 17.2.4). */
export function enterDebug(cpu: usize): void {
  store<u32>(cpu, load<u32>(cpu, CPU_DR + 28) & ~DR7_GD, CPU_DR + 28);
}

/** At a handler's first instruction: what the way there hit traps now. */
export function settleDebug(cpu: usize): void {
  if (load<u32>(cpu, CPU_DEBUGPENDING)) store<u32>(cpu, load<u32>(cpu, CPU_STEP) | STEP_TRAP, CPU_STEP);
}

/** A #DB trap for the debug bit of a TSS (SDM vol. 3, 7.2.1). */
export function raiseTaskTrap(cpu: usize): void {
  raiseDebug(cpu, DR6_BT);
}
