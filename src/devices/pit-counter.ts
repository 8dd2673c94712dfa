// One counter of the 8254 (8254 data sheet, "mode definitions"). It is never ticked: it keeps when it was loaded, and count and output follow from the
// clock. What is shorter than a tick (a count is loaded by the next one) is left out.
import { f64, i32, struct, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';

export const PIT_HZ = 1193182;
const NS_PER_TICK = 1e9 / PIT_HZ;
/** A rounding must not keep a count that is to be loaded now (ns). */
const HAIR_NS = 1e-3;

export const CounterState = struct({
  /** As it was written, 0 to 7. */
  mode: u32,
  bcd: u32,
  /** 1 low byte, 2 high byte, 3 low then high. */
  access: u32,
  /** What is counted down from, 1 to 65536; 0: nothing yet since the mode was set. */
  count: u32,
  /** 1: the next byte written (read) is the high one. */
  writeHigh: u32,
  readHigh: u32,
  lowByte: u32,
  /** -1: nothing latched. */
  latch: i32,
  statusLatch: i32,
  gate: u32,
  /** A count that was written and waits: for the end of a (half) period in modes 2 and 3, for a trigger in modes 1 and 5; 0: none. */
  waiting: u32,
  /** When the count was loaded. */
  start: f64,
  /** Ticks counted when it stopped. */
  frozen: f64,
  /** When what waits is loaded. */
  reload: f64,
});

export class PitCounter {
  readonly #s: View<typeof CounterState>;

  constructor(state: View<typeof CounterState>) {
    this.#s = state;
  }

  /** As firmware leaves it: 65536 in mode 3. */
  reset(gate: boolean, now: number): void {
    clear(this.#s);
    this.#s.gate = gate ? 1 : 0;
    this.setMode(3, 0x06);
    this.#load(0, now);
  }

  get gate(): number {
    return this.#s.gate;
  }

  /** A control word: access, and its low four bits. */
  setMode(access: number, low: number): void {
    const s = this.#s;
    s.access = access;
    s.mode = low >> 1;
    s.bcd = low & 1;
    s.count = s.waiting = 0;
    s.writeHigh = s.readHigh = 0;
    s.latch = s.statusLatch = -1;
  }

  /** The OUT pin. */
  output(now: number): boolean {
    const mode = this.#mode;
    const s = this.#s;
    this.#catchUp(now);
    const count = s.count;
    if (count === 0 || this.#stopsMidway) return mode !== 0;
    const periodic = mode === 2 || mode === 3;
    if (periodic && s.gate === 0) return true;
    const ticks = this.#ticks(now);
    if (mode === 2) return ticks % count !== count - 1;
    if (mode === 3) return ticks % count < high(count);
    return mode < 2 ? ticks >= count : ticks !== count;
  }

  /** When OUT next rises after `now`, which may be the time of a rise; Infinity: by itself never. */
  nextRise(now: number): number {
    const count = this.#s.count;
    const mode = this.#mode;
    this.#catchUp(now);
    if (this.#s.count === 0 || this.#s.gate === 0 || this.#stopsMidway || mode === 1 || mode === 5) return Number.POSITIVE_INFINITY;
    const start = this.#s.start;
    if (mode === 0 || mode === 4) {
      const rise = start + (mode === 4 ? count + 1 : count) * NS_PER_TICK;
      return rise > now ? rise : Number.POSITIVE_INFINITY;
    }
    if (this.#s.waiting !== 0) {
      const reload = this.#s.reload;
      return this.#reloadsLow ? reload + low(this.#s.waiting) * NS_PER_TICK : reload;
    }
    const period = this.#s.count * NS_PER_TICK;
    // A rise that a rounding puts a hair behind `now` is the one that is just being served.
    return start + (Math.floor((now - start) / period + 1e-6) + 1) * period;
  }

  setGate(gate: number, now: number): void {
    const s = this.#s;
    if (gate === s.gate) return;
    this.#catchUp(now);
    const mode = this.#mode;
    if (gate === 0) {
      s.frozen = this.#ticks(now);
      s.reload = Number.POSITIVE_INFINITY;
    } else if (mode === 0 || mode === 4) {
      // The count goes on where it stopped.
      s.start = now - s.frozen * NS_PER_TICK;
    } else {
      if (s.waiting !== 0) s.count = s.waiting;
      s.waiting = 0;
      s.start = now;
    }
    s.gate = gate;
  }

  latchCount(now: number): void {
    if (this.#s.latch < 0) this.#s.latch = this.#raw(now);
  }

  latchStatus(now: number): void {
    const s = this.#s;
    if (s.statusLatch >= 0) return;
    const output = this.output(now) ? 0x80 : 0;
    const nullCount = s.count === 0 || s.waiting !== 0 ? 0x40 : 0;
    s.statusLatch = output | nullCount | (s.access << 4) | (s.mode << 1) | s.bcd;
  }

  read(now: number): number {
    const s = this.#s;
    if (s.statusLatch >= 0) {
      const status = s.statusLatch;
      s.statusLatch = -1;
      return status;
    }
    const value = s.latch >= 0 ? s.latch : this.#raw(now);
    const isHigh = s.access === 3 ? s.readHigh !== 0 : s.access === 2;
    if (s.access === 3) s.readHigh ^= 1;
    if (s.access !== 3 || isHigh) s.latch = -1;
    return isHigh ? value >> 8 : value & 0xff;
  }

  /** A byte of a new count. */
  write(value: number, now: number): void {
    const s = this.#s;
    if (s.access === 1) this.#load(value, now);
    else if (s.access === 2) this.#load(value << 8, now);
    else if (s.writeHigh === 0) {
      if (!this.#stopsMidway) this.#s.frozen = this.#ticks(now);
      s.lowByte = value;
      s.writeHigh = 1;
    } else {
      s.writeHigh = 0;
      this.#load((value << 8) | s.lowByte, now);
    }
  }

  #load(raw: number, now: number): void {
    const s = this.#s;
    const bcd = s.bcd !== 0;
    const count = (bcd ? fromBcd(raw) : raw) || (bcd ? 10000 : 0x10000);
    const mode = this.#mode;
    this.#catchUp(now);
    if (mode === 1 || mode === 5) s.waiting = count;
    else if (s.count === 0 || mode === 0 || mode === 4) {
      s.count = count;
      s.start = now;
      s.frozen = 0;
    } else {
      s.waiting = count;
      s.reload = s.gate === 0 ? Number.POSITIVE_INFINITY : this.#endOfHalf(now);
    }
  }

  get #mode(): number {
    const mode = this.#s.mode;
    return mode > 5 ? mode - 4 : mode;
  }

  /** Between the two bytes of a count mode 0 counts no more, and OUT is low. */
  get #stopsMidway(): boolean {
    return this.#s.mode === 0 && this.#s.writeHigh !== 0;
  }

  /** Ticks since the count was loaded. */
  #ticks(now: number): number {
    const mode = this.#mode;
    if ((this.#s.gate === 0 && mode !== 1 && mode !== 5) || this.#stopsMidway) return this.#s.frozen;
    return Math.max(0, Math.floor((now - this.#s.start) / NS_PER_TICK));
  }

  /** When the present period ends (mode 2), or the half of it (mode 3). */
  #endOfHalf(now: number): number {
    const count = this.#s.count;
    const ticks = this.#ticks(now);
    const place = ticks % count;
    const end = this.#mode === 3 && place < high(count) ? high(count) : count;
    return this.#s.start + (ticks - place + end) * NS_PER_TICK;
  }

  /** Whether OUT falls where the waiting count is loaded (mode 3). */
  get #reloadsLow(): boolean {
    if (this.#mode !== 3) return false;
    const count = this.#s.count;
    return Math.round((this.#s.reload - this.#s.start) / NS_PER_TICK) % count === high(count);
  }

  /** Loads the count that waits, where the time for it has come. */
  #catchUp(now: number): void {
    const s = this.#s;
    const mode = this.#mode;
    if (s.waiting === 0 || (mode !== 2 && mode !== 3) || now + HAIR_NS < s.reload) return;
    s.start = s.reload - (this.#reloadsLow ? high(s.waiting) * NS_PER_TICK : 0);
    s.count = s.waiting;
    s.waiting = 0;
  }

  /** What the guest reads. */
  #raw(now: number): number {
    const value = this.#value(now);
    return this.#s.bcd !== 0 ? toBcd(value) : value;
  }

  #value(now: number): number {
    this.#catchUp(now);
    const count = this.#s.count;
    if (count === 0) return 0;
    const ticks = this.#ticks(now);
    const whole = this.#s.bcd !== 0 ? 10000 : 0x10000;
    const place = ticks % count;
    const mode = this.#mode;
    if (mode === 2) return (count - place) % whole;
    // By two, and an odd count less one; once more from the start while OUT is low.
    if (mode === 3) return ((count & ~1) - 2 * (place < high(count) ? place : place - high(count))) % whole;
    return (((count - ticks) % whole) + whole) % whole;
  }
}

/** Ticks of a period in mode 3 for which OUT is high, and low. */
const high = (count: number): number => (count + 1) >> 1;
const low = (count: number): number => count >> 1;

const fromBcd = (value: number): number =>
  (value & 15) + ((value >> 4) & 15) * 10 + ((value >> 8) & 15) * 100 + ((value >> 12) & 15) * 1000;
const toBcd = (value: number): number =>
  (value % 10) | ((Math.floor(value / 10) % 10) << 4) | ((Math.floor(value / 100) % 10) << 8) | ((Math.floor(value / 1000) % 10) << 12);
