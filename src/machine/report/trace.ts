// The execution trace from the CPUs' rings (wasm/engine/trace.ts) to lines of text, and the wait of a CPU whose ring is full.
// The lines are described in docs/trace.md.
import type { SharedMemory } from '../../cpu/state.ts';
import type { Outlet } from '../../devices/outlet.ts';
import { Cpu, Delivery } from '../../layout/cpu.ts';
import { Control, CpuArea, controlWord, cpuBase, TRACE_RECORDS, TraceKind, TraceRecord } from '../../layout/memory.ts';

/** Lines that are handed over at once. */
const BATCH = 1024;
const WAIT_MS = 100;

const REGISTERS = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'] as const;
const BYTE = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));
const hex8 = (n: number) => BYTE[n >>> 24]! + BYTE[(n >>> 16) & 255]! + BYTE[(n >>> 8) & 255]! + BYTE[n & 255]!;
const hex4 = (n: number) => BYTE[(n >>> 8) & 255]! + BYTE[n & 255]!;

function kindOfDelivery(what: number): string {
  if ((what & Delivery.SHUTDOWN) !== 0) return 'shutdown ';
  if ((what & Delivery.INTERRUPT) !== 0) return 'interrupt';
  return (what & Delivery.SOFTWARE) !== 0 ? 'software ' : 'exception';
}

/** The name of the code at an address. */
export type NameOf = (eip: number) => string | undefined;

/** The line, without a newline, of the record whose first word has index `at`. */
function line(i32: Int32Array, at: number, cpu: number, nameOf: NameOf | undefined): string {
  const text = plainLine(i32, at, cpu);
  if (nameOf === undefined) return text;
  const name = nameOf(i32[at + (TraceRecord.at.eip >> 2)]! >>> 0);
  return name === undefined ? text : `${text} ${name}`;
}

function plainLine(i32: Int32Array, at: number, cpu: number): string {
  const field = (offset: number) => i32[at + (offset >> 2)]!;
  const { at: f } = TraceRecord;
  const kind = field(f.kind);
  const eip = hex8(field(f.eip));
  const where = `CPL=${field(f.cpl)} CS=${hex4(field(f.cs))} CR3=${hex8(field(f.cr3))}`;
  if ((kind & 0xff) === TraceKind.DELIVERY) {
    const what = kind >>> 8;
    const error = (what & Delivery.ERROR) !== 0 ? hex4(field(f.error)) : '----';
    return `${cpu} ! ${eip} ${kindOfDelivery(what)} v=${BYTE[what & 0xff]} e=${error} CR2=${hex8(field(f.cr2))} ${where}`;
  }
  let registers = '';
  for (let n = 0; n < 8; n++) registers += `${REGISTERS[n]}=${hex8(field(f.gpr + n * 4))} `;
  return `${cpu} ${kind === TraceKind.TRANSLATED ? 'J' : 'I'} ${eip} ${registers}EFL=${hex8(field(f.eflags))} ${where}`;
}

export interface TraceWanted {
  /** So many lines, and then `onLast`. Default: without end. */
  readonly count?: number | undefined;
  readonly onLast?: () => void;
  /** For names behind the lines. */
  readonly nameOf?: NameOf | undefined;
}

/** The host's end of the rings. */
export class TraceReader {
  private readonly shared: SharedMemory;
  private readonly outlet: Outlet<string>;
  private readonly wanted: TraceWanted;
  /** Lines to come. */
  private left: number;
  /** The CPU whose turn it is: none must wait for ever because another one always has more. */
  private next = 0;

  constructor(shared: SharedMemory, outlet: Outlet<string>, wanted: TraceWanted = {}) {
    this.shared = shared;
    this.outlet = outlet;
    this.wanted = wanted;
    this.left = wanted.count ?? Number.POSITIVE_INFINITY;
  }

  /** Hands over what the rings hold now, each CPU's in its order, as far as the receiver takes it. */
  drain(): void {
    const { cpuCount } = this.shared.plan;
    for (let n = 0; n < cpuCount && this.outlet.open; n++) {
      const cpu = this.next;
      this.next = (cpu + 1) % cpuCount;
      this.drainCpu(cpu);
    }
  }

  private drainCpu(cpu: number): void {
    const { i32, plan } = this.shared;
    const base = cpuBase(plan, cpu);
    const tailAt = (base + Cpu.at.traceTail) >> 2;
    const head = Atomics.load(i32, (base + Cpu.at.traceHead) >> 2);
    let tail = i32[tailAt]!;
    while (tail !== head && this.outlet.open) {
      let text = '';
      const records = Math.min(BATCH, (head - tail) >>> 0);
      // Records behind the last line that is wanted are passed over.
      for (let n = 0; n < Math.min(records, this.left); n++) {
        const at = base + CpuArea.at.trace + ((tail + n) & (TRACE_RECORDS - 1)) * TraceRecord.size;
        text += `${line(i32, at >> 2, cpu, this.wanted.nameOf)}\n`;
      }
      tail = (tail + records) | 0;
      if (this.left > 0) {
        this.left -= records;
        if (this.left <= 0) this.wanted.onLast?.();
      }
      Atomics.store(i32, tailAt, tail);
      Atomics.notify(i32, tailAt);
      if (text !== '') this.outlet.give(text);
    }
  }
}

/** On the thread of the CPU at `base`: wakes the host, and waits while the ring is full. Comes back at once where the machine stops. */
export function handOverTrace(shared: SharedMemory, base: number): void {
  const { i32 } = shared;
  const signal = controlWord(Control.at.ioSignal);
  const tailAt = (base + Cpu.at.traceTail) >> 2;
  const head = i32[(base + Cpu.at.traceHead) >> 2]!;
  for (;;) {
    Atomics.add(i32, signal, 1);
    Atomics.notify(i32, signal);
    const tail = Atomics.load(i32, tailAt);
    if ((head - tail) >>> 0 < TRACE_RECORDS || Atomics.load(i32, controlWord(Control.at.stop)) !== 0) return;
    Atomics.wait(i32, tailAt, tail, WAIT_MS);
  }
}

/** Wakes the CPUs that wait for room, so that they see that the machine stops. */
export function releaseTracers(shared: SharedMemory): void {
  const { i32, plan } = shared;
  for (let cpu = 0; cpu < plan.cpuCount; cpu++) Atomics.notify(i32, (cpuBase(plan, cpu) + Cpu.at.traceTail) >> 2);
}
