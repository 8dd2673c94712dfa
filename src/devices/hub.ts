// What all devices of one thread hang on: shared state in construction order, the address spaces, the device lock,
// signals to the host thread, deadlines. Every thread makes its own hub over the same shared memory.
import { array, f64, i32, type Struct, shared32, struct } from '../layout/struct.ts';
import { type SharedWord, type View, view } from '../layout/view.ts';
import { BusGeneration, Mmio, Ports } from './bus.ts';
import type { Clock, Device, DeviceContext, IrqSink, RunEnd } from './device.ts';
import { DeviceLock, LockState } from './lock.ts';
import { type Outlet, Outlets, type Receiver } from './outlet.ts';

export interface HubOptions {
  /** All shared device state: a view of DEVICE_STATE (aligned as a cache line is). */
  readonly state: Int32Array;
  readonly ram: Uint8Array;
  readonly clock: Clock;
  /** Not 0; different for every thread. */
  readonly thread: number;
  /** False where Atomics.wait throws (a browser's main thread). */
  readonly mayWait: boolean;
  readonly isHost: boolean;
  readonly isFirst: boolean;
  /** Signals: bumped when a device wants the host thread. */
  readonly hostSignal?: SharedWord;
  /** Bumped when a deadline came closer (by more than LATE_NS) than what the timekeeper said it sleeps until. */
  readonly timerSignal?: SharedWord;
  readonly onEnd: (reason: RunEnd) => void;
  /** True once the machine stops: nobody waits for the host any more. */
  readonly stopped?: () => boolean;
  /** The machine's ways out (host thread). */
  readonly outlets?: Outlets | undefined;
  readonly waiting?: WaitingCpu | undefined;
}

/** The CPU that this thread runs, where it cannot go on before the host has taken something. */
export interface WaitingCpu {
  /** Around a sleep: other CPUs may have the memory for themselves meanwhile (wasm/memory/exclusive.ts). */
  park(): void;
  unpark(): void;
}

const MAX_DEVICES = 128;
/** Who has what is no device's. */
const HUB = 'hub';
/** Each device's state starts on a cache line of its own. */
const ALIGN = 64;
const WAIT_MS = 100;
/** So late a timer may be where that saves waking the timekeeper (ns): as late as a sleeping thread wakes anyway. */
export const LATE_NS = 50e3;

const HubState = struct({
  /** Counts remaps of the address spaces. */
  generation: shared32,
  /** A bit for each device that wants the host thread. */
  signals: array(MAX_DEVICES / 32, i32),
  /** Until when the timekeeper sleeps. */
  sleep: f64,
});

/** A piece of device state. */
export interface Piece {
  /** The name of its device. */
  readonly owner: string;
  readonly record: Struct<unknown>;
  /** Where it is in the device state, in bytes. */
  readonly at: number;
}

export class DeviceHub implements DeviceContext {
  readonly lock: DeviceLock;
  readonly ports: Ports;
  readonly mmio: Mmio;
  readonly generation: BusGeneration;
  readonly clock: Clock;
  readonly ram: Uint8Array;
  readonly isHost: boolean;
  readonly isFirst: boolean;
  readonly devices: Device[] = [];
  readonly irq: IrqSink;
  /** Called where a CPU ought to wait for the host but runs on its thread (lockstep): it ends the CPU's slice. */
  endSlice: (() => void) | undefined;
  readonly #options: HubOptions;
  readonly #outlets: Outlets;
  readonly #numbers = new Map<Device, number>();
  readonly #s: View<typeof HubState>;
  readonly #pieces: Piece[] = [];
  #sink: IrqSink | undefined;
  #next = 0;
  #building = HUB;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#outlets = options.outlets ?? new Outlets();
    this.clock = options.clock;
    this.ram = options.ram;
    this.isHost = options.isHost;
    this.isFirst = options.isFirst;
    this.lock = new DeviceLock(this.state(LockState), options.thread, options.mayWait);
    this.#s = this.state(HubState);
    this.generation = new BusGeneration(this.#s.generation);
    this.ports = new Ports(this.generation, () => this.#building);
    this.mmio = new Mmio(this.generation, () => this.#building);
    this.irq = { setIrq: (line, level) => this.#sink?.setIrq(line, level) };
  }

  state<R extends Struct<unknown>>(record: R): View<R> {
    const { state } = this.#options;
    const at = this.#next;
    this.#next = (at + record.size + ALIGN - 1) & -ALIGN;
    if (this.#next > state.byteLength) throw new RangeError('device state is full');
    this.#pieces.push({ owner: this.#building, record, at });
    return view(record, state.buffer, state.byteOffset + at);
  }

  /** The device state taken so far, in construction order. */
  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  /** The interrupt controllers, once they exist. */
  connect<T extends IrqSink>(sink: T): T {
    this.#sink = sink;
    return sink;
  }

  build<T>(name: string, make: () => T): T {
    const before = this.#building;
    this.#building = name;
    try {
      return make();
    } finally {
      this.#building = before;
    }
  }

  /** Registers a device: in the same order on every thread. */
  add<T extends Device>(device: T): T {
    if (this.devices.length === MAX_DEVICES) throw new RangeError('too many devices');
    this.#numbers.set(device, this.devices.length);
    this.devices.push(device);
    return device;
  }

  signalHost(device: Device): void {
    const number = this.#numbers.get(device);
    if (number === undefined) return;
    const bit = 1 << (number & 31);
    if ((Atomics.or(this.#s.signals, number >> 5, bit) & bit) === 0) bump(this.#options.hostSignal);
  }

  outlet<T>(device: Device | undefined, receive: Receiver<T> | undefined): Outlet<T> {
    return this.#outlets.add(receive, () => (device === undefined ? bump(this.#options.hostSignal) : this.signalHost(device)));
  }

  /** Whatever hosts and users answer, however fast, must come to the guest in one order (lockstep). */
  get inOrder(): boolean {
    return this.#outlets.keeps;
  }

  /** An answer of the host's that a device waits for (Outlets.watch). */
  watch(answer: Promise<unknown>): void {
    this.#outlets.watch(answer);
  }

  waitHost(device: Device, word: SharedWord, value: number): boolean {
    if (this.isHost) {
      device.onHostSignal?.();
      this.endSlice?.();
      return word.load() !== value;
    }
    this.signalHost(device);
    this.sleep(word, value, WAIT_MS);
    return this.#options.stopped?.() !== true;
  }

  sleep(word: SharedWord, value: number, ms: number): void {
    if (this.isHost) return;
    const { mayWait, waiting } = this.#options;
    const depth = this.lock.release();
    waiting?.park();
    if (mayWait) word.wait(value, ms);
    else for (let i = 0; i < 1000 && word.load() === value; i++);
    waiting?.unpark();
    this.lock.retake(depth);
  }

  endRun(reason: RunEnd): void {
    this.#options.onEnd(reason);
  }

  deadlineChanged(deadline: number): void {
    if (deadline + LATE_NS < this.#s.sleep) {
      this.#s.sleep = deadline;
      bump(this.#options.timerSignal);
    }
  }

  /** The host thread: runs onHostSignal of all devices that asked. Takes the lock for each. */
  runHostSignals(): void {
    for (let word = 0; word < this.#s.signals.length; word++) {
      let bits = Atomics.exchange(this.#s.signals, word, 0);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        this.lock.enter();
        try {
          this.devices[word * 32 + bit].onHostSignal?.();
        } finally {
          this.lock.leave();
        }
      }
    }
  }

  /** Earliest deadline of all devices. Whoever asks is the timekeeper, which wakes at `wakesAt` anyway: it is woken when an earlier one comes up. */
  nextDeadline(wakesAt = Number.POSITIVE_INFINITY): number {
    let next = Number.POSITIVE_INFINITY;
    this.lock.enter();
    this.clock.relax?.();
    for (const device of this.devices) {
      if (device.nextDeadline !== undefined) next = Math.min(next, device.nextDeadline());
    }
    this.#s.sleep = Math.min(next, wakesAt);
    this.lock.leave();
    return next;
  }

  /** When a device is likely to have a deadline that it does not know yet; Infinity: none, as far as can be seen at `now`. */
  nextExpected(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    this.lock.enter();
    for (const device of this.devices) if (device.nextExpected !== undefined) next = Math.min(next, device.nextExpected(now));
    this.lock.leave();
    return next;
  }

  /** Runs every timer whose deadline has come at `until`, or now where that is earlier. */
  runTimers(until: number): void {
    this.lock.enter();
    const now = Math.min(until, this.clock.now());
    for (const device of this.devices) {
      if (device.onTimer !== undefined && device.nextDeadline !== undefined && device.nextDeadline() <= now) {
        if (!device.mayBeEarly) this.clock.saw?.(now);
        device.onTimer(now);
      }
    }
    this.lock.leave();
  }

  reset(): void {
    this.lock.enter();
    for (const device of this.devices) device.reset();
    this.lock.leave();
  }
}

function bump(signal: SharedWord | undefined): void {
  signal?.add(1);
  signal?.notify();
}
