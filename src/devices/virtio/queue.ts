// A split virtqueue (virtio 1.2, 2.7) as the device sees it. Its registers and positions are shared words; the rings
// are in guest RAM and the guest may write anything there, at any time: each field is read once and then checked.
// What breaks the rules throws a QueueError, never more.
import type { GuestMemory, Segment } from './guest-memory.ts';

/** Words of a queue. 64-bit addresses take two, the low half first. */
export const Queue = { SIZE: 0, ENABLED: 1, DESC: 2, DRIVER: 4, DEVICE: 6, LAST_AVAIL: 8, USED: 9, SIGNALLED: 10 } as const;
export const QUEUE_WORDS = 11;

const DESC_NEXT = 1;
const DESC_WRITE = 2;
const DESC_INDIRECT = 4;
const AVAIL_NO_INTERRUPT = 1;
const DESC_BYTES = 16;
/** Buffers of a chain, and entries of an indirect table. */
const MOST_BUFFERS = 1024;
/** The largest queue of the specification (2.7). */
const MOST_SIZE = 32768;
/** A chain's buffers together (2.7.5.2: no more than 2^32 bytes). */
const MOST_BYTES = 0x100000000;

/** The guest broke the rules of the queue. */
export class QueueError extends Error {}

/** One request: a chain of descriptors. */
export interface Chain {
  /** What `push` gives back to the guest. */
  readonly head: number;
  readonly readable: readonly Segment[];
  readonly writable: readonly Segment[];
  readonly readableBytes: number;
  readonly writableBytes: number;
}

export interface QueueFeatures {
  readonly indirect: boolean;
  readonly eventIndex: boolean;
}

export class Virtqueue {
  /** What is offered after a reset. */
  readonly #offered: number;
  readonly #words: Int32Array;
  readonly #memory: GuestMemory;
  readonly #features: () => QueueFeatures;

  constructor(words: Int32Array, offered: number, memory: GuestMemory, features: () => QueueFeatures) {
    this.#words = words;
    this.#offered = offered;
    this.#memory = memory;
    this.#features = features;
  }

  reset(): void {
    this.#words.fill(0);
    this.#words[Queue.SIZE] = this.#offered;
  }

  get enabled(): boolean {
    return this.#words[Queue.ENABLED] !== 0;
  }

  get size(): number {
    return this.#words[Queue.SIZE];
  }

  /**
   * Any size that a queue can have, also one that is larger than was offered or no power of two: drivers that never ask what is offered
   * go by their own, and QEMU lets them. Anything else is ignored, which the driver can read.
   */
  set size(value: number) {
    if (!this.enabled && value > 0 && value <= MOST_SIZE) this.#words[Queue.SIZE] = value;
  }

  word(index: number): number {
    return this.#words[index] >>> 0;
  }

  /** Sets half an address; the rings of an enabled queue stay where they are. */
  setAddress(index: number, value: number): void {
    if (!this.enabled) this.#words[index] = value | 0;
  }

  enable(): void {
    if (this.enabled) return;
    this.#checkRing(Queue.DESC, DESC_BYTES * this.size, 16);
    this.#checkRing(Queue.DRIVER, 6 + 2 * this.size, 2);
    this.#checkRing(Queue.DEVICE, 6 + 8 * this.size, 4);
    this.#words[Queue.ENABLED] = 1;
  }

  #checkRing(index: number, bytes: number, align: number): void {
    const address = this.word(index);
    if (address % align !== 0 || !this.#memory.contains(address, this.word(index + 1), bytes)) {
      throw new QueueError(`a ring at ${address.toString(16)}H is not in RAM or not aligned`);
    }
  }

  /** The request whose turn it is; it stays the next one until it is pushed. Undefined: none, and the guest will tell of more. */
  next(): Chain | undefined {
    if (!this.enabled) return undefined;
    const memory = this.#memory;
    const avail = this.word(Queue.DRIVER);
    const last = this.#words[Queue.LAST_AVAIL];
    let waiting = (memory.loadIndex(avail + 2) - last) & 0xffff;
    if (waiting === 0 && this.#features().eventIndex) {
      // Asks for a notification of the next one; it may have come before we asked.
      memory.storeIndex(this.word(Queue.DEVICE) + 4 + 8 * this.size, last);
      waiting = (memory.loadIndex(avail + 2) - last) & 0xffff;
    }
    if (waiting === 0) return undefined;
    if (waiting > this.size) throw new QueueError('the index of the available ring jumped');
    return this.#walk(memory.u16(avail + 4 + 2 * (last % this.size)));
  }

  #walk(head: number): Chain {
    const memory = this.#memory;
    const readable: Segment[] = [];
    const writable: Segment[] = [];
    let readableBytes = 0;
    let writableBytes = 0;
    let table = this.word(Queue.DESC);
    let entries = this.size;
    let index = head;
    let seen = 0;
    let buffers = 0;
    let indirect = false;
    for (;;) {
      if (index >= entries) throw new QueueError(`descriptor ${index} is outside its table`);
      if (++seen > entries) throw new QueueError('a chain of descriptors is a loop');
      const at = table + DESC_BYTES * index;
      const address = memory.u32(at);
      const high = memory.u32(at + 4);
      const length = memory.u32(at + 8);
      const flags = memory.u16(at + 12);
      index = memory.u16(at + 14);
      if (!memory.contains(address, high, length))
        throw new QueueError(`descriptor ${address.toString(16)}H, ${length} bytes, is not in RAM`);
      if ((flags & DESC_INDIRECT) !== 0) {
        if (indirect || (flags & DESC_NEXT) !== 0 || !this.#features().indirect)
          throw new QueueError('an indirect descriptor where none may be');
        entries = length / DESC_BYTES;
        if (!Number.isInteger(entries) || entries === 0 || entries > MOST_BUFFERS)
          throw new QueueError(`an indirect table of ${length} bytes`);
        table = address;
        index = 0;
        seen = 0;
        indirect = true;
        continue;
      }
      if (++buffers > MOST_BUFFERS) throw new QueueError(`a chain of more than ${MOST_BUFFERS} buffers`);
      if ((flags & DESC_WRITE) !== 0) {
        if (length > 0) writable.push({ address, length });
        writableBytes += length;
      } else {
        if (writableBytes > 0) throw new QueueError('a readable descriptor behind a writable one');
        if (length > 0) readable.push({ address, length });
        readableBytes += length;
      }
      if (readableBytes + writableBytes > MOST_BYTES) throw new QueueError('a request of more than 4 GiB');
      if ((flags & DESC_NEXT) === 0) return { head, readable, writable, readableBytes, writableBytes };
    }
  }

  /** Gives the request that `next` told of back, with that many bytes written to its start. */
  push(head: number, written: number): void {
    const words = this.#words;
    const memory = this.#memory;
    const ring = this.word(Queue.DEVICE);
    const used = words[Queue.USED];
    const at = ring + 4 + 8 * (used % this.size);
    memory.setU32(at, head);
    memory.setU32(at + 4, written);
    words[Queue.USED] = (used + 1) & 0xffff;
    words[Queue.LAST_AVAIL] = (words[Queue.LAST_AVAIL] + 1) & 0xffff;
    memory.storeIndex(ring + 2, words[Queue.USED]);
  }

  /** Whether what was pushed since the last call is worth an interrupt (2.7.7). */
  takeInterrupt(): boolean {
    const words = this.#words;
    const used = words[Queue.USED];
    const before = words[Queue.SIGNALLED];
    if (used === before) return false;
    words[Queue.SIGNALLED] = used;
    const avail = this.word(Queue.DRIVER);
    if (!this.#features().eventIndex) return (this.#memory.loadIndex(avail) & AVAIL_NO_INTERRUPT) === 0;
    const event = this.#memory.loadIndex(avail + 4 + 2 * this.size);
    return ((used - event - 1) & 0xffff) < ((used - before) & 0xffff);
  }
}
