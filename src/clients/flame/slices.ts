// Samples of a lockstep machine, at ends of slices: nothing of the run is another for it, the samples are the same in each run of it, and an end is at any instruction. (A place where a thread
// may be asked is a block's start, and to stop a slice between would let the guest see its interrupts elsewhere.)
//
// A slice is drawn to be so many instructions long. That it ends just here stands for as many instructions as there are, on average, to one such end (Lockstep gives the number): few where
// slices are often so long, many where they seldom are. Samples are to stand for a period each, so of those that stand for less only some are kept, by chance.
import type { Vcpu } from '../../cpu/vcpu.ts';
import { SeededRandom } from '../../machine/lockstep/random.ts';

export interface SliceSamplingOptions {
  readonly cpus: number;
  /** Samples a second of a CPU's time, as far as slices have so many ends; each instruction takes `instructionNs`. */
  readonly hz: number;
  readonly instructionNs: number;
  /** There is a sample in the ring. */
  readonly onSample: () => void;
}

/** What SeededRandom draws is below this. */
const DRAWS = 2 ** 32;

export class SliceSampling {
  /** Whether samples are wanted. */
  on = false;
  readonly #options: SliceSamplingOptions;
  readonly #period: number;
  readonly #random = new SeededRandom(0);
  readonly #idle: number[];
  /** To where the clock has been accounted for. */
  #until = 0;

  constructor(options: SliceSamplingOptions) {
    this.#options = options;
    this.#period = 1e9 / options.hz / options.instructionNs;
    this.#idle = Array.from({ length: options.cpus }, () => 0);
  }

  /** That a CPU has waited in HLT so far. */
  idleNs(cpu: number): number {
    return Math.round(this.#idle[cpu]!);
  }

  /** A turn took from one time of the clock to another; CPUs that are not among `running` waited meanwhile, and all did before. */
  turned(running: readonly number[], from: number, to: number): void {
    const before = from - this.#until;
    for (let cpu = 0; cpu < this.#idle.length; cpu++) this.#idle[cpu]! += before + (running.includes(cpu) ? 0 : to - from);
    this.#until = to;
  }

  /** A slice of a CPU ended as it was drawn to, which stands for so many instructions. */
  ended(cpu: Vcpu, instructions: number): void {
    if (!this.on || (instructions < this.#period && this.#random.next() >= (instructions / this.#period) * DRAWS)) return;
    const ns = Math.round(Math.max(instructions, this.#period) * this.#options.instructionNs);
    cpu.instance.runtime.sample(cpu.base, BigInt(ns), BigInt(this.idleNs(cpu.index)));
    this.#options.onSample();
  }
}
