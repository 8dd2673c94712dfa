// A split virtqueue (virtio 1.2, 2.7) as the device sees it. Its registers and positions are shared state; the rings
// are in guest RAM and the guest may write anything there, at any time: each field is read once and then checked.
// What breaks the rules throws a QueueError, never more.
import { array, struct, u32 } from '../../layout/struct.ts';
import { clear, type View } from '../../layout/view.ts';
import type { GuestMemory, Segment } from './guest-memory.ts';

export const QueueState = struct({
  size: u32,
  enabled: u32,
  /** Guest physical addresses of the queue's parts (Ring): each two words, the low half first. */
  rings: array(6, u32),
  /** Requests that were taken from the available ring so far, and given back; modulo 65536. */
  lastAvail: u32,
  used: u32,
  /** `used` at the last interrupt. */
  signalled: u32,
});
/** Elements of `rings`. */
export const Ring = { DESC: 0, DRIVER: 2, DEVICE: 4 } as const;

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
  readonly #s: View<typeof QueueState>;
  readonly #memory: GuestMemory;
  readonly #features: () => QueueFeatures;

  constructor(state: View<typeof QueueState>, offered: number, memory: GuestMemory, features: () => QueueFeatures) {
    this.#s = state;
    this.#offered = offered;
    this.#memory = memory;
    this.#features = features;
  }

  reset(): void {
    clear(this.#s);
    this.#s.size = this.#offered;
  }

  get enabled(): boolean {
    return this.#s.enabled !== 0;
  }

  get size(): number {
    return this.#s.size;
  }

  /**
   * Any size that a queue can have, also one that is larger than was offered or no power of two: drivers that never ask what is offered
   * go by their own, and QEMU lets them. Anything else is ignored, which the driver can read.
   */
  set size(value: number) {
    if (!this.enabled && value > 0 && value <= MOST_SIZE) this.#s.size = value;
  }

  /** Half an address: element `n` of the queue's rings. */
  address(n: number): number {
    return this.#s.rings[n];
  }

  /** Sets half an address; the rings of an enabled queue stay where they are. */
  setAddress(n: number, value: number): void {
    if (!this.enabled) this.#s.rings[n] = value;
  }

  enable(): void {
    if (this.enabled) return;
    this.#checkRing(Ring.DESC, DESC_BYTES * this.size, 16);
    this.#checkRing(Ring.DRIVER, 6 + 2 * this.size, 2);
    this.#checkRing(Ring.DEVICE, 6 + 8 * this.size, 4);
    this.#s.enabled = 1;
  }

  #checkRing(ring: number, bytes: number, align: number): void {
    const address = this.address(ring);
    if (address % align !== 0 || !this.#memory.contains(address, this.address(ring + 1), bytes)) {
      throw new QueueError(`a ring at ${address.toString(16)}H is not in RAM or not aligned`);
    }
  }

  /** The request whose turn it is; it stays the next one until it is pushed or taken. Undefined: none, and the guest will tell of more. */
  next(): Chain | undefined {
    if (!this.enabled) return undefined;
    const memory = this.#memory;
    const avail = this.address(Ring.DRIVER);
    const last = this.#s.lastAvail;
    let waiting = (memory.loadIndex(avail + 2) - last) & 0xffff;
    if (waiting === 0 && this.#features().eventIndex) {
      // Asks for a notification of the next one; it may have come before we asked.
      memory.storeIndex(this.address(Ring.DEVICE) + 4 + 8 * this.size, last);
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
    let table = this.address(Ring.DESC);
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
    this.take();
    this.giveBack(head, written);
  }

  /** The request that `next` told of is given back later, perhaps behind others. */
  take(): void {
    this.#s.lastAvail = (this.#s.lastAvail + 1) & 0xffff;
  }

  /** Gives one that was taken back. */
  giveBack(head: number, written: number): void {
    const s = this.#s;
    const memory = this.#memory;
    const ring = this.address(Ring.DEVICE);
    const used = s.used;
    const at = ring + 4 + 8 * (used % this.size);
    memory.setU32(at, head);
    memory.setU32(at + 4, written);
    s.used = (used + 1) & 0xffff;
    memory.storeIndex(ring + 2, s.used);
  }

  /** Whether what was pushed since the last call is worth an interrupt (2.7.7). */
  takeInterrupt(): boolean {
    const s = this.#s;
    const used = s.used;
    const before = s.signalled;
    if (used === before) return false;
    s.signalled = used;
    const avail = this.address(Ring.DRIVER);
    if (!this.#features().eventIndex) return (this.#memory.loadIndex(avail) & AVAIL_NO_INTERRUPT) === 0;
    const event = this.#memory.loadIndex(avail + 4 + 2 * this.size);
    return ((used - event - 1) & 0xffff) < ((used - before) & 0xffff);
  }
}
