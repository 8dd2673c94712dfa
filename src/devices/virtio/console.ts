// A virtio console (virtio 1.2, 5.3) of one port: Linux's /dev/hvc0. Output goes to a callback; while that takes none, it stays in the guest's
// buffers. Input waits on the host, any amount of it, until the guest has buffers.
import { Backlog } from '../backlog.ts';
import type { DeviceHub } from '../hub.ts';
import type { Outlet, Receiver } from '../outlet.ts';
import type { PciBus } from '../pci/bus.ts';
import { VirtioDevice, type VirtioHooks } from './transport.ts';

export interface ConsoleOptions {
  readonly name: string;
  readonly slot: number;
  /** Host thread, without the device lock: bytes from the guest. The array is the receiver's to keep. */
  readonly onOutput?: Receiver<Uint8Array> | undefined;
  /** Host thread: some of the input that waited was taken. */
  readonly onInputTaken?: (() => void) | undefined;
}

const QUEUE_SIZE = 128;
const RECEIVE = 0;
const TRANSMIT = 1;
/** Output is handed on in pieces of at most so many bytes; so much of it before the host thread looks after others. */
const PIECE_BYTES = 64 << 10;
const TURN_BYTES = 1 << 20;

export class VirtioConsole extends VirtioDevice {
  readonly #outlet: Outlet<Uint8Array>;
  /** Input the guest has no buffers for yet. */
  readonly #backlog: Backlog;
  /** Bytes of the chain at the head of the transmit queue that were handed on, and the reset count they belong to. */
  #sent = 0;
  #sentEpoch = 0;

  constructor(hub: DeviceHub, bus: PciBus, options: ConsoleOptions, hooks: VirtioHooks = {}) {
    super(
      hub,
      bus,
      {
        name: options.name,
        slot: options.slot,
        type: 3,
        classCode: 0x078000,
        features: 0,
        queueSizes: [QUEUE_SIZE, QUEUE_SIZE],
        config: new Uint8Array(12),
      },
      hooks,
    );
    this.#outlet = hub.outlet(this, options.onOutput);
    this.#backlog = new Backlog(options.onInputTaken);
  }

  /** Host thread: input for the guest. */
  pushInput(bytes: Uint8Array): void {
    this.#backlog.push(bytes);
    this.guarded(() => this.#deliver());
  }

  /** Bytes that no buffer of the guest has taken (host thread). */
  get inputWaiting(): number {
    return this.#backlog.length;
  }

  save(): readonly Uint8Array[] {
    const sent = new Uint8Array(4);
    new DataView(sent.buffer).setUint32(0, this.#sentEpoch === this.epoch ? this.#sent : 0, true);
    return [this.#backlog.bytes, sent];
  }

  restore([waiting, sent, ...more]: readonly Uint8Array[]): boolean {
    if (waiting === undefined || sent?.length !== 4 || more.length > 0) return false;
    this.#backlog.clear();
    this.#backlog.push(waiting);
    this.#sent = new DataView(sent.buffer, sent.byteOffset).getUint32(0, true);
    this.#sentEpoch = this.epoch;
    return true;
  }

  protected process(): void {
    this.#deliver();
    this.#transmit();
  }

  #deliver(): void {
    const queue = this.queues[RECEIVE];
    for (let chains = 0; this.#backlog.length > 0; chains++) {
      // The guest may give buffers without any room back as fast as we use them.
      if (chains === QUEUE_SIZE) {
        this.hub.signalHost(this);
        break;
      }
      const chain = queue.next();
      if (chain === undefined) break;
      let filled = 0;
      this.#backlog.drain((bytes) => {
        const taken = this.memory.scatter(chain.writable, filled, bytes);
        filled += taken;
        return taken;
      });
      queue.push(chain.head, filled);
    }
    this.interrupt(queue);
  }

  #transmit(): void {
    const queue = this.queues[TRANSMIT];
    if (this.#sentEpoch !== this.epoch) {
      this.#sentEpoch = this.epoch;
      this.#sent = 0;
    }
    let total = 0;
    while (this.#outlet.ready) {
      if (total >= TURN_BYTES) {
        this.hub.signalHost(this);
        break;
      }
      const chain = queue.next();
      if (chain === undefined) break;
      const piece = new Uint8Array(Math.min(Math.max(chain.readableBytes - this.#sent, 0), PIECE_BYTES));
      this.memory.gather(chain.readable, this.#sent, piece);
      this.#sent += piece.length;
      total += Math.max(piece.length, 64);
      if (this.#sent >= chain.readableBytes) {
        this.#sent = 0;
        queue.push(chain.head, 0);
      }
      if (piece.length > 0) this.unlocked(() => this.#outlet.give(piece));
      if (!this.live) return;
    }
    this.interrupt(queue);
  }
}
