// What changes which accesses need a closer look (memory/watch.ts): the debug registers, CR0.AM, EFLAGS.AC and the CPL. Nobody asks here on an access.
import { CR0_AM } from '../base/state';
import { flushJumpsOn } from '../engine/fetched';
import {
  BREAKPOINTKIND_EXECUTE, BREAKPOINT_FIRST, BREAKPOINT_KINDS, BREAKPOINT_LENGTH, CPU_CPL, CPU_CR0, CPU_EFLAGS, CPU_TLB, CPU_WATCH, CPU_WATCHBYTES, CPU_WATCHFIRST, EFLAGS_AC,
  WATCH_ALIGN, WATCH_CODE, WATCH_DATA,
} from '../gen/layout';
import { flush } from '../memory/tlb';
import { DATA, pageOf } from '../memory/watch';
import { breakpointAt, readBreakpoint } from './debug';

/** Makes the fast paths forget a page of data, and one of code. */
function forget(cpu: usize, data: u32, code: u32): void {
  if (data != -1) store<u32>(load<u32>(cpu, CPU_TLB) + (data << 2), 0);
  if (code != -1) flushJumpsOn(cpu, code);
}

/** After a change of the debug registers: which pages are watched. Only those that are, or were, are affected. */
export function updateBreakpoints(cpu: usize): void {
  let watch = load<u32>(cpu, CPU_WATCH) & ~(WATCH_DATA | WATCH_CODE);
  let first: u32 = -1;
  let last: u32 = 0;
  for (let n: u32 = 0; n < 4; n++) {
    const data = pageOf(cpu, n, DATA);
    const code = pageOf(cpu, n, BREAKPOINTKIND_EXECUTE);
    if (readBreakpoint(cpu, n)) {
      forget(cpu, data, code);
      forget(cpu, pageOf(cpu, n, DATA), pageOf(cpu, n, BREAKPOINTKIND_EXECUTE));
    }
    const at = breakpointAt(cpu, n);
    const kinds = load<u32>(at, BREAKPOINT_KINDS);
    if (kinds & DATA) {
      watch |= WATCH_DATA;
      first = min<u32>(first, load<u32>(at, BREAKPOINT_FIRST));
      last = max<u32>(last, load<u32>(at, BREAKPOINT_FIRST) + load<u32>(at, BREAKPOINT_LENGTH) - 1);
    }
    if (kinds & BREAKPOINTKIND_EXECUTE) watch |= WATCH_CODE;
  }
  store<u32>(cpu, watch, CPU_WATCH);
  store<u32>(cpu, first, CPU_WATCHFIRST);
  store<u64>(cpu, watch & WATCH_DATA ? <u64>last - first + 1 : 0, CPU_WATCHBYTES);
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

/** updateAlignment for the hot paths: nearly always EFLAGS.AC is clear and alignment is not checked. */
@inline
export function settleAlignment(cpu: usize): void {
  if (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_AC || load<u32>(cpu, CPU_WATCH) & WATCH_ALIGN) updateAlignment(cpu);
}
