// When the next sample is due by a clock: so often a second, but not at even distances, which a guest's own timer may have as well.
import { SeededRandom } from '../../machine/lockstep/random.ts';

export class Ticks {
  readonly #random = new SeededRandom(0);
  #hz = 0;
  /** Nanoseconds of the clock; Infinity: none is. */
  next = Number.POSITIVE_INFINITY;

  /** Whether a sample is due at `now` nanoseconds. `hz`: so often from now on; 0: never. */
  passed(now: number, hz: number): boolean {
    if (hz !== this.#hz) {
      this.#hz = hz;
      this.next = hz === 0 ? Number.POSITIVE_INFINITY : now + this.#distance();
    }
    if (now < this.next) return false;
    // One that comes late does not make others come in a row.
    this.next = Math.max(this.next, now - this.#distance()) + this.#distance();
    return true;
  }

  /** Half to one and a half times what it is on average. */
  #distance(): number {
    return (0.5 + this.#random.next() / 2 ** 32) * (1e9 / this.#hz);
  }
}
