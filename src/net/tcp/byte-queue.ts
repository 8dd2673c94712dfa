// Bytes that wait, first in, first out, as one piece of memory: however small the pieces are that they come in, they take no more than they are.

const SMALLEST = 4096;
/** What an empty queue keeps. */
const KEPT = 16_384;

export class ByteQueue {
  #bytes = new Uint8Array(0);
  #at = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Puts a copy behind what waits. */
  push(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(this.#length + bytes.length);
    const size = this.#bytes.length;
    const end = (this.#at + this.#length) % (size || 1);
    const first = Math.min(bytes.length, size - end);
    this.#bytes.set(bytes.subarray(0, first), end);
    this.#bytes.set(bytes.subarray(first), 0);
    this.#length += bytes.length;
  }

  /** A copy of bytes that wait, from the first one's distance `from` on. */
  copy(from: number, length: number): Uint8Array {
    const copy = new Uint8Array(length);
    const start = (this.#at + from) % (this.#bytes.length || 1);
    const first = Math.min(length, this.#bytes.length - start);
    copy.set(this.#bytes.subarray(start, start + first));
    copy.set(this.#bytes.subarray(0, length - first), first);
    return copy;
  }

  /** Takes the first ones away. */
  drop(length: number): void {
    this.#length -= length;
    this.#at = (this.#at + length) % (this.#bytes.length || 1);
    if (this.#length > 0) return;
    this.#at = 0;
    if (this.#bytes.length > KEPT) this.#bytes = new Uint8Array(0);
  }

  #grow(least: number): void {
    let size = Math.max(this.#bytes.length, SMALLEST);
    while (size < least) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(this.copy(0, this.#length));
    this.#bytes = grown;
    this.#at = 0;
  }
}
