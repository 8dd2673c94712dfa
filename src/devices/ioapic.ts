// The I/O APIC: 24 inputs, at 0xFEC00000 (82093AA data sheet; version 0x20 with the EOI register). Inputs are taken as
// "asserted or not": the polarity bit is stored, but a line means the same whatever polarity the guest believes in.
import { records, struct, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
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

/** An entry of the redirection table. */
const EntryState = struct({ low: u32, high: u32 }, 8);
const IoApicState = struct({
  select: u32,
  id: u32,
  /** Levels of the inputs. */
  lines: u32,
  /** Arbitration ID: loaded by a write of the ID. */
  arbitration: u32,
  table: records(IOAPIC_INPUTS, EntryState),
});

/** Where messages go: the local APICs. */
export interface ApicBus {
  send(destination: number, logical: boolean, mode: number, vector: number, level: boolean): boolean;
  setExtInt(destination: number, logical: boolean, level: boolean): void;
}

export class IoApic implements Device {
  readonly name = 'ioapic';
  readonly #s: View<typeof IoApicState>;
  readonly #bus: ApicBus;
  readonly #id: number;

  constructor(context: DeviceContext, bus: ApicBus, id: number) {
    this.#bus = bus;
    this.#id = id;
    this.#s = context.state(IoApicState);
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
    const lines = s.lines;
    clear(s);
    s.lines = lines;
    s.id = s.arbitration = this.#id << 24;
    for (const entry of s.table) entry.low = REDIRECTION_MASKED;
  }

  setInput(input: number, level: boolean): void {
    const s = this.#s;
    const bit = 1 << input;
    const was = (s.lines & bit) !== 0;
    if (was === level) return;
    s.lines ^= bit;
    const { low } = s.table[input];
    if (((low >> 8) & 7) === DELIVERY.EXTINT) this.#connectPic(input);
    else if ((low & REDIRECTION_MASKED) === 0 && level) this.#service(input);
  }

  /** A CPU ended a level-triggered interrupt: its input may ask again. */
  endOfInterrupt(vector: number): void {
    const s = this.#s;
    for (let input = 0; input < IOAPIC_INPUTS; input++) {
      const entry = s.table[input];
      if ((entry.low & 0xff) !== vector || (entry.low & REDIRECTION_REMOTE_IRR) === 0) continue;
      entry.low &= ~REDIRECTION_REMOTE_IRR;
      this.#service(input);
    }
  }

  /** Sends the input's message if it may: an edge once, a level until the CPU ends it. The line is up. */
  #service(input: number): void {
    const s = this.#s;
    const entry = s.table[input];
    const { low } = entry;
    const level = (low & REDIRECTION_LEVEL) !== 0;
    if (level && ((s.lines & (1 << input)) === 0 || (low & (REDIRECTION_MASKED | REDIRECTION_REMOTE_IRR)) !== 0)) return;
    const mode = (low >> 8) & 7;
    const taken = this.#bus.send(entry.high >>> 24, (low & REDIRECTION_LOGICAL) !== 0, mode, low & 0xff, level);
    if (taken && level && mode <= DELIVERY.LOWEST) entry.low |= REDIRECTION_REMOTE_IRR;
  }

  #connectPic(input: number): void {
    const s = this.#s;
    const { low, high } = s.table[input];
    const on = (low & REDIRECTION_MASKED) === 0 && (s.lines & (1 << input)) !== 0;
    this.#bus.setExtInt(high >>> 24, (low & REDIRECTION_LOGICAL) !== 0, on);
  }

  #read(offset: number): number {
    const s = this.#s;
    if (offset === 0) return s.select;
    if (offset !== 0x10) return 0;
    const select = s.select;
    if (select === 0) return s.id;
    if (select === 1) return VERSION;
    if (select === 2) return s.arbitration;
    const at = select - 0x10;
    if (at < 0 || at >= 2 * IOAPIC_INPUTS) return 0;
    return (at & 1) !== 0 ? s.table[at >> 1].high : s.table[at >> 1].low;
  }

  #write(offset: number, value: number): void {
    const s = this.#s;
    if (offset === 0) s.select = value & 0xff;
    else if (offset === 0x10) this.#writeRegister(s.select, value);
    else if (offset === 0x40) this.endOfInterrupt(value & 0xff);
  }

  #writeRegister(select: number, value: number): void {
    const s = this.#s;
    if (select === 0) s.id = s.arbitration = value & 0x0f000000;
    const at = select - 0x10;
    if (at < 0 || at >= 2 * IOAPIC_INPUTS) return;
    const input = at >> 1;
    const entry = s.table[input];
    const old = entry.low;
    const wasExtInt = ((old >> 8) & 7) === DELIVERY.EXTINT;
    if (wasExtInt) this.#bus.setExtInt(entry.high >>> 24, (old & REDIRECTION_LOGICAL) !== 0, false);
    if ((at & 1) !== 0) {
      entry.high = value & 0xff000000;
    } else {
      let low = (value & REDIRECTION_WRITABLE) | (old & REDIRECTION_REMOTE_IRR);
      // An edge-triggered input has no remote IRR: switching modes is how old kernels clear it.
      if ((low & REDIRECTION_LEVEL) === 0) low &= ~REDIRECTION_REMOTE_IRR;
      entry.low = low;
    }
    const { low } = entry;
    if (((low >> 8) & 7) === DELIVERY.EXTINT) this.#connectPic(input);
    else if ((low & REDIRECTION_LEVEL) !== 0) this.#service(input);
  }
}
