// A ring of bytes in shared memory: one side writes, the other reads, without a lock. (Where several threads write,
// the device lock makes them one.) Counters run freely; their difference is the number of bytes inside.
import { area, shared32, struct } from '../layout/struct.ts';
import type { SharedWord, View } from '../layout/view.ts';

/** A ring of `bytes` bytes, a power of two. */
export const ringState = (bytes: number) =>
  struct({
    /** Bytes written, and read, so far. */
    head: shared32,
    tail: shared32,
    bytes: area(bytes, 64),
  });

export class ByteRing {
  readonly #head: SharedWord;
  readonly #tail: SharedWord;
  readonly #bytes: Uint8Array;
  readonly #size: number;

  constructor({ head, tail, bytes }: View<ReturnType<typeof ringState>>) {
    this.#head = head;
    this.#tail = tail;
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  /** The reader's counter, which a writer of a full ring waits on. */
  get tail(): SharedWord {
    return this.#tail;
  }

  get length(): number {
    return (this.#head.load() - this.#tail.load()) | 0;
  }

  /** Bytes that it takes now. */
  get room(): number {
    return this.#size - this.length;
  }

  /** Appends a byte; the caller made sure of room. True where the reader had taken everything before: it wants a signal. */
  push(byte: number): boolean {
    const head = this.#head.plain;
    this.#bytes[head & (this.#size - 1)] = byte;
    this.#head.store((head + 1) | 0);
    // Looked at after the store: either we see the reader's last position, or the reader sees this byte.
    return this.#tail.load() === head;
  }

  /** Appends as many of the bytes as there is room for: how many that was. */
  write(bytes: Uint8Array): number {
    const head = this.#head.plain;
    const count = Math.min(bytes.length, this.room);
    const start = head & (this.#size - 1);
    const first = Math.min(count, this.#size - start);
    this.#bytes.set(bytes.subarray(0, first), start);
    this.#bytes.set(bytes.subarray(first, count), 0);
    this.#head.store((head + count) | 0);
    return count;
  }

  /** Takes one byte; -1 when empty. */
  shift(): number {
    const tail = this.#tail.plain;
    if (this.#head.load() === tail) return -1;
    const byte = this.#bytes[tail & (this.#size - 1)];
    this.#tail.store((tail + 1) | 0);
    return byte;
  }

  /** Takes everything that is inside; undefined: nothing. Wakes a writer that waits. */
  take(): Uint8Array | undefined {
    const tail = this.#tail.plain;
    const head = this.#head.load();
    const count = (head - tail) | 0;
    if (count === 0) return undefined;
    const bytes = new Uint8Array(count);
    const start = tail & (this.#size - 1);
    const first = Math.min(count, this.#size - start);
    bytes.set(this.#bytes.subarray(start, start + first));
    bytes.set(this.#bytes.subarray(0, count - first), first);
    this.#tail.store(head);
    this.#tail.notify();
    return bytes;
  }
}
