// How much may be on its way at once: more while all arrives, less when something is lost (NewReno: RFC 5681, 6582). What can get lost here are frames that
// the guest has no buffers for.
import { distance } from './segment.ts';

const FIRST_SEGMENTS = 10;
const COPIES = 3;
/** No window without scaling is larger. */
const MOST = 1 << 17;

export class Congestion {
  readonly #mss: number;
  #threshold = MOST;
  #copies = 0;
  /** The last sequence number that was sent when something was lost: until it is acknowledged, it is the same loss. */
  #recover: number;
  #recovers = false;
  /** Bytes. */
  window: number;

  constructor(mss: number, sequence: number) {
    this.#mss = mss;
    this.#recover = sequence;
    this.window = FIRST_SEGMENTS * mss;
  }

  /** Something new was acknowledged, `bytes` of it, up to `sequence`. True: the next one was lost as well, and is to be sent again. */
  advanced(sequence: number, bytes: number): boolean {
    const mss = this.#mss;
    this.#copies = 0;
    if (!this.#recovers) {
      this.window += this.window < this.#threshold ? Math.min(bytes, mss) : Math.max(1, Math.floor((mss * mss) / this.window));
      this.window = Math.min(this.window, MOST);
      return false;
    }
    if (distance(this.#recover, sequence) >= 0) {
      this.#recovers = false;
      this.window = this.#threshold;
      return false;
    }
    this.window = Math.max(mss, this.window - bytes + mss);
    return true;
  }

  /** The same was acknowledged again: something behind it has arrived. `sent`: where what was sent ends. True: what comes next is lost, and is to be sent again. */
  repeated(sequence: number, sent: number): boolean {
    this.#copies++;
    if (this.#recovers) {
      this.window = Math.min(this.window + this.#mss, MOST);
      return false;
    }
    if (this.#copies !== COPIES || distance(this.#recover, sequence) <= 0) return false;
    this.#halve(distance(sequence, sent));
    this.window = this.#threshold + COPIES * this.#mss;
    this.#recover = sent;
    this.#recovers = true;
    return true;
  }

  /** No acknowledgement came in time; `first`: after an acknowledgement. */
  timedOut(sequence: number, sent: number, first: boolean): void {
    if (first) this.#halve(distance(sequence, sent));
    this.window = this.#mss;
    this.#recover = sent;
    this.#recovers = false;
    this.#copies = 0;
  }

  #halve(flight: number): void {
    this.#threshold = Math.max(flight / 2, 2 * this.#mss);
  }
}
