// A virtio network device (virtio 1.2, 5.1): Ethernet frames out through a callback and in through `receive`. One pair of
// queues, no offloads, no mergeable buffers. What comes in waits, up to a limit, until the guest has a buffer for it.
import type { DeviceHub } from '../hub.ts';
import type { Outlet, Receiver } from '../outlet.ts';
import type { PciBus } from '../pci/bus.ts';
import { QueueError } from './queue.ts';
import { VirtioDevice, type VirtioHooks } from './transport.ts';

export interface NetOptions {
  readonly name: string;
  readonly slot: number;
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** Host thread, without the device lock: a frame from the guest, from its destination address on. The array is the receiver's to keep. */
  readonly onFrame?: Receiver<Uint8Array> | undefined;
}

const QUEUE_SIZE = 256;
const RECEIVE = 0;
const TRANSMIT = 1;
/** struct virtio_net_hdr with num_buffers, which virtio 1.x always has. */
const HEADER_BYTES = 12;
const NUM_BUFFERS = 10;
const F_MAC = 1 << 5;
const F_STATUS = 1 << 16;
const LINK_UP = 1;
const SHORTEST = 14;
const LONGEST = 65535;
/** Frames that wait for buffers of the guest; more are lost, as on a wire. */
export const NET_BACKLOG = 1024;
/** Frames out before the host thread looks after others. */
const TURN_FRAMES = 256;

export class VirtioNet extends VirtioDevice {
  readonly #outlet: Outlet<Uint8Array>;
  /** Frames for the guest, header included (host thread only), of the time between two resets. */
  #waiting: Uint8Array[] = [];
  #waitingEpoch = 0;

  constructor(hub: DeviceHub, bus: PciBus, options: NetOptions, hooks: VirtioHooks = {}) {
    const config = new Uint8Array(8);
    config.set(options.mac.subarray(0, 6));
    config[6] = LINK_UP;
    super(
      hub,
      bus,
      {
        name: options.name,
        slot: options.slot,
        type: 1,
        classCode: 0x020000,
        features: F_MAC | F_STATUS,
        queueSizes: [QUEUE_SIZE, QUEUE_SIZE],
        config,
      },
      hooks,
    );
    this.#outlet = hub.outlet(this, options.onFrame);
  }

  /** Host thread: a frame for the guest. False where it was lost: no driver, too many waiting, or no Ethernet frame. */
  receive(frame: Uint8Array): boolean {
    if (frame.length < SHORTEST || frame.length > LONGEST) return false;
    let taken = false;
    this.guarded(() => {
      this.#forgetOld();
      if (this.#waiting.length >= NET_BACKLOG) return;
      const bytes = new Uint8Array(HEADER_BYTES + frame.length);
      bytes[NUM_BUFFERS] = 1;
      bytes.set(frame, HEADER_BYTES);
      this.#waiting.push(bytes);
      taken = true;
      this.#deliver();
    });
    return taken;
  }

  save(): readonly Uint8Array[] {
    this.#forgetOld();
    return this.#waiting.map((frame) => frame.slice());
  }

  restore(frames: readonly Uint8Array[]): boolean {
    if (frames.length > NET_BACKLOG) return false;
    this.#waiting = frames.map((frame) => frame.slice());
    this.#waitingEpoch = this.epoch;
    return true;
  }

  protected process(): void {
    this.#forgetOld();
    this.#deliver();
    this.#transmit();
  }

  #forgetOld(): void {
    if (this.#waitingEpoch === this.epoch) return;
    this.#waitingEpoch = this.epoch;
    this.#waiting = [];
  }

  #deliver(): void {
    const queue = this.queues[RECEIVE];
    let done = 0;
    for (; done < this.#waiting.length; done++) {
      const bytes = this.#waiting[done];
      const chain = queue.next();
      if (chain === undefined) break;
      // A frame that does not fit is lost; the buffer stays.
      if (chain.writableBytes < bytes.length) continue;
      this.memory.scatter(chain.writable, 0, bytes);
      queue.push(chain.head, bytes.length);
    }
    if (done === 0) return;
    this.#waiting.splice(0, done);
    this.interrupt(queue);
  }

  #transmit(): void {
    const queue = this.queues[TRANSMIT];
    for (let frames = 0; this.#outlet.ready; frames++) {
      if (frames === TURN_FRAMES) {
        this.hub.signalHost(this);
        break;
      }
      const chain = queue.next();
      if (chain === undefined) break;
      const bytes = chain.readableBytes - HEADER_BYTES;
      if (bytes < 0) throw new QueueError('a frame without a header');
      const whole = bytes >= SHORTEST && bytes <= LONGEST;
      const frame = new Uint8Array(whole ? bytes : 0);
      this.memory.gather(chain.readable, HEADER_BYTES, frame);
      queue.push(chain.head, 0);
      if (!whole) continue;
      this.unlocked(() => this.#outlet.give(frame));
      if (!this.live) return;
    }
    this.interrupt(queue);
  }
}
