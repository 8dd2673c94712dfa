// What a device is to the machine. State that a guest can see lives in shared memory (`state`), because the CPU
// Workers, the I/O thread and the timekeeper all run device code, one at a time, under the machine's device lock.
import type { Struct } from '../layout/struct.ts';
import type { SharedWord, View } from '../layout/view.ts';
import type { Outlet, Receiver } from './outlet.ts';

/** A level- or edge-triggered interrupt line into the 8259 pair and the I/O APIC. */
export interface IrqSink {
  /** Drives ISA line 0..15, or I/O APIC input 16..23, to `level` (PCI lines are level-triggered, ISA lines edge-triggered). */
  setIrq(line: number, level: boolean): void;
}

/** Clock of the machine. */
export interface Clock {
  /** Nanoseconds since power-on, as a double. Monotonic; the same on every thread. */
  now(): number;
  /** Milliseconds since the Unix epoch at power-on plus now(): for the RTC. */
  wallMs(): number;
  /** The guest reads or starts a timer by which it may measure another clock; now() is for that. On the thread of its CPU. */
  timerRead?(): void;
  /** Timers ran at `now`: the clock may not go back behind that. Device lock held, as for the next two. */
  saw?(now: number): void;
  /** A CPU enters HLT or leaves it. */
  changed?(): void;
  /** Called now and then. */
  relax?(): void;
  /** How long the host may sleep where the guest's clock is to go on by `guestNs`: never too long. */
  hostNs?(guestNs: number): number;
}

/** What a device is built from, on every thread that may touch it. Each thread builds its own objects over the same shared state. */
export interface DeviceContext {
  /** Takes shared, zero-initialised state, as the record describes it. The order of construction is the same on every thread. */
  state<R extends Struct<unknown>>(record: R): View<R>;
  /** Builds a device, or one that another has inside: the state and the places that it takes meanwhile are entered under its name. */
  build<T>(name: string, make: () => T): T;
  readonly irq: IrqSink;
  readonly clock: Clock;
  /** Guest RAM (a view that starts at guest physical 0), for devices that master the bus. */
  readonly ram: Uint8Array;
  readonly ports: PortSpace;
  readonly mmio: MmioSpace;
  /** True on the one thread that owns host resources (console, files, network). */
  readonly isHost: boolean;
  /** True in the call that sets the power-on state; the other threads attach to what is there. */
  readonly isFirst: boolean;
  /** Asks the host thread to run `onHostSignal` of this device soon. May be called from any thread. */
  signalHost(device: Device): void;
  /** Ends the run with a named reason (power-off, reset, debug-exit ...). May be called from any thread. */
  endRun(reason: RunEnd): void;
  /** A device set a deadline (Clock nanoseconds): whoever sleeps until a later one is woken. */
  deadlineChanged?(deadline: number): void;
  /** The way of the device's output to the user's callback, which says how fast (host thread). Where it is ready again, `onHostSignal` runs. */
  outlet<T>(device: Device, receive: Receiver<T> | undefined): Outlet<T>;
  /**
   * Waits until the host thread ran `onHostSignal` of this device and `word` is no longer `value`, or for a while.
   * Gives the device lock up meanwhile, and the CPU counts as parked. False: the machine stops, waiting is in vain. Loop over it.
   */
  waitHost(device: Device, word: SharedWord, value: number): boolean;
  /** Sleeps until `word` is no longer `value` (somebody notifies it), for `ms` at the most, as waitHost does; not at all on the host's thread. */
  sleep(word: SharedWord, value: number, ms: number): void;
}

export type RunEnd = { readonly kind: 'power-off' } | { readonly kind: 'reset' } | { readonly kind: 'debug-exit'; readonly value: number };

export interface Device {
  readonly name: string;
  /** Sets registers to their reset values. */
  reset(): void;
  /** Its timer harms nobody where the clock goes back by a little once it ran: what it keeps of the time is when something began. */
  readonly mayBeEarly?: boolean;
  /** When the device next wants `onTimer`, in Clock nanoseconds; Infinity for never. Must be derived from shared state. */
  nextDeadline?(): number;
  onTimer?(now: number): void;
  /** When it is likely to want `onTimer` though it has no deadline yet, as seen at `now`; Infinity: unknown. A guess, which spares a wake where it is right. */
  nextExpected?(now: number): number;
  /** Runs on the host thread, device lock held, after signalHost. */
  onHostSignal?(): void;
  /** Copies of what only the host thread's object has of what the guest can see (input that waits): for snapshots, where its shared state is saved as it is. */
  save?(): readonly Uint8Array[];
  /** Puts that back, where nothing else waits, behind the shared state. False: no such device saved it. */
  restore?(saved: readonly Uint8Array[]): boolean;
}

/** Bytes of an access. */
export type AccessSize = 1 | 2 | 4;

export type PortRead = (port: number, size: AccessSize) => number;
export type PortWrite = (port: number, size: AccessSize, value: number) => void;
export interface PortHandlers {
  readonly read?: PortRead;
  readonly write?: PortWrite;
  /** Wider accesses are split. Default: 1. */
  readonly width?: AccessSize;
}
export interface PortSpace {
  /** Claims ports [first, first + count) for good. A port nobody claims reads as all ones and ignores writes. Throws INTERNAL where another device has one of them. */
  map(first: number, count: number, handlers: PortHandlers): void;
  /** The same for a range that the guest moves, which gets only those ports that nobody has; the function that is returned gives them back. */
  place(first: number, count: number, handlers: PortHandlers): () => void;
  /** Whether a device answers at the port now. */
  claimed(port: number): boolean;
}

export type MmioRead = (offset: number, size: AccessSize) => number;
export type MmioWrite = (offset: number, size: AccessSize, value: number) => void;
export interface MmioHandlers {
  readonly read: MmioRead;
  readonly write: MmioWrite;
}
export interface MmioSpace {
  /** Claims guest physical [base, base + bytes), outside RAM, for good. Throws INTERNAL where another device has some of it. */
  map(base: number, bytes: number, handlers: MmioHandlers): void;
  /** The same for a range that the guest moves, which gets only what nobody has; the function that is returned gives it back. */
  place(base: number, bytes: number, handlers: MmioHandlers): () => void;
}
