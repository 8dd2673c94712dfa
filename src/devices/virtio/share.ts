// A virtio 9P device (virtio 1.2, 5.10 and 4 of the 9P transport: a tag, and one queue of requests, each with room for its answer): a tree of files for a guest to mount. Requests go to a
// session (share/session.ts), which answers when it has: many at once, in lockstep one after another and before the next turn.
import { DragomanError } from '../../api/errors.ts';
import { ERROR_BYTES, MOST_BYTES, ShareSession } from '../../share/session.ts';
import { SteadyView } from '../../share/steady-view.ts';
import type { ShareTree } from '../../share/tree.ts';
import { type AttributeView, HostView } from '../../share/view.ts';
import type { DeviceHub } from '../hub.ts';
import type { PciBus } from '../pci/bus.ts';
import { Flight } from './flight.ts';
import { type Chain, QueueError } from './queue.ts';
import { VirtioDevice, type VirtioHooks } from './transport.ts';

export interface ShareDeviceOptions {
  readonly name: string;
  readonly slot: number;
  /** ASCII. */
  readonly tag: string;
  readonly readOnly: boolean;
  /** On the host thread only. */
  readonly tree?: ShareTree | undefined;
  /** What failed that is no error of a file system. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

const QUEUE_SIZE = 128;
const F_MOUNT_TAG = 1 << 0;
const HEADER_BYTES = 7;
const MOST_IN_FLIGHT = 32;

interface Answered {
  readonly chain: Chain;
  readonly answer: Uint8Array;
  /** Of the device when it began. */
  readonly epoch: number;
}

function config(tag: string): Uint8Array {
  const bytes = new TextEncoder().encode(tag);
  return Uint8Array.of(bytes.length & 0xff, bytes.length >> 8, ...bytes);
}

export class VirtioShare extends VirtioDevice {
  readonly #options: ShareDeviceOptions;
  readonly #flight: Flight;
  readonly #view: AttributeView;
  /** That of the guest since the device's last reset. */
  #session: { readonly epoch: number; readonly with: ShareSession } | undefined;
  #answered: Answered[] = [];
  #wasUsed = false;

  constructor(hub: DeviceHub, bus: PciBus, options: ShareDeviceOptions, hooks: VirtioHooks = {}) {
    super(
      hub,
      bus,
      {
        name: options.name,
        slot: options.slot,
        type: 9,
        classCode: 0x018000,
        features: F_MOUNT_TAG,
        queueSizes: [QUEUE_SIZE],
        config: config(options.tag),
      },
      hooks,
    );
    this.#options = options;
    this.#flight = new Flight(hub.inOrder ? 1 : MOST_IN_FLIGHT);
    this.#view = hub.inOrder ? new SteadyView(() => BigInt(Math.round(hub.clock.wallMs() * 1e3)) * 1000n) : new HostView();
  }

  /** Resolves when no request is under way; undefined: now (host thread). */
  settled(): Promise<void> | undefined {
    return this.#flight.landed();
  }

  /** Closes whatever the guest has open (host thread). */
  async end(): Promise<void> {
    await this.#session?.with.close();
    this.#session = undefined;
  }

  /** Throws NOT_SUPPORTED where the guest has the share mounted, or has had in a run that must go on to the bit: its fids and what it knows of files are of this session. */
  save(): readonly Uint8Array[] {
    const { tag } = this.#options;
    if (this.hub.inOrder && this.#wasUsed)
      throw new DragomanError(
        'NOT_SUPPORTED',
        `not supported: a snapshot of a lockstep machine whose guest has mounted the share '${tag}'`,
      );
    if (this.#session?.epoch === this.epoch && this.#session.with.fids > 0)
      throw new DragomanError(
        'NOT_SUPPORTED',
        `not supported: a snapshot while the guest has the share '${tag}' mounted (umount it first)`,
      );
    return [];
  }

  protected process(): void {
    if (this.#options.tree !== undefined) this.#work();
  }

  #work(): void {
    const queue = this.queues[0];
    this.#giveAnswers();
    while (this.#flight.hasRoom(this.epoch)) {
      const chain = queue.next();
      if (chain === undefined) break;
      const message = this.#take(chain);
      queue.take();
      this.#begin(chain, message);
    }
    this.interrupt(queue);
  }

  /** A copy of the message: the guest may change its own at any time. One that is too long is too long for the session as well, whatever is behind that. */
  #take(chain: Chain): Uint8Array {
    const { readableBytes, writableBytes } = chain;
    if (readableBytes < HEADER_BYTES) throw new QueueError('a 9P message without a header');
    if (writableBytes < ERROR_BYTES) throw new QueueError('a 9P message without room for an answer');
    const message = new Uint8Array(Math.min(readableBytes, MOST_BYTES + 1));
    this.memory.gather(chain.readable, 0, message);
    const size = new DataView(message.buffer).getUint32(0, true);
    if (size < HEADER_BYTES || size > readableBytes)
      throw new QueueError(`a 9P message of ${readableBytes} bytes that says it has ${size}`);
    return message;
  }

  #begin(chain: Chain, message: Uint8Array): void {
    const { epoch } = this;
    const session = this.#sessionNow();
    const end = this.#flight.begin(epoch, true);
    const finish = async () => {
      const answer = await session.handle(message, chain.writableBytes);
      end();
      this.#answered.push({ chain, answer, epoch });
      this.guarded(() => this.#work());
    };
    this.hub.watch(finish());
  }

  #sessionNow(): ShareSession {
    const { epoch } = this;
    if (this.#session?.epoch === epoch) return this.#session.with;
    // The guest has forgotten it. Nothing of it is under way: see Flight.
    if (this.#session !== undefined) this.hub.watch(this.#session.with.close());
    const { tree, readOnly, onFault } = this.#options;
    const session = new ShareSession(tree!, { readOnly, view: this.#view, onFault });
    this.#session = { epoch, with: session };
    this.#wasUsed = true;
    return session;
  }

  #giveAnswers(): void {
    for (const { chain, answer, epoch } of this.#answered.splice(0)) {
      if (epoch !== this.epoch) continue;
      this.queues[0].giveBack(chain.head, this.memory.scatter(chain.writable, 0, answer));
    }
  }
}
