// A small generator of numbers that repeats with its seed, for what must be the same on every machine (no secrets).

/** Mulberry32: 32 bits of state, each value once in its period. */
export class SeededRandom {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A generator with this seed goes on as this one does. */
  get state(): number {
    return this.#state;
  }

  /** Goes on as the generator did whose state this was. */
  set state(state: number) {
    this.#state = state | 0;
  }

  /** An integer from 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer from 0 to `n` - 1. */
  below(n: number): number {
    return Math.floor((this.next() / 2 ** 32) * n);
  }

  fill(into: Uint8Array): void {
    for (let i = 0; i < into.length; i++) into[i] = this.next() & 0xff;
  }
}
