// A 16550A serial port. Sending takes no time while the host takes what is sent: bytes go through a shared ring to its thread. Where
// the ring is full, the transmitter's FIFO is: LSR says so, and the interrupt of an empty transmitter comes when there is room again. A CPU that
// sends nevertheless waits. Input waits in another ring until the guest reads it; of that the receiver shows as much as its FIFO would hold. So a
// guest that sets its port up, and empties the FIFO for that, loses nothing of what was typed already: it is as if it were sent now.
import type { Aml } from './aml.ts';
import * as aml from './aml.ts';
import { Backlog } from './backlog.ts';
import type { Device, DeviceContext } from './device.ts';
import type { Receiver } from './outlet.ts';
import { OutputChannel } from './output-channel.ts';
import { ByteRing, ringWords } from './ring.ts';

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

const IER = 0;
const LCR = 1;
const MCR = 2;
const SCR = 3;
const DIVISOR = 4;
/** FIFO control: bit 0 enabled, bits 6-7 trigger level. */
const FCR = 5;
/** What came back in loop-back: first entry and number of entries; then the entries. */
const RX_FIRST = 6;
const RX_COUNT = 7;
/** Overrun and break bits of LSR, until read. */
const LSR_ERRORS = 8;
const MSR_DELTA = 9;
/** The transmitter-empty interrupt is pending. */
const THRE_PENDING = 10;
const MSR_LINES = 11;
const LEVEL = 12;
/** There is no room for a FIFO's worth of output: THRE is clear. */
const TX_FULL = 13;
const RX = 14;
const WORDS = RX + FIFO;

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

/** The serial port COM`number` in the DSDT. */
export const uartNode = (number: number, base: number, irq: number): Aml =>
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
  readonly #s: Int32Array;
  readonly #output: OutputChannel;
  readonly #input: ByteRing;
  /** Input that found the ring full. */
  readonly #backlog: Backlog;

  constructor(context: DeviceContext, options: UartOptions = {}) {
    this.name = options.name ?? 'uart';
    this.#context = context;
    this.#irq = options.irq ?? 4;
    this.#backlog = new Backlog(options.onInputTaken);
    this.#s = context.words(WORDS);
    this.#output = new OutputChannel(context, this, OUTPUT_BYTES, options.onOutput);
    this.#input = new ByteRing(context.words(ringWords(INPUT_BYTES)), INPUT_BYTES);
    context.ports.map(options.base ?? 0x3f8, PORTS, {
      read: (port) => this.#read(port & 7),
      write: (port, _size, value) => this.#write(port & 7, value),
    });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    const s = this.#s;
    s.fill(0);
    s[DIVISOR] = 1;
    s[MSR_LINES] = MSR_CONNECTED;
    s[TX_FULL] = this.#output.room < FIFO ? 1 : 0;
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

  onHostSignal(): void {
    this.#output.flush();
    const s = this.#s;
    if (s[TX_FULL] !== 0 && this.#output.room >= FIFO) {
      s[TX_FULL] = 0;
      s[THRE_PENDING] = 1;
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
    return s[RX_COUNT] + ((s[MCR] & MCR_LOOP) !== 0 ? 0 : this.#input.length);
  }

  /** The next received byte; 0 where there is none. */
  #take(): number {
    const s = this.#s;
    if (s[RX_COUNT] > 0) {
      const byte = s[RX + s[RX_FIRST]];
      s[RX_FIRST] = (s[RX_FIRST] + 1) & (FIFO - 1);
      s[RX_COUNT]--;
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
    const fifo = (s[FCR] & 1) !== 0;
    if (s[RX_COUNT] >= (fifo ? FIFO : 1)) {
      s[LSR_ERRORS] |= LSR_OVERRUN;
      // A FIFO keeps what it has; without one the new byte takes the place of the old (PC16550D, 8.4, bit 1).
      if (!fifo) s[RX + s[RX_FIRST]] = byte;
      return;
    }
    s[RX + ((s[RX_FIRST] + s[RX_COUNT]) & (FIFO - 1))] = byte;
    s[RX_COUNT]++;
  }

  /** Identification of the pending interrupt with the highest priority; 1 for none. */
  #pending(): number {
    const s = this.#s;
    const enabled = s[IER];
    if ((enabled & IER_LINE) !== 0 && s[LSR_ERRORS] !== 0) return 6;
    const received = this.#received;
    if ((enabled & IER_RX) !== 0 && received > 0) {
      // The time-out interrupt comes at once: fewer bytes than the trigger asks for means that no more are waiting.
      return (s[FCR] & 1) !== 0 && received < TRIGGERS[(s[FCR] >> 6) & 3] ? 12 : 4;
    }
    if ((enabled & IER_THRE) !== 0 && s[THRE_PENDING] !== 0) return 2;
    if ((enabled & IER_MODEM) !== 0 && s[MSR_DELTA] !== 0) return 0;
    return 1;
  }

  #updateIrq(): void {
    const level = this.#pending() !== 1 ? 1 : 0;
    if (level === this.#s[LEVEL]) return;
    this.#s[LEVEL] = level;
    this.#context.irq.setIrq(this.#irq, level !== 0);
  }

  /** Modem status lines: of the outputs in loopback, of the world otherwise. */
  #updateModem(): void {
    const s = this.#s;
    let lines = MSR_CONNECTED;
    const mcr = s[MCR];
    if ((mcr & MCR_LOOP) !== 0) lines = ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4);
    const changed = lines ^ s[MSR_LINES];
    // The ring indicator counts only when it falls.
    s[MSR_DELTA] |= ((changed & 0xb0) >> 4) | (changed & s[MSR_LINES] & 0x40 ? 4 : 0);
    s[MSR_LINES] = lines;
  }

  #read(register: number): number {
    const s = this.#s;
    switch (register) {
      case 0: {
        if ((s[LCR] & 0x80) !== 0) return s[DIVISOR] & 0xff;
        const byte = this.#take();
        this.#updateIrq();
        return byte;
      }
      case 1:
        return (s[LCR] & 0x80) !== 0 ? s[DIVISOR] >> 8 : s[IER];
      case 2: {
        const id = this.#pending();
        if (id === 2) {
          s[THRE_PENDING] = 0;
          this.#updateIrq();
        }
        return id | ((s[FCR] & 1) !== 0 ? 0xc0 : 0);
      }
      case 3:
        return s[LCR];
      case 4:
        return s[MCR];
      case 5: {
        let empty = s[TX_FULL] === 0 || (s[MCR] & MCR_LOOP) !== 0;
        if (!empty) {
          this.#output.doze(DOZE_MS);
          empty = s[TX_FULL] === 0;
        }
        const value = (empty ? LSR_EMPTY : 0) | s[LSR_ERRORS] | (this.#received > 0 ? LSR_DATA : 0);
        if (s[LSR_ERRORS] !== 0) {
          s[LSR_ERRORS] = 0;
          this.#updateIrq();
        }
        return value;
      }
      case 6: {
        const value = s[MSR_LINES] | s[MSR_DELTA];
        if (s[MSR_DELTA] !== 0) {
          s[MSR_DELTA] = 0;
          this.#updateIrq();
        }
        return value;
      }
      default:
        return s[SCR];
    }
  }

  #write(register: number, value: number): void {
    const s = this.#s;
    switch (register) {
      case 0:
        if ((s[LCR] & 0x80) !== 0) s[DIVISOR] = (s[DIVISOR] & 0xff00) | value;
        else this.#send(value);
        return;
      case 1:
        if ((s[LCR] & 0x80) !== 0) {
          s[DIVISOR] = (s[DIVISOR] & 0xff) | (value << 8);
          return;
        }
        if ((value & IER_THRE) !== 0 && (s[IER] & IER_THRE) === 0 && s[TX_FULL] === 0) s[THRE_PENDING] = 1;
        s[IER] = value & 15;
        break;
      case 2: {
        const flipped = ((value ^ s[FCR]) & 1) !== 0;
        s[FCR] = value & 1 ? value & 0xc1 : 0;
        // Without bit 0 the other bits are not programmed.
        if (flipped || (value & 3) === 3) {
          s[RX_COUNT] = 0;
          s[RX_FIRST] = 0;
        }
        break;
      }
      case 3: {
        const breaks = (value & ~s[LCR] & LCR_BREAK) !== 0;
        s[LCR] = value;
        if (!breaks || (s[MCR] & MCR_LOOP) === 0) return;
        // A break that comes back: a byte of zeros, and its mark.
        this.#receive(0);
        s[LSR_ERRORS] |= LSR_BREAK | ((s[FCR] & 1) !== 0 ? LSR_FIFO_ERROR : 0);
        break;
      }
      case 4:
        s[MCR] = value & 0x1f;
        this.#updateModem();
        break;
      case 7:
        s[SCR] = value;
        return;
      default:
        return;
    }
    this.#updateIrq();
  }

  #send(byte: number): void {
    const s = this.#s;
    const looped = (s[MCR] & MCR_LOOP) !== 0;
    // What comes back has as many bits as LCR says. (The host gets all eight: early code sends before it sets them.)
    if (looped) this.#receive(byte & ((32 << (s[LCR] & 3)) - 1));
    else {
      if (!this.#output.send(byte)) return;
      if (this.#output.room < FIFO) s[TX_FULL] = 1;
    }
    // The line drops while the byte is in the holding register, so an edge-triggered input sees a new request.
    if (s[THRE_PENDING] !== 0) {
      s[THRE_PENDING] = 0;
      this.#updateIrq();
    }
    s[THRE_PENDING] = looped || s[TX_FULL] === 0 ? 1 : 0;
    this.#updateIrq();
  }
}
