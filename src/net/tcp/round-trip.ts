// How long an acknowledgement may take before its segment counts as lost (RFC 6298): from the times that others took, longer after each loss.

const FIRST_MS = 1000;
/** Less than Linux waits with an acknowledgement would be too little. */
const LEAST_MS = 200;
const MOST_MS = 60_000;

export class RoundTrip {
  #smoothed: number | undefined;
  #variation = 0;
  #timeout = FIRST_MS;

  /** Milliseconds. */
  get timeout(): number {
    return this.#timeout;
  }

  /** A segment that was sent once was acknowledged after this time. */
  sample(ms: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = ms;
      this.#variation = ms / 2;
    } else {
      this.#variation += (Math.abs(this.#smoothed - ms) - this.#variation) / 4;
      this.#smoothed += (ms - this.#smoothed) / 8;
    }
    this.reset();
  }

  /** Nothing came in time. */
  back(): void {
    this.#timeout = Math.min(MOST_MS, this.#timeout * 2);
  }

  /** Something came. */
  reset(): void {
    const wanted = this.#smoothed === undefined ? FIRST_MS : this.#smoothed + 4 * this.#variation;
    this.#timeout = Math.min(MOST_MS, Math.max(LEAST_MS, wanted));
  }
}
