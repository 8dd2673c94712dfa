// Debug exceptions (SDM vol. 3, 17.2 and 17.3): what the breakpoints of DR0 to DR3 are for, who meets one, and the #DB.
//
// A breakpoint costs nothing where it is not. Pages with one on data have no rights in the TLB that the fast paths see (watch.ts), pages with one on
// code have no regions (lookup.ts). Whoever meets one there, or at a port, outside of a step does nothing and raises FAULT_BAIL: the
// instruction is run again, alone, and then notes what it hits; the #DB comes when it has ended (endStep in engine.ts).
//
// The host's breakpoints (Control.debugPoints) are met in the same ways; in the place of the #DB the CPU leaves its run loop with Exit.DEBUG, and the guest
// sees nothing of it.
import { raise } from '../base/fault';
import {
  Breakpoint,
  BreakpointKind,
  Cpu,
  Cr4,
  control,
  DebugStop,
  Eflags,
  Exit,
  FAULT,
  FAULT_BAIL,
  FAULT_TRAP,
  HOST_HIT,
  Seg,
  Step,
  Vector,
} from '../gen/layout';

const DR6_BS: u32 = 0x4000;
const DR6_BT: u32 = 0x8000;
const DR7_GD: u32 = 0x2000;

/** An exception or interrupt is being delivered: its accesses are nobody's instruction, and cannot be made again. */
let delivering: bool = false;

export function setDelivering(on: bool): void {
  delivering = on;
}

/** Keeps Cpu.step in line with EFLAGS.TF. */
export function updateStep(cpu: Cpu): void {
  const step = cpu.step & ~Step.TF;
  cpu.step = cpu.eflags & Eflags.TF ? step | Step.TF : step;
}

@inline
export function breakpointAt(cpu: Cpu, n: u32): Breakpoint {
  return cpu.breakpoints[n];
}

/** Makes breakpoint n what DR7 says, and DRn; true: it was something else. A port's is one only with CR4.DE (portHits). */
export function readBreakpoint(cpu: Cpu, n: u32): bool {
  const dr7 = cpu.dr[7];
  const type = (dr7 >>> (16 + n * 4)) & 3;
  // LEN 2 means 8 bytes, as on processors that have it.
  const code = (dr7 >>> (18 + n * 4)) & 3;
  let kinds: u32 = 0;
  if ((dr7 >>> (n * 2)) & 3) {
    kinds =
      type == 0
        ? BreakpointKind.EXECUTE
        : type == 1
          ? BreakpointKind.WRITE
          : type == 2
            ? BreakpointKind.PORT
            : BreakpointKind.READ | BreakpointKind.WRITE;
  }
  const length: u32 = type == 0 ? 1 : code == 2 ? 8 : code + 1;
  const first: u32 = kinds ? cpu.dr[n] & ~(length - 1) : 0;
  const at = breakpointAt(cpu, n);
  if (at.kinds == kinds && at.first == first && at.length == length) return false;
  at.kinds = kinds;
  at.first = first;
  at.length = length;
  return true;
}

@inline
function isHit(at: Breakpoint, address: u32, bytes: u32, kinds: u32): bool {
  if (!(at.kinds & kinds)) return false;
  const past = address - at.first;
  return past < at.length || 0 - past < bytes;
}

/** Number of the first of the host's breakpoints of these kinds that [address, address + bytes) hits; -1: none. */
function hostHit(address: u32, bytes: u32, kinds: u32): i32 {
  for (let n: i32 = 0, count = <i32>control.debugCount; n < count; n++) if (isHit(control.debugPoints[n], address, bytes, kinds)) return n;
  return -1;
}

/** DR6 bits of the breakpoints of these kinds that [address, address + bytes) hits, and HOST_HIT for the host's. */
function breakpointHits(cpu: Cpu, address: u32, bytes: u32, kinds: u32): u32 {
  let hits: u32 = hostHit(address, bytes, kinds) < 0 ? 0 : HOST_HIT;
  for (let n: u32 = 0; n < 4; n++) if (isHit(breakpointAt(cpu, n), address, bytes, kinds)) hits |= 1 << n;
  return hits;
}

/** The host stops the CPU here: Exit.DEBUG. */
export function stopForHost(cpu: Cpu, why: u32): void {
  cpu.debugStop = why;
  cpu.exit = Exit.DEBUG;
}

/** Before an instruction at CS:EIP that is run alone. True: one of the host's breakpoints stops the CPU. */
export function meetsHost(cpu: Cpu): bool {
  if (cpu.debugPass) return false;
  const point = hostHit(linearEip(cpu), 1, BreakpointKind.EXECUTE);
  if (point < 0) return false;
  cpu.debugPoint = point;
  stopForHost(cpu, DebugStop.CODE);
  return true;
}

/** Whether an access hits a data breakpoint, and is not one of a step or a delivery, which note it (checkData) and go on. */
export function mustBail(cpu: Cpu, linear: u32, bytes: u32, write: bool): bool {
  if (cpu.stepArmed || delivering) return false;
  return breakpointHits(cpu, linear, bytes, write ? BreakpointKind.WRITE : BreakpointKind.READ) != 0;
}

/** What was hit, before the access is made. True: it must not be made now, and FAULT_BAIL is raised. */
function meet(cpu: Cpu, hits: u32): bool {
  if (!hits) return false;
  if (!cpu.stepArmed && !delivering) {
    cpu.fault = FAULT_BAIL;
    return true;
  }
  cpu.debugPending |= hits;
  return false;
}

/** Before an access to memory. True: it must not be made now, and FAULT_BAIL is raised. */
export function checkData(cpu: Cpu, linear: u32, bytes: u32, write: bool): bool {
  const kinds = write ? BreakpointKind.WRITE : BreakpointKind.READ;
  const hits = breakpointHits(cpu, linear, bytes, kinds);
  if (hits & HOST_HIT) cpu.debugPoint = hostHit(linear, bytes, kinds);
  return meet(cpu, hits);
}

/** The same for ports (SDM vol. 3, 18.2.4). Without CR4.DE that kind is undefined, and means nothing here. */
export function checkPort(cpu: Cpu, port: u32, bytes: u32): bool {
  if (!(cpu.cr4 & Cr4.DE)) return false;
  return meet(cpu, breakpointHits(cpu, port, bytes, BreakpointKind.PORT));
}

/** Raises #DB as a trap, with these bits of DR6 set. */
function raiseDebug(cpu: Cpu, bits: u32): void {
  cpu.dr[6] = (cpu.dr[6] & ~(0xf as u32)) | bits | 0xffff0ff0;
  raise(cpu, Vector.DB);
  cpu.fault = FAULT | FAULT_TRAP | Vector.DB;
}

/** DR6 bits of the instruction breakpoints at a linear address, and HOST_HIT. */
export function codeHits(cpu: Cpu, linear: u32): u32 {
  return breakpointHits(cpu, linear, 1, BreakpointKind.EXECUTE);
}

/** Linear address of CS:EIP. */
@inline
export function linearEip(cpu: Cpu): u32 {
  return cpu.seg[Seg.CS].base + cpu.eip;
}

/** Before an instruction at CS:EIP that is run alone: raises #DB for an instruction breakpoint, unless RF holds it off
 * for this once (who starts the instruction then clears RF). Of all faults this one does not set RF for its handler's return
 * (SDM vol. 3, 17.3.1.1): in that it is like a trap. */
export function checkBreakpoints(cpu: Cpu): void {
  if (cpu.eflags & Eflags.RF) return;
  const hits = codeHits(cpu, linearEip(cpu)) & ~HOST_HIT;
  if (hits) raiseDebug(cpu, hits);
}

/** After an instruction that ended without a fault, Cpu.eip being the next one's: raises #DB for the data breakpoints it hit and,
 * with `tf` (EFLAGS.TF as it was at the instruction's start), for the single step; where one of them was the host's the CPU stops. True: it was raised, or it stops. */
export function singleStepTrap(cpu: Cpu, tf: u32): bool {
  const hits = cpu.debugPending;
  const bits = (hits & ~HOST_HIT) | (tf ? DR6_BS : 0);
  cpu.debugPending = 0;
  if (bits) raiseDebug(cpu, bits);
  if (hits & HOST_HIT) stopForHost(cpu, DebugStop.DATA);
  return (bits | hits) != 0;
}

/** Behind INT1, which has no bits of its own in DR6: those of data breakpoints that a load of SS before it hit (`hits`) come with its #DB. */
export function noteInt1(cpu: Cpu, hits: u32): void {
  const bits = hits & ~HOST_HIT;
  if (bits) cpu.dr[6] = (cpu.dr[6] & ~(0xf as u32)) | bits;
  if (hits & HOST_HIT) stopForHost(cpu, DebugStop.DATA);
  enterDebug(cpu);
}

/** The handler of #DB may use the debug registers: DR7.GD goes (SDM vol. 3, 17.2.4). */
export function enterDebug(cpu: Cpu): void {
  cpu.dr[7] &= ~DR7_GD;
}

/** At a handler's first instruction: what the way there hit traps now. */
export function armDebugTrap(cpu: Cpu): void {
  if (cpu.debugPending) cpu.step |= Step.TRAP;
}

/** A #DB trap for the debug bit of a TSS (SDM vol. 3, 7.2.1). */
export function raiseTaskTrap(cpu: Cpu): void {
  raiseDebug(cpu, DR6_BT);
}
