// Accesses that need a closer look: data breakpoints (SDM vol. 3, 17.2.4) and alignment checks (SDM vol. 3, 6.15, #AC).
// While either is on, the pages concerned stay out of the TLB's fast bits, so that every access to them ends in the slow
// paths, which ask here; no other page is slower for it. When that changes is watching.ts's; code with instruction breakpoints is lookup.ts's.
import { raiseError } from '../base/fault';
import {
  Access,
  BlockHead,
  BreakpointKind,
  Cpu,
  control,
  FAULT_BAIL,
  Record,
  TLB_CODE_SHIFT,
  TLB_WATCHED_SHIFT,
  Tlb,
  Vector,
  Watch,
} from '../gen/layout';
import { breakpointAt, checkData, codeHits, mustBail } from '../system/debug';
import { RIGHTS } from './walk';

/** Kinds of data breakpoints. */
export const DATA: u32 = BreakpointKind.READ | BreakpointKind.WRITE;

/** Page of breakpoint n (an aligned range of at most 8 bytes is in one), where it is of one of these kinds; else -1, which is no page. */
@inline
export function pageOf(cpu: Cpu, n: u32, kinds: u32): u32 {
  const at = breakpointAt(cpu, n);
  return at.kinds & kinds ? at.first >>> 12 : -1;
}

/** Whether a breakpoint of these kinds is on the page of a linear address. */
function onPage(cpu: Cpu, linear: u32, kinds: u32): bool {
  const page = linear >>> 12;
  for (let n: u32 = 0, count: u32 = control.debugCount; n < count; n++) {
    const at = control.debugPoints[n];
    if (at.kinds & kinds && at.first >>> 12 == page) return true;
  }
  return pageOf(cpu, 0, kinds) == page || pageOf(cpu, 1, kinds) == page || pageOf(cpu, 2, kinds) == page || pageOf(cpu, 3, kinds) == page;
}

/** The TLB bits that may be cached for a page while Cpu.watch is not 0. */
export function watchedRights(cpu: Cpu, linear: u32, rights: u32): u32 {
  const watch = cpu.watch;
  if (watch & Watch.ALIGN) rights &= ~(Tlb.USER_READ | Tlb.USER_WRITE);
  if (!(watch & Watch.DATA) || !onPage(cpu, linear, DATA)) return rights;
  // What is beside code in such a page can wait for the walk.
  return (rights & ~(RIGHTS | (RIGHTS << TLB_CODE_SHIFT))) | ((rights & RIGHTS) << TLB_WATCHED_SHIFT);
}

/** An access while Cpu.watch is not 0, after its translation succeeded and before it is done. True: it must not be done: #AC was raised, or FAULT_BAIL. */
export function watchAccess(cpu: Cpu, linear: u32, bytes: u32, access: u32): bool {
  const watch = cpu.watch;
  if (watch & Watch.ALIGN && access & Access.USER && linear & (bytes - 1)) {
    raiseError(cpu, Vector.AC, 0);
    return true;
  }
  return (watch & Watch.DATA) != 0 && !(access & Access.TABLE) && checkData(cpu, linear, bytes, (access & Access.WRITE) != 0);
}

/** The same for accesses that are asked for before they are made, and then cannot be refused: only FAULT_BAIL is raised here. */
export function watchProbe(cpu: Cpu, linear: u32, bytes: u32, access: u32): bool {
  if (!(cpu.watch & Watch.DATA) || access & Access.TABLE || !mustBail(cpu, linear, bytes, (access & Access.WRITE) != 0)) return false;
  cpu.fault = FAULT_BAIL;
  return true;
}

/** Whether accesses to the page of a linear address must be made one by one through the slow paths. */
export function isWatched(cpu: Cpu, linear: u32, access: u32): bool {
  const watch = cpu.watch;
  if (watch & Watch.ALIGN && access & Access.USER) return true;
  return (watch & Watch.DATA) != 0 && onPage(cpu, linear, DATA);
}

/** Whether there is an instruction breakpoint on the page of a linear address. */
export function isBreakPage(cpu: Cpu, linear: u32): bool {
  return (cpu.watch & Watch.CODE) != 0 && onPage(cpu, linear, BreakpointKind.EXECUTE);
}

/** Whether a decoded block at a linear address has an instruction breakpoint behind its first instruction: it was decoded for other breakpoints than those of now. */
export function breaksInside(cpu: Cpu, head: BlockHead, linear: u32): bool {
  const bytes = head.end - head.eip;
  let near = false;
  for (let n: u32 = 0, count: u32 = 4 + control.debugCount; n < count; n++) {
    const at = n < 4 ? breakpointAt(cpu, n) : control.debugPoints[n - 4];
    if (at.kinds & BreakpointKind.EXECUTE && at.first - linear < bytes) near = true;
  }
  if (!near) return false;
  const first = changetype<usize>(head) + BlockHead.SIZE;
  const end = first + head.count * Record.SIZE;
  for (let record = first + Record.SIZE; record < end; record += Record.SIZE) {
    if (codeHits(cpu, linear + changetype<Record>(record).eip - head.eip)) return true;
  }
  return false;
}
