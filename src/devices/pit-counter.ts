// One counter of the 8254 (8254 data sheet, "mode definitions"). It is never ticked: it keeps when it was loaded, and count and output follow from the
// clock. What is shorter than a tick (a count is loaded by the next one) is left out.

export const PIT_HZ = 1193182;
const NS_PER_TICK = 1e9 / PIT_HZ;
/** A rounding must not keep a count that is to be loaded now (ns). */
const HAIR_NS = 1e-3;

/** Words. The mode as it was written, 0 to 7. */
const MODE = 0;
const BCD = 1;
/** Access: 1 low byte, 2 high byte, 3 low then high. */
const ACCESS = 2;
/** What is counted down from, 1 to 65536; 0: nothing yet since the mode was set. */
const COUNT = 3;
/** 1: the next byte written (read) is the high one. */
const WRITE_HIGH = 4;
const READ_HIGH = 5;
const LOW_BYTE = 6;
/** -1: nothing latched. */
const LATCH = 7;
const STATUS_LATCH = 8;
const GATE = 9;
/** A count that was written and waits: for the end of a (half) period in modes 2 and 3, for a trigger in modes 1 and 5; 0: none. */
const WAITING = 10;
export const COUNTER_WORDS = 11;

/** Doubles: when the count was loaded; ticks counted when it stopped; when what waits is loaded. */
const START = 0;
const FROZEN = 1;
const RELOAD = 2;
export const COUNTER_DOUBLES = 3;

export class PitCounter {
  readonly #s: Int32Array;
  readonly #d: Float64Array;

  constructor(words: Int32Array, doubles: Float64Array) {
    this.#s = words;
    this.#d = doubles;
  }

  /** As firmware leaves it: 65536 in mode 3. */
  reset(gate: boolean, now: number): void {
    this.#s.fill(0);
    this.#s[GATE] = gate ? 1 : 0;
    this.setMode(3, 0x06);
    this.#load(0, now);
  }

  get gate(): number {
    return this.#s[GATE];
  }

  /** A control word: access, and its low four bits. */
  setMode(access: number, low: number): void {
    const s = this.#s;
    s[ACCESS] = access;
    s[MODE] = low >> 1;
    s[BCD] = low & 1;
    s[COUNT] = s[WAITING] = 0;
    s[WRITE_HIGH] = s[READ_HIGH] = 0;
    s[LATCH] = s[STATUS_LATCH] = -1;
  }

  /** The OUT pin. */
  output(now: number): boolean {
    const mode = this.#mode;
    const s = this.#s;
    this.#catchUp(now);
    const count = s[COUNT];
    if (count === 0 || this.#stopsMidway) return mode !== 0;
    const periodic = mode === 2 || mode === 3;
    if (periodic && s[GATE] === 0) return true;
    const ticks = this.#ticks(now);
    if (mode === 2) return ticks % count !== count - 1;
    if (mode === 3) return ticks % count < high(count);
    return mode < 2 ? ticks >= count : ticks !== count;
  }

  /** When OUT next rises after `now`, which may be the time of a rise; Infinity: by itself never. */
  nextRise(now: number): number {
    const count = this.#s[COUNT];
    const mode = this.#mode;
    this.#catchUp(now);
    if (this.#s[COUNT] === 0 || this.#s[GATE] === 0 || this.#stopsMidway || mode === 1 || mode === 5) return Number.POSITIVE_INFINITY;
    const start = this.#d[START];
    if (mode === 0 || mode === 4) {
      const rise = start + (mode === 4 ? count + 1 : count) * NS_PER_TICK;
      return rise > now ? rise : Number.POSITIVE_INFINITY;
    }
    if (this.#s[WAITING] !== 0) {
      const reload = this.#d[RELOAD];
      return this.#reloadsLow ? reload + low(this.#s[WAITING]) * NS_PER_TICK : reload;
    }
    const period = this.#s[COUNT] * NS_PER_TICK;
    // A rise that a rounding puts a hair behind `now` is the one that is just being served.
    return start + (Math.floor((now - start) / period + 1e-6) + 1) * period;
  }

  setGate(gate: number, now: number): void {
    const s = this.#s;
    const d = this.#d;
    if (gate === s[GATE]) return;
    this.#catchUp(now);
    const mode = this.#mode;
    if (gate === 0) {
      d[FROZEN] = this.#ticks(now);
      d[RELOAD] = Number.POSITIVE_INFINITY;
    } else if (mode === 0 || mode === 4) {
      // The count goes on where it stopped.
      d[START] = now - d[FROZEN] * NS_PER_TICK;
    } else {
      if (s[WAITING] !== 0) s[COUNT] = s[WAITING];
      s[WAITING] = 0;
      d[START] = now;
    }
    s[GATE] = gate;
  }

  latchCount(now: number): void {
    if (this.#s[LATCH] < 0) this.#s[LATCH] = this.#raw(now);
  }

  latchStatus(now: number): void {
    const s = this.#s;
    if (s[STATUS_LATCH] >= 0) return;
    const output = this.output(now) ? 0x80 : 0;
    const nullCount = s[COUNT] === 0 || s[WAITING] !== 0 ? 0x40 : 0;
    s[STATUS_LATCH] = output | nullCount | (s[ACCESS] << 4) | (s[MODE] << 1) | s[BCD];
  }

  read(now: number): number {
    const s = this.#s;
    if (s[STATUS_LATCH] >= 0) {
      const status = s[STATUS_LATCH];
      s[STATUS_LATCH] = -1;
      return status;
    }
    const value = s[LATCH] >= 0 ? s[LATCH] : this.#raw(now);
    const isHigh = s[ACCESS] === 3 ? s[READ_HIGH] !== 0 : s[ACCESS] === 2;
    if (s[ACCESS] === 3) s[READ_HIGH] ^= 1;
    if (s[ACCESS] !== 3 || isHigh) s[LATCH] = -1;
    return isHigh ? value >> 8 : value & 0xff;
  }

  /** A byte of a new count. */
  write(value: number, now: number): void {
    const s = this.#s;
    if (s[ACCESS] === 1) this.#load(value, now);
    else if (s[ACCESS] === 2) this.#load(value << 8, now);
    else if (s[WRITE_HIGH] === 0) {
      if (!this.#stopsMidway) this.#d[FROZEN] = this.#ticks(now);
      s[LOW_BYTE] = value;
      s[WRITE_HIGH] = 1;
    } else {
      s[WRITE_HIGH] = 0;
      this.#load((value << 8) | s[LOW_BYTE], now);
    }
  }

  #load(raw: number, now: number): void {
    const s = this.#s;
    const d = this.#d;
    const bcd = s[BCD] !== 0;
    const count = (bcd ? fromBcd(raw) : raw) || (bcd ? 10000 : 0x10000);
    const mode = this.#mode;
    this.#catchUp(now);
    if (mode === 1 || mode === 5) s[WAITING] = count;
    else if (s[COUNT] === 0 || mode === 0 || mode === 4) {
      s[COUNT] = count;
      d[START] = now;
      d[FROZEN] = 0;
    } else {
      s[WAITING] = count;
      d[RELOAD] = s[GATE] === 0 ? Number.POSITIVE_INFINITY : this.#endOfHalf(now);
    }
  }

  get #mode(): number {
    const mode = this.#s[MODE];
    return mode > 5 ? mode - 4 : mode;
  }

  /** Between the two bytes of a count mode 0 counts no more, and OUT is low. */
  get #stopsMidway(): boolean {
    return this.#s[MODE] === 0 && this.#s[WRITE_HIGH] !== 0;
  }

  /** Ticks since the count was loaded. */
  #ticks(now: number): number {
    const mode = this.#mode;
    if ((this.#s[GATE] === 0 && mode !== 1 && mode !== 5) || this.#stopsMidway) return this.#d[FROZEN];
    return Math.max(0, Math.floor((now - this.#d[START]) / NS_PER_TICK));
  }

  /** When the present period ends (mode 2), or the half of it (mode 3). */
  #endOfHalf(now: number): number {
    const count = this.#s[COUNT];
    const ticks = this.#ticks(now);
    const place = ticks % count;
    const end = this.#mode === 3 && place < high(count) ? high(count) : count;
    return this.#d[START] + (ticks - place + end) * NS_PER_TICK;
  }

  /** Whether OUT falls where the waiting count is loaded (mode 3). */
  get #reloadsLow(): boolean {
    if (this.#mode !== 3) return false;
    const count = this.#s[COUNT];
    return Math.round((this.#d[RELOAD] - this.#d[START]) / NS_PER_TICK) % count === high(count);
  }

  /** Loads the count that waits, where the time for it has come. */
  #catchUp(now: number): void {
    const s = this.#s;
    const d = this.#d;
    const mode = this.#mode;
    if (s[WAITING] === 0 || (mode !== 2 && mode !== 3) || now + HAIR_NS < d[RELOAD]) return;
    d[START] = d[RELOAD] - (this.#reloadsLow ? high(s[WAITING]) * NS_PER_TICK : 0);
    s[COUNT] = s[WAITING];
    s[WAITING] = 0;
  }

  /** What the guest reads. */
  #raw(now: number): number {
    const value = this.#value(now);
    return this.#s[BCD] !== 0 ? toBcd(value) : value;
  }

  #value(now: number): number {
    this.#catchUp(now);
    const count = this.#s[COUNT];
    if (count === 0) return 0;
    const ticks = this.#ticks(now);
    const whole = this.#s[BCD] !== 0 ? 10000 : 0x10000;
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
