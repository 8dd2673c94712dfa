// A 16550A serial port. Sending takes no time while the host takes what is sent: bytes go through a shared ring to its thread. Where
// the ring is full, the transmitter's FIFO is: LSR says so, and the interrupt of an empty transmitter comes when there is room again. A CPU that
// sends nevertheless waits. Input waits in another ring until the guest reads it; of that the receiver shows as much as its FIFO would hold. So a
// guest that sets its port up, and empties the FIFO for that, loses nothing of what was typed already: it is as if it were sent now.
import { array, struct, u8, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { Aml } from './aml.ts';
import * as aml from './aml.ts';
import { Backlog } from './backlog.ts';
import type { Device, DeviceContext } from './device.ts';
import type { Receiver } from './outlet.ts';
import { OutputChannel } from './output-channel.ts';
import { ByteRing, ringState } from './ring.ts';

export interface UartOptions {
  readonly name?: string;
  /** First of the eight ports; 0x3F8 by default. */
  readonly base?: number;
  readonly irq?: number;
  /** Called on the host thread with what the guest sent. */
  readonly onOutput?: Receiver<Uint8Array>;
  /** Called on the host thread: some of the input that waited was taken. */
  readonly onInputTaken?: (() => void) | undefined;
}

const OUTPUT_BYTES = 16384;
const INPUT_BYTES = 4096;
const FIFO = 16;
/** A CPU that asks whether the transmitter is empty, while it is not, waits so long for it (and for interrupts). */
const DOZE_MS = 1;

const UartState = struct({
  ier: u32,
  lcr: u32,
  mcr: u32,
  scr: u32,
  divisor: u32,
  /** FIFO control: bit 0 enabled, bits 6-7 trigger level. */
  fcr: u32,
  /** What came back in loop-back: first entry, number of entries, entries. */
  rxFirst: u32,
  rxCount: u32,
  rx: array(FIFO, u8),
  /** Overrun and break bits of LSR, until read. */
  lsrErrors: u32,
  msrDelta: u32,
  msrLines: u32,
  /** 1: the transmitter-empty interrupt is pending. */
  threPending: u32,
  /** Of the interrupt line. */
  level: u32,
  /** 1: there is no room for a FIFO's worth of output: THRE is clear. */
  txFull: u32,
});

const IER_RX = 1;
const IER_THRE = 2;
const IER_LINE = 4;
const IER_MODEM = 8;
const MCR_LOOP = 0x10;
const LSR_DATA = 1;
const LSR_OVERRUN = 2;
const LSR_BREAK = 0x10;
const LSR_FIFO_ERROR = 0x80;
const LCR_BREAK = 0x40;
const LSR_EMPTY = 0x60;
/** CTS, DSR and DCD: somebody listens. */
const MSR_CONNECTED = 0xb0;
const TRIGGERS = [1, 4, 8, 14] as const;

const PORTS = 8;

/** Ports and lines of COM1 to COM4. */
export const COM_PORTS = [
  { base: 0x3f8, irq: 4 },
  { base: 0x2f8, irq: 3 },
  { base: 0x3e8, irq: 4 },
  { base: 0x2e8, irq: 3 },
] as const;

/** The serial port COM`number` in the DSDT. */
export const uartNode = (number: number, { base, irq }: { readonly base: number; readonly irq: number }): Aml =>
  aml.device(
    `COM${number}`,
    aml.define('_HID', aml.eisaId('PNP0501')),
    aml.define('_UID', aml.integer(number)),
    aml.define('_STA', aml.integer(0x0f)),
    aml.define('_CRS', aml.resources(aml.ioPorts(base, PORTS), aml.irq(irq))),
  );

export class Uart implements Device {
  readonly name: string;
  readonly #context: DeviceContext;
  readonly #irq: number;
  readonly #s: View<typeof UartState>;
  readonly #output: OutputChannel;
  readonly #input: ByteRing;
  /** Input that found the ring full. */
  readonly #backlog: Backlog;

  constructor(context: DeviceContext, options: UartOptions = {}) {
    this.name = options.name ?? 'uart';
    this.#context = context;
    this.#irq = options.irq ?? 4;
    this.#backlog = new Backlog(options.onInputTaken);
    this.#s = context.state(UartState);
    this.#output = new OutputChannel(context, this, OUTPUT_BYTES, options.onOutput);
    this.#input = new ByteRing(context.state(ringState(INPUT_BYTES)));
    context.ports.map(options.base ?? 0x3f8, PORTS, {
      read: (port) => this.#read(port & 7),
      write: (port, _size, value) => this.#write(port & 7, value),
    });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    const s = this.#s;
    clear(s);
    s.divisor = 1;
    s.msrLines = MSR_CONNECTED;
    s.txFull = this.#output.room < FIFO ? 1 : 0;
    this.#context.irq.setIrq(this.#irq, false);
  }

  /** Host thread, device lock held: bytes for the guest. Any number; they wait until the guest reads them. */
  pushInput(bytes: Uint8Array): void {
    this.#backlog.push(bytes);
    this.#refill();
  }

  /** Bytes the guest has not yet read (host thread). */
  get inputWaiting(): number {
    return this.#backlog.length + this.#input.length;
  }

  save(): readonly Uint8Array[] {
    return [this.#backlog.bytes];
  }

  restore([waiting, ...more]: readonly Uint8Array[]): boolean {
    if (waiting === undefined || more.length > 0) return false;
    this.#backlog.clear();
    this.#backlog.push(waiting);
    return true;
  }

  onHostSignal(): void {
    this.#output.flush();
    const s = this.#s;
    if (s.txFull !== 0 && this.#output.room >= FIFO) {
      s.txFull = 0;
      s.threPending = 1;
    }
    this.#refill();
  }

  #refill(): void {
    this.#backlog.drain((bytes) => this.#input.write(bytes));
    this.#updateIrq();
  }

  /** Bytes that the receiver shows, or would if it had a FIFO without end. */
  get #received(): number {
    const s = this.#s;
    return s.rxCount + ((s.mcr & MCR_LOOP) !== 0 ? 0 : this.#input.length);
  }

  /** The next received byte; 0 where there is none. */
  #take(): number {
    const s = this.#s;
    if (s.rxCount > 0) {
      const byte = s.rx[s.rxFirst];
      s.rxFirst = (s.rxFirst + 1) & (FIFO - 1);
      s.rxCount--;
      return byte;
    }
    if (this.#received === 0) return 0;
    const byte = this.#input.shift();
    // The host may hold more that found the ring full.
    if (this.#input.length === FIFO) this.#context.signalHost(this);
    return byte;
  }

  /** A byte that comes back. */
  #receive(byte: number): void {
    const s = this.#s;
    const fifo = (s.fcr & 1) !== 0;
    if (s.rxCount >= (fifo ? FIFO : 1)) {
      s.lsrErrors |= LSR_OVERRUN;
      // A FIFO keeps what it has; without one the new byte takes the place of the old (PC16550D, 8.4, bit 1).
      if (!fifo) s.rx[s.rxFirst] = byte;
      return;
    }
    s.rx[(s.rxFirst + s.rxCount) & (FIFO - 1)] = byte;
    s.rxCount++;
  }

  /** Identification of the pending interrupt with the highest priority; 1 for none. */
  #pending(): number {
    const s = this.#s;
    const enabled = s.ier;
    if ((enabled & IER_LINE) !== 0 && s.lsrErrors !== 0) return 6;
    const received = this.#received;
    if ((enabled & IER_RX) !== 0 && received > 0) {
      // The time-out interrupt comes at once: fewer bytes than the trigger asks for means that no more are waiting.
      return (s.fcr & 1) !== 0 && received < TRIGGERS[(s.fcr >> 6) & 3] ? 12 : 4;
    }
    if ((enabled & IER_THRE) !== 0 && s.threPending !== 0) return 2;
    if ((enabled & IER_MODEM) !== 0 && s.msrDelta !== 0) return 0;
    return 1;
  }

  #updateIrq(): void {
    const level = this.#pending() !== 1 ? 1 : 0;
    if (level === this.#s.level) return;
    this.#s.level = level;
    this.#context.irq.setIrq(this.#irq, level !== 0);
  }

  /** Modem status lines: of the outputs in loopback, of the world otherwise. */
  #updateModem(): void {
    const s = this.#s;
    let lines = MSR_CONNECTED;
    const mcr = s.mcr;
    if ((mcr & MCR_LOOP) !== 0) lines = ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4);
    const changed = lines ^ s.msrLines;
    // The ring indicator counts only when it falls.
    s.msrDelta |= ((changed & 0xb0) >> 4) | (changed & s.msrLines & 0x40 ? 4 : 0);
    s.msrLines = lines;
  }

  #read(register: number): number {
    const s = this.#s;
    switch (register) {
      case 0: {
        if ((s.lcr & 0x80) !== 0) return s.divisor & 0xff;
        const byte = this.#take();
        this.#updateIrq();
        return byte;
      }
      case 1:
        return (s.lcr & 0x80) !== 0 ? s.divisor >> 8 : s.ier;
      case 2: {
        const id = this.#pending();
        if (id === 2) {
          s.threPending = 0;
          this.#updateIrq();
        }
        return id | ((s.fcr & 1) !== 0 ? 0xc0 : 0);
      }
      case 3:
        return s.lcr;
      case 4:
        return s.mcr;
      case 5: {
        let empty = s.txFull === 0 || (s.mcr & MCR_LOOP) !== 0;
        if (!empty) {
          this.#output.doze(DOZE_MS);
          empty = s.txFull === 0;
        }
        const value = (empty ? LSR_EMPTY : 0) | s.lsrErrors | (this.#received > 0 ? LSR_DATA : 0);
        if (s.lsrErrors !== 0) {
          s.lsrErrors = 0;
          this.#updateIrq();
        }
        return value;
      }
      case 6: {
        const value = s.msrLines | s.msrDelta;
        if (s.msrDelta !== 0) {
          s.msrDelta = 0;
          this.#updateIrq();
        }
        return value;
      }
      default:
        return s.scr;
    }
  }

  #write(register: number, value: number): void {
    const s = this.#s;
    switch (register) {
      case 0:
        if ((s.lcr & 0x80) !== 0) s.divisor = (s.divisor & 0xff00) | value;
        else this.#send(value);
        return;
      case 1:
        if ((s.lcr & 0x80) !== 0) {
          s.divisor = (s.divisor & 0xff) | (value << 8);
          return;
        }
        if ((value & IER_THRE) !== 0 && (s.ier & IER_THRE) === 0 && s.txFull === 0) s.threPending = 1;
        s.ier = value & 15;
        break;
      case 2: {
        const flipped = ((value ^ s.fcr) & 1) !== 0;
        s.fcr = value & 1 ? value & 0xc1 : 0;
        // Without bit 0 the other bits are not programmed.
        if (flipped || (value & 3) === 3) {
          s.rxCount = 0;
          s.rxFirst = 0;
        }
        break;
      }
      case 3: {
        const breaks = (value & ~s.lcr & LCR_BREAK) !== 0;
        s.lcr = value;
        if (!breaks || (s.mcr & MCR_LOOP) === 0) return;
        // A break that comes back: a byte of zeros, and its mark.
        this.#receive(0);
        s.lsrErrors |= LSR_BREAK | ((s.fcr & 1) !== 0 ? LSR_FIFO_ERROR : 0);
        break;
      }
      case 4:
        s.mcr = value & 0x1f;
        this.#updateModem();
        break;
      case 7:
        s.scr = value;
        return;
      default:
        return;
    }
    this.#updateIrq();
  }

  #send(byte: number): void {
    const s = this.#s;
    const looped = (s.mcr & MCR_LOOP) !== 0;
    // What comes back has as many bits as LCR says. (The host gets all eight: early code sends before it sets them.)
    if (looped) this.#receive(byte & ((32 << (s.lcr & 3)) - 1));
    else {
      if (!this.#output.send(byte)) return;
      if (this.#output.room < FIFO) s.txFull = 1;
    }
    // The line drops while the byte is in the holding register, so an edge-triggered input sees a new request.
    if (s.threPending !== 0) {
      s.threPending = 0;
      this.#updateIrq();
    }
    s.threPending = looped || s.txFull === 0 ? 1 : 0;
    this.#updateIrq();
  }
}
