// A virtio block device (virtio 1.2, 5.2) over a backend that only the host thread has. Requests are served one after
// another; a flush is complete when the backend says that the data is where it stays.
import type { DeviceHub } from '../hub.ts';
import type { PciBus } from '../pci/bus.ts';
import { type Segment, slice } from './guest-memory.ts';
import { type Chain, QueueError } from './queue.ts';
import { VirtioDevice, type VirtioHooks } from './transport.ts';

/** Where the sectors are. All calls are synchronous, run on the host thread without the device lock, and throw when they fail. */
export interface BlockBackend {
  /** Fills `into` (guest RAM, perhaps in shared memory) from byte `offset`. */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
  /** Returns when everything written is on stable storage. */
  flush(): void;
}

export interface BlkOptions {
  readonly name: string;
  readonly slot: number;
  readonly capacitySectors: number;
  readonly readOnly?: boolean;
  /** Up to 20 ASCII characters. */
  readonly serial?: string;
  /** On the host thread only. */
  readonly backend?: BlockBackend | undefined;
}

export const SECTOR = 512;
const QUEUE_SIZE = 256;
const ID_BYTES = 20;
const HEADER_BYTES = 16;
const F_SEG_MAX = 1 << 2;
const F_RO = 1 << 5;
const F_BLK_SIZE = 1 << 6;
const F_FLUSH = 1 << 9;
const Request = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8 } as const;
const Answer = { OK: 0, IOERR: 1, UNSUPP: 2 } as const;
/** Work before the host thread looks after others: requests and bytes. */
const TURN_REQUESTS = 128;
const TURN_BYTES = 32 << 20;
/** An interrupt at least after so many requests or bytes. */
const BATCH_REQUESTS = 16;
const BATCH_BYTES = 256 << 10;

function config(options: BlkOptions): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(options.capacitySectors), true);
  view.setUint32(12, QUEUE_SIZE - 2, true);
  view.setUint32(20, SECTOR, true);
  return bytes;
}

export class VirtioBlk extends VirtioDevice {
  readonly #options: BlkOptions;
  readonly #header = new Uint8Array(HEADER_BYTES);

  constructor(hub: DeviceHub, bus: PciBus, options: BlkOptions, hooks: VirtioHooks = {}) {
    super(
      hub,
      bus,
      {
        name: options.name,
        slot: options.slot,
        type: 2,
        classCode: 0x010000,
        features: F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (options.readOnly === true ? F_RO : 0),
        queueSizes: [QUEUE_SIZE],
        config: config(options),
      },
      hooks,
    );
    this.#options = options;
  }

  protected process(): void {
    const queue = this.queues[0];
    let requests = 0;
    let bytes = 0;
    let batch = 0;
    let batchBytes = 0;
    for (;;) {
      if (requests >= TURN_REQUESTS || bytes >= TURN_BYTES) {
        this.hub.signalHost(this);
        break;
      }
      const chain = queue.next();
      if (chain === undefined) break;
      this.#serve(chain);
      // The guest may have reset the device meanwhile: then the request is none of ours any more.
      if (!this.live) return;
      queue.push(chain.head, chain.writableBytes);
      const moved = chain.readableBytes + chain.writableBytes;
      requests++;
      bytes += moved;
      batch++;
      batchBytes += moved;
      if (batch >= BATCH_REQUESTS || batchBytes >= BATCH_BYTES) {
        this.interrupt(queue);
        batch = 0;
        batchBytes = 0;
      }
    }
    this.interrupt(queue);
  }

  #serve(chain: Chain): void {
    const header = this.#header;
    if (this.memory.gather(chain.readable, 0, header) < HEADER_BYTES) throw new QueueError('a block request without a header');
    if (chain.writableBytes < 1) throw new QueueError('a block request without room for its status');
    const view = new DataView(header.buffer);
    const offset = (view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32) * SECTOR;
    const answer = this.#execute(view.getUint32(0, true), offset, chain);
    if (this.live) this.memory.scatter(chain.writable, chain.writableBytes - 1, Uint8Array.of(answer));
  }

  #execute(type: number, offset: number, chain: Chain): number {
    const { backend, readOnly } = this.#options;
    if (backend === undefined) return Answer.IOERR;
    const room = chain.writableBytes - 1;
    switch (type) {
      case Request.IN: {
        if (!this.#inside(offset, room)) return Answer.IOERR;
        const target = slice(chain.writable, 0, room);
        const answer = this.#each(target, offset, (at, bytes) => backend.read(at, bytes));
        this.memory.written(target);
        return answer;
      }
      case Request.OUT: {
        const bytes = chain.readableBytes - HEADER_BYTES;
        if (readOnly === true || !this.#inside(offset, bytes)) return Answer.IOERR;
        return this.#each(slice(chain.readable, HEADER_BYTES, bytes), offset, (at, from) => backend.write(at, from));
      }
      case Request.FLUSH:
        return this.#attempt(() => backend.flush());
      case Request.GET_ID: {
        const id = new Uint8Array(Math.min(ID_BYTES, room));
        new TextEncoder().encodeInto(this.#options.serial ?? '', id);
        this.memory.scatter(chain.writable, 0, id);
        return Answer.OK;
      }
      default:
        return Answer.UNSUPP;
    }
  }

  /** Whole sectors, all of them on the disk. */
  #inside(offset: number, bytes: number): boolean {
    return bytes % SECTOR === 0 && offset + bytes <= this.#options.capacitySectors * SECTOR;
  }

  #each(segments: readonly Segment[], offset: number, transfer: (at: number, bytes: Uint8Array) => void): number {
    return this.#attempt(() => {
      let at = offset;
      for (const one of segments) {
        transfer(at, this.memory.view(one));
        at += one.length;
      }
    });
  }

  #attempt(work: () => void): number {
    return this.unlocked(() => {
      try {
        work();
        return Answer.OK;
      } catch {
        return Answer.IOERR;
      }
    });
  }
}
