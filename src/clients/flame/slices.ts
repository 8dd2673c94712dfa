// Samples of a lockstep machine, at ends of slices: nothing of the run is another for it, the samples are the same in each run of it, and an end is at any instruction. (A place where a thread
// may be asked is a block's start, and to stop a slice between would let the guest see its interrupts elsewhere.)
//
// A slice is drawn to be so many instructions long. That it ends just here stands for as many instructions as there are, on average, to one such end (Lockstep gives the number): few where
// slices are often so long, many where they seldom are. Samples are to stand for a period each, so of those that stand for less only some are kept, by chance.
import type { Vcpu } from '../../cpu/vcpu.ts';
import { SeededRandom } from '../../machine/lockstep/random.ts';
import type { TurnTimes } from '../../machine/lockstep/turn-times.ts';

/** What is wanted. */
export interface SlicesWanted {
  /** Samples a second of a CPU's time, as far as slices have so many ends. */
  readonly hz: number;
  /** There is a sample in the ring. */
  readonly onSample: () => void;
}

/** What SeededRandom draws is below this. */
const DRAWS = 2 ** 32;

export class SliceSampling {
  readonly #instructionNs: number;
  readonly #times: TurnTimes;
  #wanted: SlicesWanted | undefined;
  /** Instructions that a sample stands for. */
  #period = 0;
  #random = new SeededRandom(0);

  /** Each instruction takes `instructionNs`. */
  constructor(instructionNs: number, times: TurnTimes) {
    this.#instructionNs = instructionNs;
    this.#times = times;
  }

  /** From now on samples are wanted; undefined: no more. */
  want(wanted: SlicesWanted | undefined): void {
    this.#wanted = wanted;
    if (wanted === undefined) return;
    this.#period = 1e9 / wanted.hz / this.#instructionNs;
    this.#random = new SeededRandom(0);
  }

  /** That a CPU has waited in HLT so far. */
  idleNs(cpu: number): number {
    return Math.round(this.#times.of(cpu).idle);
  }

  /** A slice of a CPU ended as it was drawn to, which stands for so many instructions. */
  ended(cpu: Vcpu, instructions: number): void {
    if (this.#wanted === undefined || (instructions < this.#period && this.#random.next() >= (instructions / this.#period) * DRAWS)) return;
    const ns = Math.round(Math.max(instructions, this.#period) * this.#instructionNs);
    cpu.instance.runtime.sample(cpu.base, BigInt(ns), BigInt(this.idleNs(cpu.index)));
    this.#wanted.onSample();
  }
}
