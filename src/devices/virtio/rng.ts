// A virtio entropy device (virtio 1.2, 5.4): fills the guest's buffers with random bytes.
import type { DeviceHub } from '../hub.ts';
import type { PciBus } from '../pci/bus.ts';
import { VirtioDevice, type VirtioHooks } from './transport.ts';

export interface RngOptions {
  readonly name: string;
  readonly slot: number;
  /** Fills its argument (not shared memory). The system's generator by default; a run that must repeat gives its own. */
  readonly fill?: ((into: Uint8Array<ArrayBuffer>) => void) | undefined;
}

const QUEUE_SIZE = 8;
/** The most that crypto.getRandomValues gives in a call; a larger buffer is filled in part, as the device may. */
const MOST_BYTES = 65536;

export class VirtioRng extends VirtioDevice {
  readonly #fill: (into: Uint8Array<ArrayBuffer>) => void;

  constructor(hub: DeviceHub, bus: PciBus, options: RngOptions, hooks: VirtioHooks = {}) {
    super(
      hub,
      bus,
      {
        name: options.name,
        slot: options.slot,
        type: 4,
        classCode: 0x00ff00,
        features: 0,
        queueSizes: [QUEUE_SIZE],
        config: new Uint8Array(0),
      },
      hooks,
    );
    this.#fill = options.fill ?? ((into) => crypto.getRandomValues(into));
  }

  protected process(): void {
    const queue = this.queues[0];
    // The guest may give buffers back as fast as we fill them: a queue's worth in a turn.
    for (let requests = 0; ; requests++) {
      if (requests === QUEUE_SIZE) {
        this.hub.signalHost(this);
        break;
      }
      const chain = queue.next();
      if (chain === undefined) break;
      const bytes = new Uint8Array(Math.min(chain.writableBytes, MOST_BYTES));
      this.#fill(bytes);
      queue.push(chain.head, this.memory.scatter(chain.writable, 0, bytes));
    }
    this.interrupt(queue);
  }
}
