// A virtio block device (virtio 1.2, 5.2) over a backend that only the host thread has. Requests are served one after
// another, or, where the backend answers later, many at once; a flush is complete when the backend says that the data is where it stays.
import type { DeviceHub } from '../hub.ts';
import type { PciBus } from '../pci/bus.ts';
import { Flight } from './flight.ts';
import { type Segment, slice } from './guest-memory.ts';
import { type Chain, QueueError } from './queue.ts';
import { VirtioDevice, type VirtioHooks } from './transport.ts';

/** Where the sectors are. Called on the host thread without the device lock; what throws (or rejects) is an I/O error for the guest. */
export interface BlockBackend {
  /**
   * False (the default): a call is done when it returns, and its buffer may be guest RAM (perhaps in shared memory) and begin and end anywhere. True: it returns a promise, several may be open at once, and
   * buffers are whole sectors that nobody else touches before it settles.
   */
  readonly isLater?: boolean;
  /** Fills `into` from byte `offset`. */
  read(offset: number, into: Uint8Array): unknown;
  write(offset: number, from: Uint8Array): unknown;
  /** Done when everything written is on stable storage. */
  flush(): unknown;
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
  /** What the backend threw. */
  readonly onError?: ((error: unknown) => void) | undefined;
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
/** Requests that a backend which answers later has at once, and bytes that it is asked for at once. */
const MOST_IN_FLIGHT = 64;
const PIECE_BYTES = 1 << 20;

interface DiskRequest {
  readonly type: number;
  /** Of its first byte on the disk. */
  readonly offset: number;
  readonly chain: Chain;
  /** Of its data. */
  readonly bytes: number;
}
/** A request that the backend has answered. */
interface Answered {
  readonly chain: Chain;
  readonly answer: number;
  /** Of the device when it began. */
  readonly epoch: number;
}

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
  readonly #flight: Flight;
  /** What came back from there and is not with the guest yet. */
  #answered: Answered[] = [];
  /** What was done since the host thread looked after others. */
  #requests = 0;
  #bytes = 0;

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
    // In lockstep the guest gets answers in the order of its requests, as from a backend that answers at once.
    this.#flight = new Flight(hub.inOrder ? 1 : MOST_IN_FLIGHT);
  }

  /** Resolves when nothing that the guest has written is with the backend any more; undefined: now (host thread). */
  written(): Promise<void> | undefined {
    return this.#flight.written();
  }

  /** Resolves when no request is with the backend, which touches the guest's memory; undefined: now (host thread). */
  settled(): Promise<void> | undefined {
    return this.#flight.landed();
  }

  protected process(): void {
    this.#requests = 0;
    this.#bytes = 0;
    this.#work();
  }

  #work(): void {
    const queue = this.queues[0];
    this.#giveAnswers();
    let batch = 0;
    let batchBytes = 0;
    for (;;) {
      if (this.#requests >= TURN_REQUESTS || this.#bytes >= TURN_BYTES) {
        this.hub.signalHost(this);
        break;
      }
      if (!this.#flight.hasRoom(this.epoch)) break;
      const chain = queue.next();
      if (chain === undefined) break;
      const request = this.#parse(chain);
      const answer = this.#answerNow(request);
      if (answer === undefined) {
        queue.take();
        this.#begin(request);
      }
      // The guest may have reset the device meanwhile: then the request is none of ours any more.
      if (!this.live) return;
      const moved = chain.readableBytes + chain.writableBytes;
      this.#requests++;
      this.#bytes += moved;
      if (answer === undefined) continue;
      this.#status(chain, answer);
      queue.push(chain.head, chain.writableBytes);
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

  #parse(chain: Chain): DiskRequest {
    const header = this.#header;
    if (this.memory.gather(chain.readable, 0, header) < HEADER_BYTES) throw new QueueError('a block request without a header');
    if (chain.writableBytes < 1) throw new QueueError('a block request without room for its status');
    const view = new DataView(header.buffer);
    const type = view.getUint32(0, true);
    const offset = (view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32) * SECTOR;
    return { type, offset, chain, bytes: type === Request.OUT ? chain.readableBytes - HEADER_BYTES : chain.writableBytes - 1 };
  }

  #status(chain: Chain, answer: number): void {
    this.memory.scatter(chain.writable, chain.writableBytes - 1, Uint8Array.of(answer));
  }

  /** Does what can be done at once; undefined: the backend has to be waited for. */
  #answerNow(request: DiskRequest): number | undefined {
    const { backend, readOnly, serial } = this.#options;
    const { type, offset, chain, bytes } = request;
    if (backend === undefined) return Answer.IOERR;
    switch (type) {
      case Request.IN:
      case Request.OUT:
        if ((type === Request.OUT && readOnly === true) || !this.#inside(offset, bytes)) return Answer.IOERR;
        break;
      case Request.FLUSH:
        break;
      case Request.GET_ID: {
        const id = new Uint8Array(Math.min(ID_BYTES, bytes));
        new TextEncoder().encodeInto(serial ?? '', id);
        this.memory.scatter(chain.writable, 0, id);
        return Answer.OK;
      }
      default:
        return Answer.UNSUPP;
    }
    return backend.isLater === true ? undefined : this.#execute(backend, request);
  }

  /** Whole sectors, all of them on the disk. */
  #inside(offset: number, bytes: number): boolean {
    return bytes % SECTOR === 0 && offset + bytes <= this.#options.capacitySectors * SECTOR;
  }

  #execute(backend: BlockBackend, { type, offset, chain, bytes }: DiskRequest): number {
    if (type === Request.FLUSH) return this.#attempt(() => backend.flush());
    if (type === Request.OUT) return this.#each(slice(chain.readable, HEADER_BYTES, bytes), offset, (at, from) => backend.write(at, from));
    const target = slice(chain.writable, 0, bytes);
    const answer = this.#each(target, offset, (at, into) => backend.read(at, into));
    this.memory.written(target);
    return answer;
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
      } catch (error) {
        return this.#failed(error);
      }
    });
  }

  #failed(error: unknown): number {
    this.#options.onError?.(error);
    return Answer.IOERR;
  }

  /** Hands a request to a backend that answers later. */
  #begin(request: DiskRequest): void {
    const { epoch } = this;
    const end = this.#flight.begin(epoch, request.type !== Request.IN);
    const moved = this.unlocked(() => this.#move(request, epoch));
    const finish = async () => {
      const answer = await moved;
      end();
      this.#answered.push({ chain: request.chain, answer, epoch });
      this.guarded(() => this.#work());
    };
    this.hub.watch(finish());
  }

  /** Never rejects. */
  async #move({ type, offset, chain, bytes }: DiskRequest, epoch: number): Promise<number> {
    const backend = this.#options.backend!;
    try {
      if (type === Request.FLUSH) await backend.flush();
      else {
        for (let done = 0; done < bytes; done += PIECE_BYTES) {
          const piece = new Uint8Array(Math.min(PIECE_BYTES, bytes - done));
          if (type === Request.IN) {
            await backend.read(offset + done, piece);
            if (!this.#copy(epoch, slice(chain.writable, done, piece.length), piece, true)) return Answer.IOERR;
          } else {
            if (!this.#copy(epoch, slice(chain.readable, HEADER_BYTES + done, piece.length), piece, false)) return Answer.IOERR;
            await backend.write(offset + done, piece);
          }
        }
      }
      return Answer.OK;
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Copies a request's data to or from the guest; false: its buffers are the guest's again, which has reset the device. */
  #copy(epoch: number, segments: readonly Segment[], piece: Uint8Array, toGuest: boolean): boolean {
    let isOurs = false;
    this.guarded(() => {
      if (this.epoch !== epoch) return;
      isOurs = true;
      this.unlocked(() => {
        let at = 0;
        for (const one of segments) {
          const [ram, part] = [this.memory.view(one), piece.subarray(at, at + one.length)];
          if (toGuest) ram.set(part);
          else part.set(ram);
          at += one.length;
        }
      });
      if (toGuest) this.memory.written(segments);
    });
    return isOurs;
  }

  #giveAnswers(): void {
    for (const { chain, answer, epoch } of this.#answered.splice(0)) {
      if (epoch !== this.epoch) continue;
      this.#status(chain, answer);
      this.queues[0].giveBack(chain.head, chain.writableBytes);
    }
  }
}
