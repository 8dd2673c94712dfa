// The host's clock as a machine knows it: from power-on, without the time in which the machine was paused. The words are shared: it stands still for all threads.
import { CONTROL, Control, controlWord } from '../../layout/memory.ts';

export class Standstill {
  readonly #words: BigUint64Array;
  readonly #i32: Int32Array;
  readonly #start = (CONTROL + Control.at.clockStart) >> 3;
  readonly #pausedAt = (CONTROL + Control.at.pausedAt) >> 3;
  readonly #paused = controlWord(Control.at.paused);

  constructor({ buffer }: { readonly buffer: ArrayBufferLike }) {
    this.#words = new BigUint64Array(buffer);
    this.#i32 = new Int32Array(buffer);
  }

  /** Power-on was at `now`, nanoseconds of the host's monotonic clock. */
  powerOn(now: bigint): void {
    this.#words[this.#start] = now;
  }

  /** It was so long before `now`, and the clock stands still there. */
  standAt(ns: number, now: bigint): void {
    this.powerOn(now - BigInt(Math.ceil(ns)));
    this.begin(now);
  }

  /** Nanoseconds from power-on to `now` without pauses; to the start of the pause where the machine is in one. */
  since(now: () => bigint): number {
    return Number((this.#i32[this.#paused] === 0 ? now() : this.#words[this.#pausedAt]!) - this.#words[this.#start]!);
  }

  /** The clock stands still from `now` on, if it does not already. No CPU runs, nor the timekeeper. */
  begin(now: bigint): void {
    if (this.#i32[this.#paused] !== 0) return;
    this.#words[this.#pausedAt] = now;
    this.#i32[this.#paused] = 1;
  }

  /** And goes on. */
  end(now: bigint): void {
    if (this.#i32[this.#paused] === 0) return;
    this.#words[this.#start]! += now - this.#words[this.#pausedAt]!;
    this.#i32[this.#paused] = 0;
  }
}
