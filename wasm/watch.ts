// Accesses that need a closer look: data breakpoints (SDM vol. 3, 17.2.4) and alignment checks (SDM vol. 3, 6.15, #AC).
// While either is on, the pages concerned stay out of the TLB's fast bits, so that every access to them ends in the slow
// paths, which ask here. While both are off (Cpu.watch is 0) nothing is slower for it.
import { checkDataBreakpoint } from './debug';
import { raiseError } from './fault';
import {
  CPU_CPL, CPU_CR0, CPU_DR, CPU_EFLAGS, CPU_TLB, CPU_WATCH, EFLAGS_AC, TLB_USER_READ, TLB_USER_WRITE, VECTOR_AC, WATCH_ALIGN, WATCH_DATA,
} from './gen/layout';
import { ACCESS_USER, ACCESS_WRITE, CR0_AM } from './state';
import { flush } from './tlb';

/** Whether breakpoint n is enabled and for data. */
@inline
function isData(dr7: u32, n: u32): bool {
  return ((dr7 >>> (n * 2)) & 3) != 0 && ((dr7 >>> (16 + n * 4)) & 1) != 0;
}

/** First and last page of breakpoint n (an aligned range of at most 8 bytes is in one). */
@inline
function pageOf(cpu: usize, n: u32): u32 {
  return load<u32>(cpu + n * 4, CPU_DR) >>> 12;
}

/** After a change of the debug registers: which pages are watched. */
export function updateBreakpoints(cpu: usize): void {
  const dr7 = load<u32>(cpu, CPU_DR + 28);
  let watch = load<u32>(cpu, CPU_WATCH) & ~WATCH_DATA;
  for (let n: u32 = 0; n < 4; n++) {
    if (!isData(dr7, n)) continue;
    watch |= WATCH_DATA;
    store<u32>(load<u32>(cpu, CPU_TLB) + (pageOf(cpu, n) << 2), 0);
  }
  store<u32>(cpu, watch, CPU_WATCH);
}

/** After a change of CPL, EFLAGS.AC or CR0.AM: whether alignment is checked. */
export function updateAlignment(cpu: usize): void {
  const watch = load<u32>(cpu, CPU_WATCH);
  const on = load<u32>(cpu, CPU_CPL) == 3 && load<u32>(cpu, CPU_EFLAGS) & EFLAGS_AC && load<u32>(cpu, CPU_CR0) & CR0_AM;
  if (((watch & WATCH_ALIGN) != 0) == (on != 0)) return;
  store<u32>(cpu, watch ^ WATCH_ALIGN, CPU_WATCH);
  // What is in the TLB already would let accesses pass.
  if (on) flush(cpu);
}

/** updateAlignment for the hot paths: nearly always EFLAGS.AC is clear and nothing is watched. */
@inline
export function settleAlignment(cpu: usize): void {
  if (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_AC || load<u32>(cpu, CPU_WATCH)) updateAlignment(cpu);
}

/** The TLB bits that may be cached for a page while Cpu.watch is not 0. */
export function watchedRights(cpu: usize, linear: u32, rights: u32): u32 {
  const watch = load<u32>(cpu, CPU_WATCH);
  if (watch & WATCH_ALIGN) rights &= ~(TLB_USER_READ | TLB_USER_WRITE);
  if (!(watch & WATCH_DATA)) return rights;
  const dr7 = load<u32>(cpu, CPU_DR + 28);
  for (let n: u32 = 0; n < 4; n++) if (isData(dr7, n) && pageOf(cpu, n) == linear >>> 12) return 0;
  return rights;
}

/** An access while Cpu.watch is not 0, after its translation succeeded and before it is done. True: #AC was raised. */
export function watchAccess(cpu: usize, linear: u32, bytes: u32, access: u32): bool {
  const watch = load<u32>(cpu, CPU_WATCH);
  if (watch & WATCH_ALIGN && access & ACCESS_USER && linear & (bytes - 1)) {
    raiseError(cpu, VECTOR_AC, 0);
    return true;
  }
  if (watch & WATCH_DATA) checkDataBreakpoint(cpu, linear, bytes, access & ACCESS_WRITE);
  return false;
}
