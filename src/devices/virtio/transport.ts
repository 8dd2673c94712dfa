// The virtio 1.x transport over PCI (virtio 1.2, 4.1), and the base class of the devices: registers and negotiation run
// on whichever CPU touches them; queues are worked on by the host thread, which a notification wakes.
// One memory BAR holds all structures; interrupts are INTx with the ISR register, there is no MSI-X.
import { array, struct, u32 } from '../../layout/struct.ts';
import { clear, type View } from '../../layout/view.ts';
import type { AccessSize, Device } from '../device.ts';
import type { DeviceHub } from '../hub.ts';
import type { PciBus } from '../pci/bus.ts';
import type { PciFunction } from '../pci/function.ts';
import { PciConfig } from '../pci/header.ts';
import { GuestMemory } from './guest-memory.ts';
import { QueueError, type QueueFeatures, QueueState, Virtqueue } from './queue.ts';

/** Bits of device_status (2.1). */
export const Status = { ACKNOWLEDGE: 1, DRIVER: 2, DRIVER_OK: 4, FEATURES_OK: 8, NEEDS_RESET: 0x40, FAILED: 0x80 } as const;
/** Feature bits of rings (in the low word) and VIRTIO_F_VERSION_1 (bit 32: in the high word). */
export const F_INDIRECT_DESC = 1 << 28;
export const F_EVENT_IDX = 1 << 29;
export const F_VERSION_1_HIGH = 1;

/** What every device of a thread is given beside its own options. */
export interface VirtioHooks {
  /** A device stored into guest RAM (host thread, lock held; before the guest is told): code translated from there is stale. */
  readonly ramWritten?: ((address: number, bytes: number) => void) | undefined;
  /** The guest broke the protocol and the device waits for a reset: one line for people who write drivers. */
  readonly onProblem?: ((device: string, text: string) => void) | undefined;
}

export interface VirtioOptions {
  readonly name: string;
  readonly slot: number;
  /** Device type (5): 1 network, 2 block, 3 console, 4 entropy. */
  readonly type: number;
  readonly classCode: number;
  /** The device's own features: bits 0 to 23. */
  readonly features: number;
  readonly queueSizes: readonly number[];
  /** Device configuration structure; the same on all threads, and constant. */
  readonly config: Uint8Array;
}

const VENDOR = 0x1af4;
const FIRST_DEVICE = 0x1040;
const SUBSYSTEM = 0x1100;

/** Structures in the BAR, a page each. */
const BAR_BYTES = 0x4000;
const COMMON = 0x0000;
const ISR = 0x1000;
const DEVICE = 0x2000;
const NOTIFY = 0x3000;
const COMMON_BYTES = 0x38;
const NOTIFY_MULTIPLIER = 4;
const ISR_QUEUE = 1;
const ISR_CONFIG = 2;
const NO_VECTOR = 0xffff;

/** Capabilities (4.1.4): type, and where the configuration access one lies, which comes first. */
const CAP = { COMMON: 1, NOTIFY: 2, ISR: 3, DEVICE: 4, PCI: 5 } as const;
const PCI_CAP = 0x40;
const PCI_CAP_BAR = PCI_CAP + 4;
const PCI_CAP_OFFSET = PCI_CAP + 8;
const PCI_CAP_LENGTH = PCI_CAP + 12;
const PCI_CAP_DATA = PCI_CAP + 16;

const TransportState = struct({
  status: u32,
  isr: u32,
  deviceSelect: u32,
  driverSelect: u32,
  /** The driver's features, the low word first. */
  driver: array(2, u32),
  queueSelect: u32,
  /** How many of the host thread's calls work on guest buffers without the lock. */
  busy: u32,
  /** 1: the guest asked for a reset meanwhile; it reads an old status until it is done. */
  resetPending: u32,
  /** Counts resets. */
  epoch: u32,
});

const word = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
const capability = (type: number, offset: number, bytes: number, more: number[] = []): number[] => [
  9,
  0,
  16 + more.length,
  type,
  0,
  0,
  0,
  0,
  ...word(offset),
  ...word(bytes),
  ...more,
];

export abstract class VirtioDevice implements Device {
  readonly name: string;
  readonly pci: PciFunction;
  protected readonly hub: DeviceHub;
  protected readonly memory: GuestMemory;
  protected readonly queues: readonly Virtqueue[];
  readonly #s: View<typeof TransportState>;
  readonly #options: VirtioOptions;
  readonly #hooks: VirtioHooks;
  readonly #features: readonly [low: number, high: number];

  constructor(hub: DeviceHub, bus: PciBus, options: VirtioOptions, hooks: VirtioHooks) {
    this.name = options.name;
    this.hub = hub;
    this.#options = options;
    this.#hooks = hooks;
    this.#features = [options.features | F_INDIRECT_DESC | F_EVENT_IDX, F_VERSION_1_HIGH];
    this.memory = new GuestMemory(hub.ram, hooks.ramWritten);
    const count = options.queueSizes.length;
    const state = hub.state(TransportState);
    this.#s = state;
    const ringFeatures = (): QueueFeatures => ({
      indirect: (state.driver[0] & F_INDIRECT_DESC) !== 0,
      eventIndex: (state.driver[0] & F_EVENT_IDX) !== 0,
    });
    this.queues = options.queueSizes.map((size) => new Virtqueue(hub.state(QueueState), size, this.memory, ringFeatures));
    this.pci = bus.add({
      name: options.name,
      slot: options.slot,
      vendorId: VENDOR,
      deviceId: FIRST_DEVICE + options.type,
      classCode: options.classCode,
      revision: 1,
      subsystemVendorId: VENDOR,
      subsystemId: SUBSYSTEM,
      interruptPin: 1,
      bars: [
        {
          kind: 'memory',
          bytes: BAR_BYTES,
          read: (at, size) => this.#read(at, size),
          write: (at, _size, value) => this.#write(at, value),
        },
      ],
      capabilities: [
        capability(CAP.PCI, 0, 0, word(0)),
        capability(CAP.COMMON, COMMON, COMMON_BYTES),
        capability(CAP.NOTIFY, NOTIFY, NOTIFY_MULTIPLIER * count, word(NOTIFY_MULTIPLIER)),
        capability(CAP.ISR, ISR, 1),
        ...(options.config.length > 0 ? [capability(CAP.DEVICE, DEVICE, options.config.length)] : []),
      ],
      writable: [
        [PCI_CAP_BAR, 1],
        [PCI_CAP_OFFSET, 12],
      ],
      onConfigRead: (offset, size) => this.#readWindow(offset, size),
      onConfigWrite: (offset, size) => this.#configWritten(offset, size),
    });
    if (hub.isFirst) this.#reset();
  }

  /** Works on all queues that have something to do. Host thread, lock held, the guest's driver ready. */
  protected abstract process(): void;

  /** Changes with every reset: state that only the host thread has compares it. */
  protected get epoch(): number {
    return this.#s.epoch;
  }

  /** True while the driver is ready and nothing went wrong: rings may be touched. */
  protected get live(): boolean {
    const s = this.#s;
    const status = s.status & (Status.DRIVER_OK | Status.NEEDS_RESET);
    return status === Status.DRIVER_OK && s.resetPending === 0 && this.pci.busMaster;
  }

  protected hasFeature(bit: number): boolean {
    return (this.#s.driver[0] & (1 << bit)) !== 0;
  }

  onHostSignal(): void {
    this.guarded(() => this.process());
  }

  /** Runs work on rings (host thread) if the device is live; takes the lock. What the guest got wrong stops the device, not us. */
  protected guarded(work: () => void): void {
    this.hub.lock.enter();
    try {
      if (this.hub.isHost && this.live) work();
    } catch (error) {
      for (const queue of this.queues) this.interrupt(queue);
      if (!(error instanceof QueueError)) {
        // A callback of the host's failed: the rest of the queue is not lost.
        this.hub.signalHost(this);
        throw error;
      }
      this.#fail(error.message);
    } finally {
      this.hub.lock.leave();
    }
  }

  /**
   * Lets CPUs touch devices while `work` (files, callbacks) runs. A reset by the guest takes effect behind it: see `live`
   * before going on.
   */
  protected unlocked<T>(work: () => T): T {
    const s = this.#s;
    s.busy++;
    const depth = this.hub.lock.release();
    try {
      return work();
    } finally {
      this.hub.lock.retake(depth);
      if (--s.busy === 0 && s.resetPending !== 0) this.#reset();
    }
  }

  /** Interrupts the guest for what was pushed, if it wants that. */
  protected interrupt(queue: Virtqueue): void {
    if (this.live && queue.enabled && queue.takeInterrupt()) this.#assert(ISR_QUEUE);
  }

  reset(): void {
    if (this.#s.busy !== 0) this.#s.resetPending = 1;
    else this.#reset();
  }

  #reset(): void {
    const s = this.#s;
    const { epoch, busy } = s;
    clear(s);
    s.epoch = epoch + 1;
    s.busy = busy;
    for (const queue of this.queues) queue.reset();
    this.pci.setInterrupt(false);
  }

  #assert(bits: number): void {
    this.#s.isr |= bits;
    this.pci.setInterrupt(true);
  }

  #fail(text: string): void {
    const s = this.#s;
    if ((s.status & Status.NEEDS_RESET) !== 0) return;
    const wasReady = (s.status & Status.DRIVER_OK) !== 0;
    s.status |= Status.NEEDS_RESET;
    if (wasReady) this.#assert(ISR_CONFIG);
    this.#hooks.onProblem?.(this.name, text);
  }

  #read(offset: number, size: AccessSize): number {
    const at = offset & 0xfff;
    switch (offset & ~0xfff) {
      case COMMON:
        return at < COMMON_BYTES ? this.#common(at & ~3) >>> (8 * (at & 3)) : 0;
      case ISR: {
        if (at !== 0) return 0;
        const bits = this.#s.isr;
        this.#s.isr = 0;
        this.pci.setInterrupt(false);
        return bits;
      }
      case DEVICE: {
        const config = this.#options.config;
        let value = 0;
        for (let i = 0; i < size; i++) value |= (config[at + i] ?? 0) << (8 * i);
        return value;
      }
      default:
        return 0;
    }
  }

  /** The aligned four bytes of the common configuration structure (4.1.4.3) at `at`. */
  #common(at: number): number {
    const s = this.#s;
    const queue = this.queues[s.queueSelect] as Virtqueue | undefined;
    switch (at) {
      case 0x00:
        return s.deviceSelect;
      case 0x04:
        return this.#features[s.deviceSelect] ?? 0;
      case 0x08:
        return s.driverSelect;
      case 0x0c:
        return s.driverSelect < 2 ? s.driver[s.driverSelect] : 0;
      case 0x10:
        return NO_VECTOR | (this.queues.length << 16);
      case 0x14:
        return s.status | (s.queueSelect << 16);
      case 0x18:
        return (queue?.size ?? 0) | (NO_VECTOR << 16);
      case 0x1c:
        return queue === undefined ? 0 : Number(queue.enabled) | (s.queueSelect << 16);
      default:
        return queue?.address((at - 0x20) >> 2) ?? 0;
    }
  }

  #write(offset: number, value: number): void {
    const page = offset & ~0xfff;
    if (page === COMMON) this.#writeCommon(offset, value);
    else if (page === NOTIFY && this.live) this.hub.signalHost(this);
  }

  /**
   * A field is written at its first byte; narrower writes are extended by zeros and wider ones cut off. Drivers should use the field's width
   * (4.1.3.1), but those that do not get what they mean, as from QEMU.
   */
  #writeCommon(at: number, value: number): void {
    const s = this.#s;
    const half = value & 0xffff;
    const queue = this.queues[s.queueSelect] as Virtqueue | undefined;
    if (at === 0x00) s.deviceSelect = value;
    else if (at === 0x08) s.driverSelect = value;
    else if (at === 0x0c) this.#writeFeatures(value);
    else if (at === 0x14) this.#writeStatus(value & 0xff);
    else if (at === 0x16) s.queueSelect = half;
    else if (queue === undefined) return;
    else if (at === 0x18) queue.size = half;
    else if (at === 0x1c) this.#enable(queue, half);
    else if (at >= 0x20 && at < COMMON_BYTES && (at & 3) === 0) queue.setAddress((at - 0x20) >> 2, value);
  }

  /** Settled once FEATURES_OK is, or the driver works. */
  #writeFeatures(value: number): void {
    const s = this.#s;
    if (s.driverSelect < 2 && (s.status & (Status.FEATURES_OK | Status.DRIVER_OK)) === 0) s.driver[s.driverSelect] = value;
  }

  #enable(queue: Virtqueue, value: number): void {
    try {
      if (value === 1) queue.enable();
      else if (queue.enabled) throw new QueueError(`${value} written to queue_enable: only a reset disables a queue`);
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      this.#fail(error.message);
    }
  }

  #writeStatus(value: number): void {
    const s = this.#s;
    if (value === 0) {
      this.reset();
      return;
    }
    if (s.resetPending !== 0) return;
    let status = (value & ~Status.NEEDS_RESET) | (s.status & Status.NEEDS_RESET);
    const acceptable = this.#acceptable();
    if (!acceptable) status &= ~Status.FEATURES_OK;
    s.status = status;
    // A driver that does not ask whether its features are agreed on may go on where they can be.
    if ((status & Status.DRIVER_OK) !== 0 && !acceptable) this.#fail('DRIVER_OK without features that are agreed on');
    // Buffers may be waiting, or the host for buffers.
    if ((status & Status.DRIVER_OK) !== 0) this.hub.signalHost(this);
  }

  /** Only what we offer, and at least VERSION_1 (6.1). */
  #acceptable(): boolean {
    const s = this.#s;
    return (s.driver[0] & ~this.#features[0]) === 0 && s.driver[1] === F_VERSION_1_HIGH;
  }

  /** Reads through the configuration access capability (4.1.4.9). */
  #readWindow(offset: number, size: AccessSize): number | undefined {
    if (offset + size <= PCI_CAP_DATA || offset >= PCI_CAP_DATA + 4) return undefined;
    const window = this.#window();
    return window === undefined ? undefined : this.#read(window.at, window.size) >>> (8 * (offset - PCI_CAP_DATA));
  }

  #configWritten(offset: number, size: AccessSize): void {
    // Whatever the guest notified of before it let us master the bus.
    if (offset === PciConfig.COMMAND && this.live) this.hub.signalHost(this);
    if (offset + size <= PCI_CAP_DATA || offset >= PCI_CAP_DATA + 4) return;
    const window = this.#window();
    if (window === undefined) return;
    let value = 0;
    for (let i = 0; i < window.size; i++) value |= this.pci.configByte(PCI_CAP_DATA + i) << (8 * i);
    this.#write(window.at, value >>> 0);
  }

  #window(): { at: number; size: AccessSize } | undefined {
    const field = (at: number): number => word(0).reduce((sum, _, i) => sum + this.pci.configByte(at + i) * 2 ** (8 * i), 0);
    const at = field(PCI_CAP_OFFSET);
    const size = field(PCI_CAP_LENGTH);
    if (this.pci.configByte(PCI_CAP_BAR) !== 0 || (size !== 1 && size !== 2 && size !== 4)) return undefined;
    return at % size === 0 && at + size <= BAR_BYTES ? { at, size } : undefined;
  }
}
