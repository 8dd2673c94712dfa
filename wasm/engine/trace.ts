// The execution trace, where Control.trace asks for it: a record for each block entered and each exception or interrupt, in the
// CPU's ring. The host makes lines of them (src/machine/report/trace.ts). A CPU that finds its ring full waits for the host.
import {
  AREA_TRACE, CPU_CPL, CPU_CR2, CPU_CR3, CPU_EIP, CPU_GPR, CPU_SEG, CPU_TRACEHEAD, CPU_TRACETAIL, GPR_STRIDE, SEG_CS, SEG_SELECTOR, SEG_SIZE,
  TRACE_CPL, TRACE_CR2, TRACE_CR3, TRACE_CS, TRACE_EFLAGS, TRACE_EIP, TRACE_ERROR, TRACE_GPR, TRACE_KIND, TRACEKIND_DELIVERY,
  TRACEKIND_INTERPRETED, TRACEKIND_TRANSLATED, TRACE_RECORDS, TRACE_SIZE, TRACE_WAKE,
} from '../gen/layout';
import { readFlags } from '../system/flags';
import { hostTrace } from '../base/host';

@inline
function isFull(cpu: usize, head: u32): bool {
  return head - atomic.load<u32>(cpu, CPU_TRACETAIL) >= TRACE_RECORDS;
}

/** Writes a record of the CPU's state, of a block or delivery at `eip`. It is lost only where the machine stops and the ring is full. */
function write(cpu: usize, kind: u32, eip: u32, error: u32): void {
  const head = load<u32>(cpu, CPU_TRACEHEAD);
  if (!(head & (TRACE_WAKE - 1)) || isFull(cpu, head)) {
    hostTrace(cpu);
    if (isFull(cpu, head)) return;
  }
  const record = cpu + AREA_TRACE + (head & (TRACE_RECORDS - 1)) * TRACE_SIZE;
  store<u32>(record, kind, TRACE_KIND);
  store<u32>(record, eip, TRACE_EIP);
  store<u32>(record, load<u32>(cpu + SEG_CS * SEG_SIZE, CPU_SEG + SEG_SELECTOR), TRACE_CS);
  store<u32>(record, load<u32>(cpu, CPU_CPL), TRACE_CPL);
  store<u32>(record, load<u32>(cpu, CPU_CR3), TRACE_CR3);
  store<u32>(record, readFlags(cpu), TRACE_EFLAGS);
  for (let n: u32 = 0; n < 8; n++) store<u32>(record + n * 4, load<u32>(cpu + n * GPR_STRIDE, CPU_GPR), TRACE_GPR);
  store<u32>(record, error, TRACE_ERROR);
  store<u32>(record, load<u32>(cpu, CPU_CR2), TRACE_CR2);
  atomic.store<u32>(cpu, head + 1, CPU_TRACEHEAD);
}

/** The interpreter is about to run the block at `eip`. */
export function traceInterpreted(cpu: usize, eip: u32): void {
  write(cpu, TRACEKIND_INTERPRETED, eip, 0);
}

/** A region is about to run the block at `eip`; registers and flags are in the CPU's state. */
export function traceTranslated(cpu: usize, eip: u32): void {
  write(cpu, TRACEKIND_TRANSLATED, eip, 0);
}

/** An exception or interrupt at Cpu.eip. `what`: its vector, with bits of Delivery. */
export function traceDelivery(cpu: usize, what: u32, error: u32): void {
  write(cpu, TRACEKIND_DELIVERY | (what << 8), load<u32>(cpu, CPU_EIP), error);
}
