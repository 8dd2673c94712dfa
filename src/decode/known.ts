// A tree of bytes: what was found before, by the first bytes that it has.

/** Steps that there is room for; then all is forgotten. */
const MOST = 1 << 14;
const SLOT_BITS = 15;
const SLOTS = 1 << SLOT_BITS;

/** Of one kind of code. Nothing that is known by its bytes is the beginning of another, so a walk from byte to byte ends at one, or nowhere. */
export class Known<T> {
  /** Pairs, by open hashing: a place * 256 + the next byte + 1; the next place or, where all bytes are there, -1 - the number of what was found. */
  private readonly steps = new Int32Array(2 * SLOTS);
  private readonly found: T[] = [];
  private places = 1;
  private count = 0;

  /** Where a pair is, or is to be. */
  private slot(key: number): number {
    const { steps } = this;
    let slot = (Math.imul(key, 0x9e3779b1) >>> (32 - SLOT_BITS)) << 1;
    while (steps[slot] !== 0 && steps[slot] !== key) slot = (slot + 2) & (2 * SLOTS - 1);
    return slot;
  }

  /** What is known by the bytes from `at` on; undefined where it was never seen. */
  find(bytes: Uint8Array, at: number): T | undefined {
    const { steps } = this;
    let place = 0;
    for (let k = at; k < bytes.length; k++) {
      const step = steps[this.slot(place * 256 + bytes[k]! + 1) + 1]!;
      if (step === 0) return undefined;
      if (step < 0) return this.found[-1 - step];
      place = step;
    }
    return undefined;
  }

  /** `x` is known by `length` bytes at `at`, by which `find` knows nothing. */
  add(bytes: Uint8Array, at: number, length: number, x: T): void {
    const { steps } = this;
    if (this.count + length > MOST) this.forget();
    let place = 0;
    for (let k = 0; k < length; k++) {
      const key = place * 256 + bytes[at + k]! + 1;
      const slot = this.slot(key);
      if (steps[slot] === 0) {
        steps[slot] = key;
        steps[slot + 1] = k === length - 1 ? -this.found.push(x) : this.places++;
        this.count++;
      }
      place = steps[slot + 1]!;
    }
  }

  forget(): void {
    this.steps.fill(0);
    this.found.length = 0;
    this.places = 1;
    this.count = 0;
  }
}
