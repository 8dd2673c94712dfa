// The high precision event timers (IA-PC HPET specification 1.0a): a 64-bit counter of 10 ns and three timers, all of which can be periodic, at
// FED00000H. The counter is never ticked: what it was when it was last set and the clock say what it is. A timer fires where the counter equals its
// comparator, as the specification has it: one that is set into the past waits until the counter comes round.
import { f64, records, struct, u32, u64 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { Aml } from './aml.ts';
import * as aml from './aml.ts';
import type { Device, DeviceContext } from './device.ts';
import type { LegacyIrqs } from './legacy-irqs.ts';

export const HPET_BASE = 0xfed00000;
export const HPET_BYTES = 0x400;
const TIMERS = 3;
export const HPET_TICK_NS = 10;
/** Revision 1, three timers, 64 bits, can replace the 8254 and the RTC. */
export const HPET_ID = 0x80860000 | 0xa001 | ((TIMERS - 1) << 8);
const PERIOD_FS = HPET_TICK_NS * 1e6;
/** A period that is shorter than this loses interrupts. */
const FASTEST_NS = 1000;

const ENABLE = 1;
const LEGACY = 2;

const INT_LEVEL = 0x02;
const INT_ENABLE = 0x04;
const PERIODIC = 0x08;
const VALUE_SET = 0x40;
const MODE_32 = 0x100;
const ROUTE = 0x3e00;
const WRITABLE = INT_LEVEL | INT_ENABLE | PERIODIC | VALUE_SET | MODE_32;
/** Can be periodic, is of 64 bits. */
const CAPABILITIES = 0x30;
/** I/O APIC inputs that no other device has (and the ISA lines of the same number). */
const ROUTES = [5, 6, 7, 12, 14, 15].reduce((bits, line) => bits | (1 << line), 0);
/** Lines that timers 0 and 1 have in LegacyReplacement mode. */
const LEGACY_LINES = [0, 8];

const TimerState = struct({
  config: u32,
  /** When it fires. */
  next: f64,
  comparator: u64,
  period: u64,
});
const HpetState = struct({
  config: u32,
  /** Interrupt status. */
  status: u32,
  /** Since when the counter counts from `base`. */
  start: f64,
  /** The counter at `start`, or while it stands still. */
  base: u64,
  timers: records(TIMERS, TimerState),
});

/** The device in the DSDT. */
export const hpetNode: Aml = aml.device(
  'HPET',
  aml.define('_HID', aml.eisaId('PNP0103')),
  aml.define('_CRS', aml.resources(aml.memory(HPET_BASE, HPET_BYTES))),
);

export class Hpet implements Device {
  readonly name = 'hpet';
  readonly #context: DeviceContext;
  readonly #legacy: LegacyIrqs;
  readonly #s: View<typeof HpetState>;

  constructor(context: DeviceContext, legacy: LegacyIrqs) {
    this.#context = context;
    this.#legacy = legacy;
    this.#s = context.state(HpetState);
    context.mmio.map(HPET_BASE, HPET_BYTES, {
      read: (offset, size) => this.#read(offset & ~3) >>> (size === 4 ? 0 : 8 * (offset & 3)),
      // Registers are written as a whole, or by halves.
      write: (offset, size, value) => {
        if (size !== 4 || (offset & 3) !== 0) return;
        this.#write(offset, value);
        context.deadlineChanged?.(this.nextDeadline());
      },
    });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    for (let n = 0; n < TIMERS; n++) this.#drive(n, false);
    clear(this.#s);
    for (const timer of this.#s.timers) {
      timer.comparator = 0xffff_ffff_ffff_ffffn;
      timer.next = Number.POSITIVE_INFINITY;
    }
    this.#legacy.replace(false);
  }

  /** Timers that nobody would hear have none: what they do is found out when somebody asks. */
  nextDeadline(): number {
    const s = this.#s;
    let next = Number.POSITIVE_INFINITY;
    for (let n = 0; n < TIMERS; n++) {
      const { config, next: own } = s.timers[n];
      const heard = (config & INT_ENABLE) !== 0 && ((config & INT_LEVEL) === 0 || (s.status & (1 << n)) === 0);
      if (heard) next = Math.min(next, own);
    }
    return next;
  }

  onTimer(now: number): void {
    for (let n = 0; n < TIMERS; n++) if (this.#s.timers[n].next <= now) this.#fire(n, now);
  }

  /** Ticks since the counter was set. A rounding must not lose the tick that a deadline was computed for. */
  #ticks(now: number): number {
    return (this.#s.config & ENABLE) === 0 ? 0 : Math.max(0, Math.floor((now - this.#s.start) / HPET_TICK_NS + 1e-6));
  }

  #counter(now: number): bigint {
    return BigInt.asUintN(64, this.#s.base + BigInt(this.#ticks(now)));
  }

  #bits(n: number): 32 | 64 {
    return (this.#s.timers[n].config & MODE_32) !== 0 ? 32 : 64;
  }

  /** Finds when timer `n` fires. `again`: it has just done so where the counter is. */
  #schedule(n: number, now: number, again: boolean): void {
    const s = this.#s;
    const timer = s.timers[n];
    timer.next = Number.POSITIVE_INFINITY;
    if ((s.config & ENABLE) === 0) return;
    const bits = this.#bits(n);
    let distance = Number(BigInt.asUintN(bits, timer.comparator - this.#counter(now)));
    if (distance === 0 && again) distance = 2 ** bits;
    const match = s.start + (this.#ticks(now) + distance) * HPET_TICK_NS;
    timer.next = again ? Math.max(match, now + FASTEST_NS) : match;
  }

  /** The counter has come to timer `n`'s comparator, or was there some ticks ago. A periodic timer that is late interrupts once for all periods. */
  #fire(n: number, now: number): void {
    const timer = this.#s.timers[n];
    const { config } = timer;
    const period = BigInt.asUintN(this.#bits(n), timer.period);
    if ((config & PERIODIC) !== 0 && period !== 0n) {
      const late = BigInt.asUintN(this.#bits(n), this.#counter(now) - timer.comparator);
      timer.comparator = BigInt.asUintN(this.#bits(n), timer.comparator + (late / period + 1n) * period);
    }
    if ((config & INT_LEVEL) !== 0) {
      this.#s.status |= 1 << n;
      this.#updateLevel(n);
    } else if ((config & INT_ENABLE) !== 0) {
      this.#drive(n, false);
      this.#drive(n, true);
    }
    this.#schedule(n, now, true);
  }

  #updateLevel(n: number): void {
    const s = this.#s;
    const { config } = s.timers[n];
    if ((config & INT_LEVEL) === 0) return;
    this.#drive(n, (s.config & ENABLE) !== 0 && (s.status & (1 << n)) !== 0 && (config & INT_ENABLE) !== 0);
  }

  #drive(n: number, level: boolean): void {
    const route = (this.#s.timers[n].config & ROUTE) >> 9;
    if ((this.#s.config & LEGACY) !== 0 && n < LEGACY_LINES.length) this.#legacy.setReplacement(LEGACY_LINES[n], level);
    // Where software has chosen no line there is none.
    else if (((ROUTES >> route) & 1) !== 0) this.#context.irq.setIrq(route, level);
  }

  #read(offset: number): number {
    if ((offset & ~7) === 0xf0) this.#context.clock.timerRead?.();
    const now = this.#context.clock.now();
    const high = (offset & 4) !== 0;
    const half = (value: bigint): number => Number(high ? value >> 32n : value & 0xffff_ffffn);
    if ((offset & ~7) === 0xf0) return half(this.#counter(now));
    // A timer that is due has fired.
    this.onTimer(now);
    if (offset === 0) return HPET_ID;
    if (offset === 4) return PERIOD_FS;
    if (offset === 0x10) return this.#s.config;
    if (offset === 0x20) return this.#s.status;
    const n = (offset - 0x100) >> 5;
    if (n < 0 || n >= TIMERS) return 0;
    if ((offset & 0x18) === 0) return high ? ROUTES : this.#s.timers[n].config | CAPABILITIES;
    return (offset & 0x18) === 8 ? half(BigInt.asUintN(this.#bits(n), this.#s.timers[n].comparator)) : 0;
  }

  #write(offset: number, value: number): void {
    const s = this.#s;
    const now = this.#context.clock.now();
    this.onTimer(now);
    if (offset === 0x10) this.#configure(value, now);
    else if (offset === 0x20) {
      s.status &= ~value;
      for (let n = 0; n < TIMERS; n++) this.#updateLevel(n);
    } else if ((offset & ~7) === 0xf0) {
      s.base = withHalf(this.#counter(now), offset, value);
      s.start = now;
      for (let n = 0; n < TIMERS; n++) this.#schedule(n, now, false);
    } else {
      const n = (offset - 0x100) >> 5;
      if (n < 0 || n >= TIMERS) return;
      if ((offset & 0x1f) === 0) this.#configureTimer(n, value, now);
      else if ((offset & 0x18) === 8) this.#setComparator(n, offset, value, now);
    }
  }

  #configure(value: number, now: number): void {
    const s = this.#s;
    const old = s.config;
    if (((old ^ value) & LEGACY) !== 0) {
      for (let n = 0; n < LEGACY_LINES.length; n++) this.#drive(n, false);
      s.config = (s.config & ~LEGACY) | (value & LEGACY);
      this.#legacy.replace((value & LEGACY) !== 0);
    }
    if (((old ^ value) & ENABLE) !== 0) {
      s.base = this.#counter(now);
      s.start = now;
      s.config = (s.config & ~ENABLE) | (value & ENABLE);
    }
    for (let n = 0; n < TIMERS; n++) {
      if (((old ^ value) & ENABLE) !== 0) this.#schedule(n, now, false);
      this.#updateLevel(n);
    }
  }

  #configureTimer(n: number, value: number, now: number): void {
    const s = this.#s;
    const timer = s.timers[n];
    const old = timer.config;
    const route = (value & ROUTE) >> 9;
    // A route that there is not leaves the one before.
    const next = (value & WRITABLE) | (((ROUTES >> route) & 1) !== 0 || route === 0 ? value & ROUTE : old & ROUTE);
    if (((old ^ next) & (ROUTE | INT_LEVEL | INT_ENABLE)) !== 0) this.#drive(n, false);
    timer.config = next;
    // An edge leaves no status behind.
    if ((next & INT_LEVEL) === 0) s.status &= ~(1 << n);
    this.#updateLevel(n);
    if (((old ^ next) & (PERIODIC | MODE_32)) !== 0) this.#schedule(n, now, true);
  }

  /** In periodic mode a plain write sets the period; one behind VALUE_SET (2.3.8) the comparator as well. */
  #setComparator(n: number, offset: number, value: number, now: number): void {
    const timer = this.#s.timers[n];
    const { config } = timer;
    if ((config & PERIODIC) !== 0) timer.period = withHalf(timer.period, offset, value);
    if ((config & PERIODIC) === 0 || (config & VALUE_SET) !== 0) {
      timer.comparator = withHalf(timer.comparator, offset, value);
      this.#schedule(n, now, false);
    }
    timer.config = config & ~VALUE_SET;
  }
}

/** A 64-bit register with the half at `offset` replaced. */
const withHalf = (old: bigint, offset: number, value: number): bigint =>
  (offset & 4) !== 0 ? (old & 0xffff_ffffn) | (BigInt(value >>> 0) << 32n) : (old & 0xffff_ffff_0000_0000n) | BigInt(value >>> 0);
