// The I/O APIC: 24 inputs, at 0xFEC00000 (82093AA data sheet; version 0x20 with the EOI register). Inputs are taken as
// "asserted or not": the polarity bit is stored, but a line means the same whatever polarity the guest believes in.
import type { Device, DeviceContext } from './device.ts';
import { DELIVERY } from './lapic-state.ts';

export const IOAPIC_BASE = 0xfec00000;
export const IOAPIC_INPUTS = 24;
const VERSION = 0x20 | ((IOAPIC_INPUTS - 1) << 16);

const REDIRECTION_MASKED = 0x10000;
const REDIRECTION_LEVEL = 0x8000;
const REDIRECTION_REMOTE_IRR = 0x4000;
const REDIRECTION_LOGICAL = 0x800;
/** All but delivery status and remote IRR. */
const REDIRECTION_WRITABLE = 0x1afff;

const SELECT = 0;
const ID = 1;
const LINES = 2;
/** Arbitration ID: loaded by a write of the ID. */
const ARBITRATION = 3;
const TABLE = 4;
const WORDS = TABLE + 2 * IOAPIC_INPUTS;

/** Where messages go: the local APICs. */
export interface ApicBus {
  send(destination: number, logical: boolean, mode: number, vector: number, level: boolean): boolean;
  setExtInt(destination: number, logical: boolean, level: boolean): void;
}

export class IoApic implements Device {
  readonly name = 'ioapic';
  readonly #s: Int32Array;
  readonly #bus: ApicBus;
  readonly #id: number;

  constructor(context: DeviceContext, bus: ApicBus, id: number) {
    this.#bus = bus;
    this.#id = id;
    this.#s = context.words(WORDS);
    context.mmio.map(IOAPIC_BASE, 0x1000, {
      read: (offset, size) => {
        const value = this.#read(offset & 0xfc);
        return size === 4 ? value : value >>> (8 * (offset & 3));
      },
      // Registers are written whole; of the select register one byte is enough.
      write: (offset, size, value) => {
        if ((offset & 3) === 0 && (size === 4 || (offset & 0xfc) === 0)) this.#write(offset & 0xfc, value | 0);
      },
    });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    const s = this.#s;
    const lines = s[LINES];
    s.fill(0);
    s[LINES] = lines;
    s[ID] = s[ARBITRATION] = this.#id << 24;
    for (let input = 0; input < IOAPIC_INPUTS; input++) s[TABLE + 2 * input] = REDIRECTION_MASKED;
  }

  setInput(input: number, level: boolean): void {
    const s = this.#s;
    const bit = 1 << input;
    const was = (s[LINES] & bit) !== 0;
    if (was === level) return;
    s[LINES] ^= bit;
    const low = s[TABLE + 2 * input];
    if (((low >> 8) & 7) === DELIVERY.EXTINT) this.#connectPic(input);
    else if ((low & REDIRECTION_MASKED) === 0 && level) this.#service(input);
  }

  /** A CPU ended a level-triggered interrupt: its input may ask again. */
  endOfInterrupt(vector: number): void {
    const s = this.#s;
    for (let input = 0; input < IOAPIC_INPUTS; input++) {
      const low = s[TABLE + 2 * input];
      if ((low & 0xff) !== vector || (low & REDIRECTION_REMOTE_IRR) === 0) continue;
      s[TABLE + 2 * input] = low & ~REDIRECTION_REMOTE_IRR;
      this.#service(input);
    }
  }

  /** Sends the input's message if it may: an edge once, a level until the CPU ends it. The line is up. */
  #service(input: number): void {
    const s = this.#s;
    const low = s[TABLE + 2 * input];
    const level = (low & REDIRECTION_LEVEL) !== 0;
    if (level && ((s[LINES] & (1 << input)) === 0 || (low & (REDIRECTION_MASKED | REDIRECTION_REMOTE_IRR)) !== 0)) return;
    const mode = (low >> 8) & 7;
    const taken = this.#bus.send(s[TABLE + 2 * input + 1] >>> 24, (low & REDIRECTION_LOGICAL) !== 0, mode, low & 0xff, level);
    if (taken && level && mode <= DELIVERY.LOWEST) s[TABLE + 2 * input] |= REDIRECTION_REMOTE_IRR;
  }

  #connectPic(input: number): void {
    const s = this.#s;
    const low = s[TABLE + 2 * input];
    const on = (low & REDIRECTION_MASKED) === 0 && (s[LINES] & (1 << input)) !== 0;
    this.#bus.setExtInt(s[TABLE + 2 * input + 1] >>> 24, (low & REDIRECTION_LOGICAL) !== 0, on);
  }

  #read(offset: number): number {
    const s = this.#s;
    if (offset === 0) return s[SELECT];
    if (offset !== 0x10) return 0;
    const select = s[SELECT];
    if (select === 0) return s[ID];
    if (select === 1) return VERSION;
    if (select === 2) return s[ARBITRATION];
    const at = select - 0x10;
    return at >= 0 && at < 2 * IOAPIC_INPUTS ? s[TABLE + at] : 0;
  }

  #write(offset: number, value: number): void {
    const s = this.#s;
    if (offset === 0) s[SELECT] = value & 0xff;
    else if (offset === 0x10) this.#writeRegister(s[SELECT], value);
    else if (offset === 0x40) this.endOfInterrupt(value & 0xff);
  }

  #writeRegister(select: number, value: number): void {
    const s = this.#s;
    if (select === 0) s[ID] = s[ARBITRATION] = value & 0x0f000000;
    const at = select - 0x10;
    if (at < 0 || at >= 2 * IOAPIC_INPUTS) return;
    const input = at >> 1;
    const old = s[TABLE + 2 * input];
    const wasExtInt = ((old >> 8) & 7) === DELIVERY.EXTINT;
    if (wasExtInt) this.#bus.setExtInt(s[TABLE + 2 * input + 1] >>> 24, (old & REDIRECTION_LOGICAL) !== 0, false);
    if ((at & 1) !== 0) {
      s[TABLE + at] = value & 0xff000000;
    } else {
      let low = (value & REDIRECTION_WRITABLE) | (old & REDIRECTION_REMOTE_IRR);
      // An edge-triggered input has no remote IRR: switching modes is how old kernels clear it.
      if ((low & REDIRECTION_LEVEL) === 0) low &= ~REDIRECTION_REMOTE_IRR;
      s[TABLE + at] = low;
    }
    const low = s[TABLE + 2 * input];
    if (((low >> 8) & 7) === DELIVERY.EXTINT) this.#connectPic(input);
    else if ((low & REDIRECTION_LEVEL) !== 0) this.#service(input);
  }
}
