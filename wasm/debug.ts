// Debug exceptions: breakpoints of DR0 to DR3 on code, data and ports, single steps, and the word that says whether code must run one instruction at a time
// (SDM vol. 3, 17.2 and 17.3).
import { segment } from './descriptor';
import { raise } from './fault';
import {
  CPU_CR4, CPU_DEBUGPENDING, CPU_DR, CPU_EFLAGS, CPU_EIP, CPU_FAULT, CPU_STEP, EFLAGS_RF, EFLAGS_TF, FAULT, FAULT_TRAP, SEG_BASE, SEG_CS, STEP_DEBUG,
  STEP_TF, VECTOR_DB,
} from './gen/layout';
import { CR4_DE } from './state';

const DR6_BS: u32 = 0x4000;
const DR6_BT: u32 = 0x8000;
const DR7_GD: u32 = 0x2000;

/** Keeps Cpu.step in line with EFLAGS.TF and DR7. */
export function updateStep(cpu: usize): void {
  let step = load<u32>(cpu + CPU_STEP) & ~(STEP_TF | STEP_DEBUG);
  if (load<u32>(cpu + CPU_EFLAGS) & EFLAGS_TF) step |= STEP_TF;
  if (load<u32>(cpu + CPU_DR + 28) & 0xff) step |= STEP_DEBUG;
  store<u32>(cpu + CPU_STEP, step);
}

/** Kinds of breakpoints (DR7.R/Wn). A port's is one only with CR4.DE; without it that kind is undefined, and means nothing here. */
const KIND_EXECUTE: u32 = 0;
const KIND_WRITE: u32 = 1;
const KIND_PORT: u32 = 2;
const KIND_ACCESS: u32 = 3;

/** DR6 bits of the breakpoints that [linear, linear + bytes) hits, which are of the kinds `kind` and `other`. */
function breakpointHits(cpu: usize, linear: u32, bytes: u32, kind: u32, other: u32): u32 {
  const dr7 = load<u32>(cpu + CPU_DR + 28);
  let hits: u32 = 0;
  for (let n: u32 = 0; n < 4; n++) {
    if (!((dr7 >>> (n * 2)) & 3)) continue;
    const its = (dr7 >>> (16 + n * 4)) & 3;
    if (its != kind && its != other) continue;
    const code = (dr7 >>> (18 + n * 4)) & 3;
    // LEN 2 means 8 bytes, as on processors that have it.
    const length: u32 = kind == KIND_EXECUTE ? 1 : code == 2 ? 8 : code + 1;
    const first = load<u32>(cpu + CPU_DR + n * 4) & ~(length - 1);
    if (linear < first ? first - linear < bytes : linear - first < length) hits |= 1 << n;
  }
  return hits;
}

/** Raises #DB as a trap, with these bits of DR6 set. */
function raiseDebug(cpu: usize, bits: u32): void {
  const dr6 = cpu + CPU_DR + 24;
  store<u32>(dr6, (load<u32>(dr6) & ~(0xf as u32)) | bits | 0xffff0ff0);
  raise(cpu, VECTOR_DB);
  store<u32>(cpu + CPU_FAULT, FAULT | FAULT_TRAP | VECTOR_DB);
}

/** Before an instruction at CS:EIP, where Cpu.step has STEP_DEBUG: raises #DB for an instruction breakpoint, unless RF holds it off
 * for this once (who starts the instruction then clears RF). Of all faults this one does not set RF for its handler's return
 * (SDM vol. 3, 17.3.1.1): in that it is like a trap. */
export function checkBreakpoints(cpu: usize): void {
  if (load<u32>(cpu + CPU_EFLAGS) & EFLAGS_RF) return;
  const hits = breakpointHits(cpu, load<u32>(segment(cpu, SEG_CS) + SEG_BASE) + load<u32>(cpu + CPU_EIP), 1, KIND_EXECUTE, KIND_EXECUTE);
  if (hits) raiseDebug(cpu, hits);
}

/** Notes an access that hits a data breakpoint; singleStepTrap raises the #DB. */
export function checkDataBreakpoint(cpu: usize, linear: u32, bytes: u32, write: u32): void {
  const hits = breakpointHits(cpu, linear, bytes, KIND_ACCESS, write ? KIND_WRITE : KIND_ACCESS);
  if (hits) store<u32>(cpu + CPU_DEBUGPENDING, load<u32>(cpu + CPU_DEBUGPENDING) | hits);
}

/** The same for ports (SDM vol. 3, 18.2.4), behind the access. */
export function checkPortBreakpoint(cpu: usize, port: u32, bytes: u32): void {
  if (!(load<u32>(cpu + CPU_STEP) & STEP_DEBUG) || !(load<u32>(cpu + CPU_CR4) & CR4_DE)) return;
  const hits = breakpointHits(cpu, port, bytes, KIND_PORT, KIND_PORT);
  if (hits) store<u32>(cpu + CPU_DEBUGPENDING, load<u32>(cpu + CPU_DEBUGPENDING) | hits);
}

/** After an instruction that ended without a fault, Cpu.eip being the next one's: raises #DB for the data breakpoints it hit and,
 * with `tf` (EFLAGS.TF as it was at the instruction's start), for the single step. True: it was raised. */
export function singleStepTrap(cpu: usize, tf: u32): bool {
  const bits = load<u32>(cpu + CPU_DEBUGPENDING) | (tf ? DR6_BS : 0);
  store<u32>(cpu + CPU_DEBUGPENDING, 0);
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
  store<u32>(cpu + CPU_DR + 28, load<u32>(cpu + CPU_DR + 28) & ~DR7_GD);
}

/** A #DB trap for the debug bit of a TSS (SDM vol. 3, 7.2.1). */
export function raiseTaskTrap(cpu: usize): void {
  raiseDebug(cpu, DR6_BT);
}
