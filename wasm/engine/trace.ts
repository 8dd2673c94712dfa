// The execution trace, where Control.trace asks for it: a record for each block entered and each exception or interrupt, in the
// CPU's ring, but for what it is to have nothing of (Cpu.traceSkips, Control.traceRanges, Control.traceFrom). The host makes lines of them (src/machine/report/trace.ts). A CPU that finds its ring full waits for the host.
import { hostTrace } from '../gen/host';
import { Cpu, CpuArea, control, Delivery, Seg, TRACE_RECORDS, TRACE_WAKE, TraceKind, TraceSkips } from '../gen/layout';
import { readFlags } from '../system/flags';

@inline
function isFull(cpu: Cpu, head: u32): bool {
  return head - cpu.traceTail.load() >= TRACE_RECORDS;
}

/** Whether an address is one that the trace is of, and the CPU has come so far. */
function isWithin(cpu: Cpu, eip: u32): bool {
  if (cpu.countInterpreted + cpu.countTranslated < control.traceFrom) return false;
  const count = control.traceRangeCount;
  if (!count) return true;
  const linear = cpu.seg[Seg.CS].base + eip;
  for (let n: u32 = 0; n < count; n++) {
    const range = control.traceRanges[n];
    if (linear >= range.first && linear <= range.last) return true;
  }
  return false;
}

/** `kind`: a bit of TraceSkips. */
@inline
function isWanted(cpu: Cpu, kind: u32, eip: u32): bool {
  return !(cpu.traceSkips.plain & kind) && isWithin(cpu, eip);
}

/** Writes a record of the CPU's state, of a block or delivery at `eip`. It is lost only where the machine stops and the ring is full. */
function write(cpu: Cpu, kind: u32, eip: u32, error: u32): void {
  const head = cpu.traceHead.plain;
  if (!(head & (TRACE_WAKE - 1)) || isFull(cpu, head)) {
    hostTrace(cpu);
    if (isFull(cpu, head)) return;
  }
  const record = changetype<CpuArea>(cpu).trace[head & (TRACE_RECORDS - 1)];
  record.kind = kind;
  record.eip = eip;
  record.cs = cpu.seg[Seg.CS].selector;
  record.cpl = cpu.cpl;
  record.cr3 = cpu.cr3;
  record.eflags = readFlags(cpu);
  for (let n: u32 = 0; n < 8; n++) record.gpr[n] = cpu.gpr[n];
  record.error = error;
  record.cr2 = cpu.cr2;
  cpu.traceHead.store(head + 1);
}

/** The interpreter is about to run the block at `eip`. */
export function traceInterpreted(cpu: Cpu, eip: u32): void {
  if (isWanted(cpu, TraceSkips.BLOCKS, eip)) write(cpu, TraceKind.INTERPRETED, eip, 0);
}

/** A region is about to run the block at `eip`; registers and flags are in the CPU's state. */
export function traceTranslated(cpu: Cpu, eip: u32): void {
  if (isWanted(cpu, TraceSkips.BLOCKS, eip)) write(cpu, TraceKind.TRANSLATED, eip, 0);
}

/** An exception or interrupt at Cpu.eip. `what`: its vector, with bits of Delivery. */
export function traceDelivery(cpu: Cpu, what: u32, error: u32): void {
  const kind = what & (Delivery.INTERRUPT | Delivery.SOFTWARE) ? TraceSkips.INTERRUPTS : TraceSkips.EXCEPTIONS;
  if (isWanted(cpu, kind, cpu.eip)) write(cpu, TraceKind.DELIVERY | (what << 8), cpu.eip, error);
}
