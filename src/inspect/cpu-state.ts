// A CPU that stands still, as inspection sees it: the words of its state, and what the runtime does to them on behalf of somebody else than the guest.
import { DragomanError } from '../api/errors.ts';
import type { RuntimeExports } from '../cpu/runtime.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu, FAULT_HAS_ERROR, GPR_STRIDE, Gpr, Mode, Seg, SegCache, Vector } from '../layout/cpu.ts';
import { cpuBase } from '../layout/memory.ts';
import { type View, view } from '../layout/view.ts';

/** IA32_EFER (SDM vol. 4, table 2-2). */
const MSR_EFER = 0xc0000080;
const EFER_NXE = 0x800n;

const hex = (n: number) => `0x${n.toString(16)}`;

/** '#GP(0x8)' of Cpu.fault and its error code. */
function exceptionName(fault: number, error: number): string {
  const name = Object.entries(Vector).find(([, n]) => n === (fault & 0xff))?.[0] ?? String(fault & 0xff);
  return `#${name}${fault & FAULT_HAS_ERROR ? `(${hex(error)})` : ''}`;
}

export class CpuState {
  readonly shared: SharedMemory;
  readonly index: number;
  readonly runtime: RuntimeExports;
  /** Address of the state: what the runtime's functions take. */
  readonly base: number;
  readonly #segments: readonly View<typeof SegCache>[];

  constructor(shared: SharedMemory, runtime: RuntimeExports, index: number) {
    this.shared = shared;
    this.runtime = runtime;
    this.index = index;
    this.base = cpuBase(shared.plan, index);
    const at = (n: number) => this.base + Cpu.at.seg + n * SegCache.size;
    this.#segments = Array.from({ length: 8 }, (_, n) => view(SegCache, shared.memory.buffer, at(n)));
  }

  /** A word of the state, unsigned, by its offset. */
  get(offset: number): number {
    return this.shared.i32[(this.base + offset) >> 2]! >>> 0;
  }
  set(offset: number, value: number): void {
    this.shared.i32[(this.base + offset) >> 2] = value;
  }
  get64(offset: number): bigint {
    return BigInt(this.get(offset)) | (BigInt(this.get(offset + 4)) << 32n);
  }
  gpr(n: number): number {
    return this.get(Cpu.at.gpr + n * GPR_STRIDE);
  }
  setGpr(n: number, value: number): void {
    this.set(Cpu.at.gpr + n * GPR_STRIDE, value);
  }
  /** Bytes of the state, not a copy. */
  bytes(offset: number, length: number): Uint8Array {
    return this.shared.u8.subarray(this.base + offset, this.base + offset + length);
  }
  /** By a number of Seg. */
  segment(n: number): View<typeof SegCache> {
    return this.#segments[n]!;
  }

  /** Linear address of the next instruction. */
  get nextInstruction(): number {
    return (this.segment(Seg.CS).base + this.get(Cpu.at.eip)) >>> 0;
  }
  /** Bits of the code that runs: 32, or 16. */
  get codeBits(): 16 | 32 {
    return (this.get(Cpu.at.mode) & Mode.CODE32) !== 0 ? 32 : 16;
  }

  /**
   * Has the runtime do what an instruction does, at a privilege level. Throws BAD_OPTION that names `what` where it raises an exception, which the guest does not see; the runtime changes nothing
   * then.
   */
  execute(what: string, work: () => void, cpl = 0): void {
    const own = this.get(Cpu.at.cpl);
    const [fault, error, cr2] = [this.get(Cpu.at.fault), this.get(Cpu.at.faultError), this.get(Cpu.at.cr2)];
    this.set(Cpu.at.cpl, cpl);
    this.set(Cpu.at.fault, 0);
    work();
    const raised = this.get(Cpu.at.fault);
    const message = raised === 0 ? undefined : `the processor answers ${exceptionName(raised, this.get(Cpu.at.faultError))}`;
    for (const [offset, value] of [
      [Cpu.at.cpl, own],
      [Cpu.at.fault, fault],
      [Cpu.at.faultError, error],
      [Cpu.at.cr2, cr2],
    ] as const)
      this.set(offset, value);
    // The mode has a bit of the privilege level.
    if (own !== cpl) this.runtime.updateMode(this.base);
    if (message !== undefined) throw new DragomanError('BAD_OPTION', message, what);
  }

  /** What RDMSR reads at privilege level 0. Throws BAD_OPTION where there is no such register. */
  msr(index: number): bigint {
    const kept = [Gpr.EAX, Gpr.ECX, Gpr.EDX].map((n) => [n, this.gpr(n)] as const);
    this.setGpr(Gpr.ECX, index);
    try {
      this.execute(`msr ${hex(index)}`, () => this.runtime.rdmsr(this.base));
      return BigInt(this.gpr(Gpr.EAX)) | (BigInt(this.gpr(Gpr.EDX)) << 32n);
    } finally {
      for (const [n, value] of kept) this.setGpr(n, value);
    }
  }

  /** Whether page tables may forbid to execute (IA32_EFER.NXE). */
  get hasNoExecute(): boolean {
    return (this.msr(MSR_EFER) & EFER_NXE) !== 0n;
  }
}
