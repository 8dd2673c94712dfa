// What changes which accesses need a closer look (memory/watch.ts): the debug registers, CR0.AM, EFLAGS.AC and the CPL. Nobody asks here on an access.
import { flushJumpsOn } from '../engine/fetched';
import { BreakpointKind, Cpu, Cr0, control, Eflags, Watch } from '../gen/layout';
import { proveDirect } from '../memory/direct-map';
import { flushAndProve } from '../memory/tlb';
import { DATA, pageOf } from '../memory/watch';
import { forgetTable } from '../segments/table';
import { breakpointAt, readBreakpoint } from './debug';

/** Makes the fast paths forget a page of data, and one of code. */
function forget(cpu: Cpu, data: u32, code: u32): void {
  if (data != -1) store<u32>(cpu.tlb + (data << 2), 0);
  if (code != -1) flushJumpsOn(cpu, code);
}

/** After a change of the debug registers: which pages are watched. Only those that are, or were, are affected. (Behind a change of the host's breakpoints the TLB and the jump caches are empty.) */
export function updateBreakpoints(cpu: Cpu): void {
  forgetTable(cpu);
  let watch = cpu.watch & ~(Watch.DATA | Watch.CODE);
  let first: u32 = -1;
  let last: u32 = 0;
  for (let n: u32 = 0; n < 4; n++) {
    const data = pageOf(cpu, n, DATA);
    const code = pageOf(cpu, n, BreakpointKind.EXECUTE);
    if (!readBreakpoint(cpu, n)) continue;
    forget(cpu, data, code);
    forget(cpu, pageOf(cpu, n, DATA), pageOf(cpu, n, BreakpointKind.EXECUTE));
  }
  for (let n: u32 = 0, count: u32 = 4 + control.debugCount; n < count; n++) {
    const at = n < 4 ? breakpointAt(cpu, n) : control.debugPoints[n - 4];
    const kinds = at.kinds;
    if (kinds & DATA) {
      watch |= Watch.DATA;
      first = min<u32>(first, at.first);
      last = max<u32>(last, at.first + at.length - 1);
    }
    if (kinds & BreakpointKind.EXECUTE) watch |= Watch.CODE;
  }
  const before = cpu.watch;
  cpu.watch = watch;
  if ((before ^ watch) & (Watch.DATA | Watch.CODE)) proveDirect(cpu);
  cpu.watchFirst = first;
  cpu.watchBytes = watch & Watch.DATA ? <u64>last - first + 1 : 0;
}

function changeAlignment(cpu: Cpu): void {
  const watch = cpu.watch;
  const on = cpu.cpl == 3 && cpu.eflags & Eflags.AC && cpu.cr0 & Cr0.AM;
  if (((watch & Watch.ALIGN) != 0) == (on != 0)) return;
  cpu.watch = watch ^ Watch.ALIGN;
  // What is in the TLB already would let accesses pass.
  if (on) {
    flushAndProve(cpu);
  }
}

/** After a change of CPL, EFLAGS.AC or CR0.AM: whether alignment is checked. Nearly always EFLAGS.AC is clear and it is not. */
@inline
export function updateAlignment(cpu: Cpu): void {
  if (cpu.eflags & Eflags.AC || cpu.watch & Watch.ALIGN) changeAlignment(cpu);
}
