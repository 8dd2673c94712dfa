// The MC146818 real-time clock with its CMOS memory. Time comes from clock.wallMs() (UTC) plus an offset that the guest's own settings of the
// clock change; while its updates are stopped (SET, or the divider in reset) it is in the CMOS bytes alone. Interrupt flags are brought up to
// date when somebody asks. Daylight saving (DSE) is stored and does nothing, as in most chips of today.
import { array, f64, struct, u8, u32 } from '../layout/struct.ts';
import type { View } from '../layout/view.ts';
import type { Aml } from './aml.ts';
import * as aml from './aml.ts';
import { civil, daysOf, MS_PER_DAY, modulo, weekday } from './calendar.ts';
import type { Device, DeviceContext } from './device.ts';
import type { LegacyIrqs } from './legacy-irqs.ts';

const REG_SECONDS = 0;
const REG_SECONDS_ALARM = 1;
const REG_MINUTES = 2;
const REG_MINUTES_ALARM = 3;
const REG_HOURS = 4;
const REG_HOURS_ALARM = 5;
const REG_WEEKDAY = 6;
const REG_DAY = 7;
const REG_MONTH = 8;
const REG_YEAR = 9;
const REG_A = 10;
const REG_B = 11;
const REG_C = 12;
const REG_D = 13;
const REG_CENTURY = 0x32;

const A_UIP = 0x80;
const A_DV = 0x70;
const DV_32768 = 0x20;
const B_SET = 0x80;
const B_PIE = 0x40;
const B_AIE = 0x20;
const B_UIE = 0x10;
const B_BINARY = 0x04;
const B_24H = 0x02;
const C_IRQF = 0x80;
/** The update cycle is announced this long before the second rolls over. */
const UIP_MS = 2;

/** Seconds that an alarm search looks back at most. */
const ALARM_WINDOW = 86400;

/** The divider starts half a second before the first update (data sheet, "divider control"). */
const DIVIDER_START_MS = 500;

const RtcState = struct({
  cmos: array(128, u8),
  /** Of the CMOS byte at the data port. */
  index: u32,
  /** Days of the week that the guest's count is ahead of the calendar's. */
  weekdayShift: u32,
  /** Milliseconds from the clock's wall time to the guest's. */
  offset: f64,
  lastSecond: f64,
  /** The last periodic tick seen. */
  lastTick: f64,
});

const PORT = 0x70;

/** The device in the DSDT. */
export const rtcNode: Aml = aml.device(
  'RTC',
  aml.define('_HID', aml.eisaId('PNP0B00')),
  aml.define('_CRS', aml.resources(aml.ioPorts(PORT, 2), aml.irq(8))),
);

export class Rtc implements Device {
  readonly name = 'rtc';
  readonly #context: DeviceContext;
  readonly #irqs: LegacyIrqs;
  readonly #ramBytes: number;
  readonly #s: View<typeof RtcState>;
  readonly #cmos: Uint8Array;
  /** Scratch of one call: second, minute, hour, weekday (1 = Sunday), day, month, year. */
  readonly #fields = new Int32Array(7);

  constructor(context: DeviceContext, irqs: LegacyIrqs, ramBytes: number) {
    this.#context = context;
    this.#irqs = irqs;
    this.#ramBytes = ramBytes;
    this.#s = context.state(RtcState);
    this.#cmos = this.#s.cmos;
    context.ports.map(PORT, 2, {
      read: (port) => (port === PORT ? 0xff : this.#read(this.#s.index)),
      write: (port, _size, value) => {
        if (port === PORT) this.#s.index = value & 0x7f;
        else this.#write(this.#s.index, value);
      },
    });
    irqs.add(() => this.#sync());
    if (context.isFirst) this.reset();
  }

  reset(): void {
    const cmos = this.#cmos;
    cmos.fill(0);
    cmos[REG_A] = 0x26;
    cmos[REG_B] = B_24H;
    cmos[REG_D] = 0x80;
    const put = (at: number, value: number) => {
      cmos[at] = value & 0xff;
      cmos[at + 1] = (value >> 8) & 0xff;
    };
    const extended = Math.max(0, Math.min(0xffff, (this.#ramBytes - 0x100000) / 1024));
    const above16M = Math.max(0, Math.min(0xffff, (this.#ramBytes - 0x1000000) / 0x10000));
    cmos[0x14] = 0x02;
    put(0x15, 640);
    put(0x17, extended);
    put(0x30, extended);
    put(0x34, above16M);
    let sum = 0;
    for (let i = 0x10; i <= 0x2d; i++) sum += cmos[i];
    cmos[0x2e] = (sum >> 8) & 0xff;
    cmos[0x2f] = sum & 0xff;
    this.#s.index = 0;
    this.#s.weekdayShift = 0;
    this.#s.offset = 0;
    this.#s.lastSecond = Math.floor(this.#now() / 1000);
    this.#s.lastTick = 0;
    this.#irqs.setIrq(8, false);
  }

  nextDeadline(): number {
    const b = this.#cmos[REG_B];
    // Further events add nothing while the line is up: the guest reads register C first.
    if (this.#irqs.replaced || (this.#cmos[REG_C] & C_IRQF) !== 0) return Number.POSITIVE_INFINITY;
    const now = this.#context.clock.now();
    let next = Number.POSITIVE_INFINITY;
    const period = this.#period();
    if ((b & B_PIE) !== 0 && period !== 0) next = (this.#s.lastTick + 1) * period;
    if ((b & (B_AIE | B_UIE)) !== 0 && this.#updates) {
      next = Math.min(next, now + ((this.#s.lastSecond + 1) * 1000 - this.#now()) * 1e6);
    }
    return next;
  }

  onTimer(_now: number): void {
    this.#sync();
  }

  /** Milliseconds since the epoch, as the guest's clock has it. */
  #now(): number {
    return this.#context.clock.wallMs() + this.#s.offset;
  }

  /** The divider runs: with the crystal that PCs have, for this setting of DV alone. */
  get #divides(): boolean {
    return (this.#cmos[REG_A] & A_DV) === DV_32768;
  }

  /** The time goes on. */
  get #updates(): boolean {
    return (this.#cmos[REG_B] & B_SET) === 0 && this.#divides;
  }

  /** Milliseconds of the present second, as the divider has counted them. */
  get #phase(): number {
    const ms = this.#now();
    return ms - Math.floor(ms / 1000) * 1000;
  }

  /** Nanoseconds between periodic interrupts; 0: none (MC146818 data sheet, rate selection). */
  #period(): number {
    const a = this.#cmos[REG_A];
    let rate = a & 15;
    if (rate === 0 || !this.#divides) return 0;
    if (rate <= 2) rate += 7;
    return (2 ** (rate - 1) * 1e9) / 32768;
  }

  /** Sets the flags of everything that happened since they were last brought up to date, and the interrupt line. */
  #sync(): void {
    const cmos = this.#cmos;
    const s = this.#s;
    const period = this.#period();
    let flags = 0;
    if (period !== 0) {
      // A rounding of the division must not lose the tick that a deadline was computed for.
      const tick = Math.floor(this.#context.clock.now() / period + 1e-9);
      if (tick > s.lastTick) flags |= B_PIE;
      s.lastTick = tick;
    }
    const second = Math.floor(this.#now() / 1000 + 1e-6);
    if (second !== s.lastSecond) {
      if (this.#updates && second > s.lastSecond) {
        flags |= B_UIE;
        const from = Math.max(s.lastSecond, second - ALARM_WINDOW);
        for (let one = from + 1; one <= second && (flags & B_AIE) === 0; one++) if (this.#alarmAt(one)) flags |= B_AIE;
      }
      s.lastSecond = second;
    }
    cmos[REG_C] |= flags;
    this.#updateIrq();
  }

  #updateIrq(): void {
    const cmos = this.#cmos;
    if ((cmos[REG_C] & cmos[REG_B] & (B_PIE | B_AIE | B_UIE)) !== 0) cmos[REG_C] |= C_IRQF;
    else cmos[REG_C] &= ~C_IRQF;
    this.#irqs.setIrq(8, (cmos[REG_C] & C_IRQF) !== 0);
  }

  #alarmAt(second: number): boolean {
    const cmos = this.#cmos;
    const ofDay = ((second % 86400) + 86400) % 86400;
    const match = (alarm: number, value: number) => alarm >= 0xc0 || alarm === value;
    return (
      match(cmos[REG_SECONDS_ALARM], this.#encode(ofDay % 60)) &&
      match(cmos[REG_MINUTES_ALARM], this.#encode(Math.floor(ofDay / 60) % 60)) &&
      match(cmos[REG_HOURS_ALARM], this.#encodeHour(Math.floor(ofDay / 3600)))
    );
  }

  #encode(value: number): number {
    return (this.#cmos[REG_B] & B_BINARY) !== 0 ? value : (Math.floor(value / 10) << 4) | (value % 10);
  }

  #decode(value: number): number {
    return (this.#cmos[REG_B] & B_BINARY) !== 0 ? value : (value >> 4) * 10 + (value & 15);
  }

  #encodeHour(hour: number): number {
    if ((this.#cmos[REG_B] & B_24H) !== 0) return this.#encode(hour);
    return this.#encode(hour % 12 === 0 ? 12 : hour % 12) | (hour >= 12 ? 0x80 : 0);
  }

  #decodeHour(value: number): number {
    if ((this.#cmos[REG_B] & B_24H) !== 0) return this.#decode(value);
    return (this.#decode(value & 0x7f) % 12) + ((value & 0x80) !== 0 ? 12 : 0);
  }

  /** Puts the current time into the CMOS bytes. */
  #store(): void {
    const f = this.#fields;
    const ms = this.#now();
    const days = Math.floor(ms / MS_PER_DAY);
    const seconds = Math.floor((ms - days * MS_PER_DAY) / 1000);
    civil(days, f);
    const cmos = this.#cmos;
    cmos[REG_SECONDS] = this.#encode(seconds % 60);
    cmos[REG_MINUTES] = this.#encode(Math.floor(seconds / 60) % 60);
    cmos[REG_HOURS] = this.#encodeHour(Math.floor(seconds / 3600));
    cmos[REG_WEEKDAY] = modulo(weekday(days) + this.#s.weekdayShift, 7) + 1;
    cmos[REG_DAY] = this.#encode(f[0]);
    cmos[REG_MONTH] = this.#encode(f[1]);
    cmos[REG_YEAR] = this.#encode(f[2] % 100);
    cmos[REG_CENTURY] = this.#encode(Math.floor(f[2] / 100));
  }

  /** Makes the CMOS bytes the current time, with `ms` milliseconds of its second gone. */
  #adopt(ms: number): void {
    const cmos = this.#cmos;
    const year = this.#decode(cmos[REG_CENTURY]) * 100 + this.#decode(cmos[REG_YEAR]);
    const days = daysOf(year, this.#decode(cmos[REG_MONTH]), this.#decode(cmos[REG_DAY]));
    const seconds = this.#decodeHour(cmos[REG_HOURS]) * 3600 + this.#decode(cmos[REG_MINUTES]) * 60 + this.#decode(cmos[REG_SECONDS]);
    this.#s.weekdayShift = modulo(cmos[REG_WEEKDAY] - 1 - weekday(days), 7);
    this.#s.offset = days * MS_PER_DAY + seconds * 1000 + ms - this.#context.clock.wallMs();
    this.#s.lastSecond = Math.floor(this.#now() / 1000);
  }

  #isTime(index: number): boolean {
    return index === REG_CENTURY || (index <= REG_YEAR && ((index & 1) === 0 || index >= REG_DAY));
  }

  #read(index: number): number {
    const cmos = this.#cmos;
    if (this.#isTime(index)) {
      if (this.#updates) this.#store();
    } else if (index === REG_A) {
      const updating = this.#updates && this.#phase >= 1000 - UIP_MS;
      return (cmos[REG_A] & ~A_UIP) | (updating ? A_UIP : 0);
    } else if (index === REG_C) {
      this.#sync();
      const value = cmos[REG_C];
      cmos[REG_C] = 0;
      this.#updateIrq();
      this.#rearm();
      return value;
    }
    return cmos[index];
  }

  #write(index: number, value: number): void {
    const cmos = this.#cmos;
    if (index === REG_C || index === REG_D) return;
    if (index === REG_A || index === REG_B) this.#writeControl(index, value);
    else if (!this.#isTime(index)) cmos[index] = value;
    else {
      // Bit 7 of the seconds cannot be written.
      const byte = index === REG_SECONDS ? value & 0x7f : value;
      const updates = this.#updates;
      if (updates) this.#store();
      cmos[index] = byte;
      if (updates) this.#adopt(this.#phase);
    }
    this.#rearm();
  }

  /** Registers A and B. Where updates stop the bytes keep the time, and where they go on they are the time. */
  #writeControl(index: number, value: number): void {
    const cmos = this.#cmos;
    const updates = this.#updates;
    const divides = this.#divides;
    this.#sync();
    if (updates) this.#store();
    if (index === REG_A) cmos[REG_A] = value & ~A_UIP;
    else cmos[REG_B] = (value & B_SET) !== 0 ? value & ~B_UIE : value;
    const started = !divides && this.#divides;
    if (started) this.#s.offset += DIVIDER_START_MS - this.#phase;
    if (!updates && this.#updates) this.#adopt(this.#phase);
    const period = this.#period();
    if (index === REG_A && period !== 0) this.#s.lastTick = Math.floor(this.#context.clock.now() / period);
    this.#updateIrq();
  }

  #rearm(): void {
    const next = this.nextDeadline();
    if (next !== Number.POSITIVE_INFINITY) this.#context.deadlineChanged?.(next);
  }
}
