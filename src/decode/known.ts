// What was decoded before, found by its bytes. Code repeats itself: of the instructions in the regions of a boot of Linux four in five have the bytes of one of the
// last 4,096 that were others, and asking iced-x86 takes some ten times as long as finding them here.

/** Then all are forgotten: code that is made while it runs has ever new constants in it. */
const MOST = 4096;

/** Of one kind of code. No instruction is the beginning of another one, so a walk from byte to byte ends at one, or nowhere. */
export class Known<T> {
  /** By a place * 256 + the next byte: the next place; where all bytes are there, -1 - the number of what was found. */
  private readonly steps = new Map<number, number>();
  private readonly found: T[] = [];
  private places = 1;

  /** What stands at `at`; undefined where it was never seen. */
  find(bytes: Uint8Array, at: number): T | undefined {
    const { steps } = this;
    let place = 0;
    for (let k = at; k < bytes.length; k++) {
      const step = steps.get(place * 256 + bytes[k]!);
      if (step === undefined) return undefined;
      if (step < 0) return this.found[-1 - step];
      place = step;
    }
    return undefined;
  }

  /** `x` is what stands in `length` bytes at `at`, which `find` does not know. */
  add(bytes: Uint8Array, at: number, length: number, x: T): void {
    const { steps } = this;
    if (this.found.length === MOST) {
      steps.clear();
      this.found.length = 0;
      this.places = 1;
    }
    let place = 0;
    for (let k = at; k < at + length - 1; k++) {
      const step = place * 256 + bytes[k]!;
      const next = steps.get(step) ?? this.places++;
      steps.set(step, next);
      place = next;
    }
    steps.set(place * 256 + bytes[at + length - 1]!, -this.found.push(x));
  }
}
