// A ring of bytes in shared memory: one side writes, the other reads, without a lock. (Where several threads write,
// the device lock makes them one.) Counters run freely; their difference is the number of bytes inside.

const HEAD = 0;
const TAIL = 1;
const HEADER_WORDS = 16;

/** Shared words of a ring of `bytes` bytes (a power of two). */
export const ringWords = (bytes: number): number => HEADER_WORDS + bytes / 4;

export class ByteRing {
  /** Shared words; the reader's counter, which a writer of a full ring waits on, is at `tailIndex`. */
  readonly words: Int32Array;
  readonly tailIndex = TAIL;
  readonly #bytes: Uint8Array;
  readonly #size: number;

  constructor(words: Int32Array, bytes: number) {
    this.words = words;
    this.#size = bytes;
    this.#bytes = new Uint8Array(words.buffer, words.byteOffset + HEADER_WORDS * 4, bytes);
  }

  get length(): number {
    return (Atomics.load(this.words, HEAD) - Atomics.load(this.words, TAIL)) | 0;
  }

  /** Bytes that it takes now. */
  get room(): number {
    return this.#size - this.length;
  }

  get tail(): number {
    return Atomics.load(this.words, TAIL);
  }

  /** Appends a byte; the caller made sure of room. True where the reader had taken everything before: it wants a signal. */
  push(byte: number): boolean {
    const head = this.words[HEAD];
    this.#bytes[head & (this.#size - 1)] = byte;
    Atomics.store(this.words, HEAD, (head + 1) | 0);
    // Looked at after the store: either we see the reader's last position, or the reader sees this byte.
    return Atomics.load(this.words, TAIL) === head;
  }

  /** Appends as many of the bytes as there is room for: how many that was. */
  write(bytes: Uint8Array): number {
    const head = this.words[HEAD];
    const count = Math.min(bytes.length, this.room);
    const start = head & (this.#size - 1);
    const first = Math.min(count, this.#size - start);
    this.#bytes.set(bytes.subarray(0, first), start);
    this.#bytes.set(bytes.subarray(first, count), 0);
    Atomics.store(this.words, HEAD, (head + count) | 0);
    return count;
  }

  /** Takes one byte; -1 when empty. */
  shift(): number {
    const tail = this.words[TAIL];
    if (Atomics.load(this.words, HEAD) === tail) return -1;
    const byte = this.#bytes[tail & (this.#size - 1)];
    Atomics.store(this.words, TAIL, (tail + 1) | 0);
    return byte;
  }

  /** Takes everything that is inside; undefined: nothing. Wakes a writer that waits. */
  take(): Uint8Array | undefined {
    const tail = this.words[TAIL];
    const head = Atomics.load(this.words, HEAD);
    const count = (head - tail) | 0;
    if (count === 0) return undefined;
    const bytes = new Uint8Array(count);
    const start = tail & (this.#size - 1);
    const first = Math.min(count, this.#size - start);
    bytes.set(this.#bytes.subarray(start, start + first));
    bytes.set(this.#bytes.subarray(0, count - first), first);
    Atomics.store(this.words, TAIL, head);
    Atomics.notify(this.words, TAIL);
    return bytes;
  }
}
