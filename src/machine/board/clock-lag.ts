// How far the guest's clock lags behind the host's: by the time of stalls that was hidden from the guest (stalls.ts). It catches up slowly.
// The words are shared: all clocks of all threads lag alike.
import { CATCH_UP_PARTS, ClockAsks, CONTROL, Control, controlWord } from '../../layout/memory.ts';

/** A lag does not grow beyond this. */
export const LARGEST_LAG_NS = 1e9;
/** While it lags, the guest's clock is faster than the host's by this part. */
export const CATCH_UP = 1 / CATCH_UP_PARTS;

const LAG = 0;
const SINCE = 1;
const SEEN = 2;

export class ClockLag {
  readonly #d: Float64Array;
  readonly #i32: Int32Array;
  readonly #asks = controlWord(Control.at.clockAsks);
  readonly #changes = controlWord(Control.at.clockChanges);

  constructor(memory: { readonly buffer: ArrayBufferLike }) {
    this.#i32 = new Int32Array(memory.buffer);
    this.#d = new Float64Array(memory.buffer, CONTROL + Control.at.clockLag, 3);
  }

  get lags(): boolean {
    return (this.#i32[this.#asks]! & ClockAsks.LAGS) !== 0;
  }

  /** The lag at `host` nanoseconds since power-on. wasm/system/clock.ts has the same. */
  at(host: number): number {
    const lag = this.#d[LAG]!;
    return lag === 0 ? 0 : Math.max(0, lag - (host - this.#d[SINCE]!) * CATCH_UP);
  }

  /**
   * The last `ns` before `host` are hidden, or as much of them as may be: the clock does not go back behind what timers have seen. Meanwhile it did
   * not catch up, either. Device lock held.
   */
  grow(host: number, ns: number): void {
    const lag = this.at(host - ns);
    const more = Math.min(ns, LARGEST_LAG_NS - lag, host - lag - this.#d[SEEN]!);
    if (more <= 0) return;
    this.#d[LAG] = lag + more;
    this.#d[SINCE] = host;
    Atomics.or(this.#i32, this.#asks, ClockAsks.LAGS);
  }

  /** Notes the end of a lag. Device lock held. */
  relax(host: number): void {
    if (this.#d[LAG] !== 0 && this.at(host) === 0) this.forget();
  }

  /** No lag: nobody has read the clock yet. Device lock held. */
  forget(): void {
    this.#d[LAG] = 0;
    Atomics.and(this.#i32, this.#asks, ~ClockAsks.LAGS);
  }

  /** A timer ran at `now` of the guest's clock. Device lock held. */
  saw(now: number): void {
    this.#d[SEEN] = Math.max(this.#d[SEEN]!, now);
  }

  /** A CPU enters HLT or leaves it. Device lock held. */
  changed(): void {
    Atomics.add(this.#i32, this.#changes, 1);
  }
  get changes(): number {
    return this.#i32[this.#changes]!;
  }
}
