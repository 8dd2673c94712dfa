// The clock of a lockstep machine: it goes on with the instructions that are executed, and jumps where all CPUs wait.
import type { Clock } from '../../devices/device.ts';

/** Nanoseconds of an instruction, where one CPU runs. */
export const NS = 2;

export class VirtualClock implements Clock {
  readonly #wall: number;
  #now = 0;
  /** Nanoseconds of the slice that runs now. */
  #running: (() => number) | undefined;

  /** `wallMs`: Unix milliseconds at power-on. */
  constructor(wallMs: number) {
    this.#wall = wallMs;
  }

  now(): number {
    return this.#running === undefined ? this.#now : this.#now + this.#running();
  }
  wallMs(): number {
    return this.#wall + this.now() / 1e6;
  }

  /** Runs `work`, in which the time goes on from `start` by what `passed` says. */
  during<T>(start: number, passed: () => number, work: () => T): T {
    this.#now = start;
    this.#running = passed;
    try {
      return work();
    } finally {
      this.#now = start + passed();
      this.#running = undefined;
    }
  }

  /** Goes back, or on, to a time (between turns' parts). */
  set(to: number): void {
    this.#now = to;
  }

  /** Goes on to a later time. */
  jump(to: number): void {
    this.#now = Math.max(this.#now, to);
  }
}
