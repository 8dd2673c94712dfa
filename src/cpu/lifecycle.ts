// What becomes of a CPU between its instructions: HLT and what ends it, INIT, start-up IPIs (SDM vol. 3, 9.1 and 9.4). Both executors go by it; how a CPU
// sleeps, and who runs meanwhile, is theirs.
import { Cpu, Eflags, Exit, Pending, Seg, SegCache } from '../layout/cpu.ts';
import { Control, controlWord } from '../layout/memory.ts';
import { initCpu } from './state.ts';
import type { Vcpu } from './vcpu.ts';

/** Bits that wake a CPU which waits for a start-up IPI. */
const STARTS = Pending.INIT | Pending.SIPI | Pending.STOP;

/** Bits of Cpu.pending that end the wait which the CPU at `base` is in, or would be in: an NMI not while another is being served. */
export function wakeBits(i32: Int32Array, base: number): number {
  const at = (offset: number) => i32[(base + offset) >> 2]!;
  if (at(Cpu.at.awaitsStartup) !== 0) return STARTS;
  const nmi = at(Cpu.at.nmiBlocked) === 0 ? Pending.NMI | Pending.NMI_AGAIN : 0;
  return STARTS | nmi | ((at(Cpu.at.eflags) & Eflags.IF) !== 0 ? Pending.INTR : 0);
}

export class Lifecycle {
  readonly #cpu: Vcpu;
  readonly #pending: number;
  readonly #startVector: () => number;

  /** `startVector`: takes the vector of the start-up IPI that has come. */
  constructor(cpu: Vcpu, startVector: () => number) {
    this.#cpu = cpu;
    this.#pending = (cpu.base + Cpu.at.pending) >> 2;
    this.#startVector = startVector;
  }

  /** The CPU waits for a start-up IPI. */
  get awaitsStartup(): boolean {
    return this.#cpu.get(Cpu.at.awaitsStartup) !== 0;
  }
  /** It executes nothing: it waits for a start-up IPI, or is in HLT. */
  get waits(): boolean {
    return this.awaitsStartup || this.#cpu.get(Cpu.at.halted) !== 0;
  }
  /** An interrupt would end its HLT. */
  get takesInterrupts(): boolean {
    return !this.awaitsStartup && (this.#cpu.get(Cpu.at.eflags) & Eflags.IF) !== 0;
  }

  /** Ends the CPU's wait if something has come that does. True where it runs now. */
  wake(): boolean {
    if (this.awaitsStartup) {
      // One after the other: an INIT that came before the start-up IPI is done before it.
      if (this.#take(Pending.INIT)) this.#init();
      if (!this.#take(Pending.SIPI)) return false;
      this.#startUp(this.#startVector());
      return true;
    }
    if (this.#cpu.get(Cpu.at.halted) === 0) return true;
    const { i32 } = this.#cpu.shared;
    if ((Atomics.load(i32, this.#pending) & wakeBits(i32, this.#cpu.base)) === 0) return false;
    this.endHalt();
    return true;
  }

  /** The CPU leaves HLT: something has come that ends it. */
  endHalt(): void {
    this.#cpu.set(Cpu.at.halted, 0);
    this.#cpu.set(Cpu.at.shadow, 0);
  }

  /** What follows from the Exit that the run loop came back with. undefined: the CPU goes on, or waits; else it has ended, with this Exit. */
  after(exit: number): number | undefined {
    switch (exit) {
      case Exit.HALT:
        return undefined;
      case Exit.INIT:
        this.#take(Pending.INIT);
        return this.#init() ? undefined : Exit.RESET;
      case Exit.SIPI:
        // It runs already.
        this.#take(Pending.SIPI);
        return undefined;
      default:
        return exit;
    }
  }

  #take(bit: number): boolean {
    return (Atomics.and(this.#cpu.shared.i32, this.#pending, ~bit) & bit) !== 0;
  }

  /** INIT: the CPU waits for a start-up IPI then, but for the boot CPU, which goes on at the reset vector. False: there it finds nothing, as the machine has no ROM. */
  #init(): boolean {
    const cpu = this.#cpu;
    const { shared, base, index, instance, blocks } = cpu;
    if (index === 0 && shared.i32[controlWord(Control.at.romBytes)] === 0) return false;
    const { runtime } = instance;
    runtime.flush!(base);
    blocks.bumpJumps();
    runtime.unblockNmi!(base);
    initCpu(shared, index);
    runtime.updateBreakpoints!(base);
    runtime.updateStep!(base);
    cpu.refresh();
    return true;
  }

  /** A start-up IPI: to the first byte of a page below 1 MiB, in real mode (SDM vol. 3, 9.4.3). */
  #startUp(vector: number): void {
    const cpu = this.#cpu;
    const cs = Cpu.at.seg + Seg.CS * SegCache.size;
    cpu.set(cs + SegCache.at.selector, vector << 8);
    cpu.set(cs + SegCache.at.base, vector << 12);
    cpu.set(Cpu.at.eip, 0);
    cpu.set(Cpu.at.awaitsStartup, 0);
    cpu.set(Cpu.at.halted, 0);
    cpu.refresh();
  }
}
