// Accesses that need a closer look: data breakpoints (SDM vol. 3, 17.2.4) and alignment checks (SDM vol. 3, 6.15, #AC).
// While either is on, the pages concerned stay out of the TLB's fast bits, so that every access to them ends in the slow
// paths, which ask here; no other page is slower for it. When that changes is watching.ts's; code with instruction breakpoints is lookup.ts's.
import { raiseError } from '../base/fault';
import { ACCESS_TABLE, ACCESS_USER, ACCESS_WRITE } from '../base/state';
import {
  BREAKPOINTKIND_EXECUTE, BREAKPOINTKIND_READ, BREAKPOINTKIND_WRITE, BREAKPOINT_FIRST, BREAKPOINT_KINDS, CPU_FAULT, CPU_WATCH,
  FAULT_BAIL, HEAD_COUNT, HEAD_EIP, HEAD_END, REC_EIP, REC_SIZE, TLB_USER_READ, TLB_USER_WRITE, TLB_CODE_SHIFT, TLB_WATCHED_SHIFT, VECTOR_AC, WATCH_ALIGN, WATCH_CODE, WATCH_DATA,
} from '../gen/layout';
import { breakpointAt, checkData, codeHits, mustBail } from '../system/debug';
import { RIGHTS } from './walk';

/** Kinds of data breakpoints. */
export const DATA: u32 = BREAKPOINTKIND_READ | BREAKPOINTKIND_WRITE;

/** Page of breakpoint n (an aligned range of at most 8 bytes is in one), where it is of one of these kinds; else -1, which is no page. */
@inline
export function pageOf(cpu: usize, n: u32, kinds: u32): u32 {
  const at = breakpointAt(cpu, n);
  return load<u32>(at, BREAKPOINT_KINDS) & kinds ? load<u32>(at, BREAKPOINT_FIRST) >>> 12 : -1;
}

/** Whether a breakpoint of these kinds is on the page of a linear address. */
function onPage(cpu: usize, linear: u32, kinds: u32): bool {
  const page = linear >>> 12;
  return pageOf(cpu, 0, kinds) == page || pageOf(cpu, 1, kinds) == page || pageOf(cpu, 2, kinds) == page || pageOf(cpu, 3, kinds) == page;
}

/** The TLB bits that may be cached for a page while Cpu.watch is not 0. */
export function watchedRights(cpu: usize, linear: u32, rights: u32): u32 {
  const watch = load<u32>(cpu, CPU_WATCH);
  if (watch & WATCH_ALIGN) rights &= ~(TLB_USER_READ | TLB_USER_WRITE);
  if (!(watch & WATCH_DATA) || !onPage(cpu, linear, DATA)) return rights;
  // What is beside code in such a page can wait for the walk.
  return (rights & ~(RIGHTS | (RIGHTS << TLB_CODE_SHIFT))) | ((rights & RIGHTS) << TLB_WATCHED_SHIFT);
}

/** An access while Cpu.watch is not 0, after its translation succeeded and before it is done. True: it must not be done: #AC was raised, or FAULT_BAIL. */
export function watchAccess(cpu: usize, linear: u32, bytes: u32, access: u32): bool {
  const watch = load<u32>(cpu, CPU_WATCH);
  if (watch & WATCH_ALIGN && access & ACCESS_USER && linear & (bytes - 1)) {
    raiseError(cpu, VECTOR_AC, 0);
    return true;
  }
  return (watch & WATCH_DATA) != 0 && !(access & ACCESS_TABLE) && checkData(cpu, linear, bytes, (access & ACCESS_WRITE) != 0);
}

/** The same for accesses that are asked for before they are made, and then cannot be refused: only FAULT_BAIL is raised here. */
export function watchProbe(cpu: usize, linear: u32, bytes: u32, access: u32): bool {
  if (!(load<u32>(cpu, CPU_WATCH) & WATCH_DATA) || access & ACCESS_TABLE || !mustBail(cpu, linear, bytes, (access & ACCESS_WRITE) != 0)) return false;
  store<u32>(cpu, FAULT_BAIL, CPU_FAULT);
  return true;
}

/** Whether accesses to the page of a linear address must be made one by one through the slow paths. */
export function isWatched(cpu: usize, linear: u32, access: u32): bool {
  const watch = load<u32>(cpu, CPU_WATCH);
  return (watch & WATCH_ALIGN && access & ACCESS_USER) || (watch & WATCH_DATA && onPage(cpu, linear, DATA)) ? true : false;
}

/** Whether there is an instruction breakpoint on the page of a linear address. */
export function isBreakPage(cpu: usize, linear: u32): bool {
  return (load<u32>(cpu, CPU_WATCH) & WATCH_CODE) != 0 && onPage(cpu, linear, BREAKPOINTKIND_EXECUTE);
}

/** Whether a decoded block at a linear address has an instruction breakpoint behind its first instruction: it was decoded for other breakpoints than those of now. */
export function breaksInside(cpu: usize, head: usize, linear: u32): bool {
  const bytes = load<u32>(head, HEAD_END) - load<u32>(head, HEAD_EIP);
  let near = false;
  for (let n: u32 = 0; n < 4; n++) {
    const at = breakpointAt(cpu, n);
    if (load<u32>(at, BREAKPOINT_KINDS) & BREAKPOINTKIND_EXECUTE && load<u32>(at, BREAKPOINT_FIRST) - linear < bytes) near = true;
  }
  if (!near) return false;
  const end = head + (load<u32>(head, HEAD_COUNT) + 1) * REC_SIZE;
  for (let record = head + 2 * REC_SIZE; record < end; record += REC_SIZE) {
    if (codeHits(cpu, linear + load<u32>(record, REC_EIP) - load<u32>(head, HEAD_EIP))) return true;
  }
  return false;
}
