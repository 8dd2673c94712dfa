// The 8254 timer and port 0x61. Counters are never ticked: each keeps the time it was loaded, and everything else is
// computed from the clock when somebody looks. Channel 0 drives IRQ 0, channel 2 is read through port 0x61.
import type { Device, DeviceContext } from './device.ts';
import type { LegacyIrqs } from './legacy-irqs.ts';

export const PIT_HZ = 1193182;
const NS_PER_TICK = 1e9 / PIT_HZ;
/** Port 0x61 bit 4 toggles at every refresh of the memory. */
const REFRESH_NS = 15085;

/** Words of one channel. */
const MODE = 0;
const BCD = 1;
/** Access: 1 low byte, 2 high byte, 3 low then high. */
const ACCESS = 2;
/** Reload value, 1..65536; 0: no count was written since the mode was set. */
const COUNT = 3;
/** 1: the next byte written (read) is the high one. */
const WRITE_HIGH = 4;
const READ_HIGH = 5;
const LOW_BYTE = 6;
/** -1: nothing latched. */
const LATCH = 7;
const STATUS_LATCH = 8;
const GATE = 9;
const CHANNEL = 10;

/** Doubles: start of counting, ticks counted when the gate closed, for each channel; then the next rise of channel 0. */
const START = 0;
const FROZEN = 3;
const NEXT = 6;
const DOUBLES = 7;

const SPEAKER = 3 * CHANNEL;
const WORDS = SPEAKER + 2;

export class Pit implements Device {
  readonly name = 'pit';
  readonly #context: DeviceContext;
  readonly #irqs: LegacyIrqs;
  readonly #s: Int32Array;
  readonly #d: Float64Array;

  constructor(context: DeviceContext, irqs: LegacyIrqs) {
    this.#context = context;
    this.#irqs = irqs;
    this.#s = context.words(WORDS);
    const doubles = context.words(DOUBLES * 2);
    this.#d = new Float64Array(doubles.buffer, doubles.byteOffset, DOUBLES);
    context.ports.map(0x40, 3, { read: (port) => this.#read(port & 3), write: (port, _size, value) => this.#write(port & 3, value) });
    context.ports.map(0x43, 1, { write: (_port, _size, value) => this.#control(value) });
    context.ports.map(0x61, 1, { read: () => this.#readSystem(), write: (_port, _size, value) => this.#writeSystem(value) });
    if (context.isFirst) this.reset();
  }

  /** As firmware leaves it: channel 0 counts 65536 in mode 3 (18.2 Hz). */
  reset(): void {
    const s = this.#s;
    s.fill(0);
    for (let channel = 0; channel < 3; channel++) {
      s[channel * CHANNEL + LATCH] = -1;
      s[channel * CHANNEL + STATUS_LATCH] = -1;
      s[channel * CHANNEL + ACCESS] = 3;
      s[channel * CHANNEL + MODE] = 3;
      s[channel * CHANNEL + GATE] = channel === 2 ? 0 : 1;
      this.#load(channel, 0);
    }
  }

  nextDeadline(): number {
    return this.#irqs.replaced ? Number.POSITIVE_INFINITY : this.#d[NEXT];
  }

  onTimer(now: number): void {
    if (now < this.#d[NEXT]) return;
    this.#irqs.setIrq(0, false);
    this.#irqs.setIrq(0, true);
    this.#schedule(now);
  }

  /** Ticks since the count was loaded. */
  #elapsed(channel: number, now: number): number {
    if (this.#s[channel * CHANNEL + GATE] === 0 && this.#gateStops(channel)) return this.#d[FROZEN + channel];
    return Math.max(0, Math.floor((now - this.#d[START + channel]) / NS_PER_TICK));
  }

  #gateStops(channel: number): boolean {
    const mode = this.#s[channel * CHANNEL + MODE];
    return mode !== 1 && mode !== 5;
  }

  /** The counter, as the guest would read it (binary). */
  #counter(channel: number, now: number): number {
    const count = this.#s[channel * CHANNEL + COUNT];
    if (count === 0) return 0;
    const ticks = this.#elapsed(channel, now);
    const whole = this.#s[channel * CHANNEL + BCD] !== 0 ? 10000 : 0x10000;
    switch (this.#s[channel * CHANNEL + MODE]) {
      case 2:
        return (count - (ticks % count)) % whole;
      case 3:
        return (count - ((2 * ticks) % count)) % whole;
      default:
        return (((count - ticks) % whole) + whole) % whole;
    }
  }

  /** The OUT pin. */
  #output(channel: number, now: number): boolean {
    const count = this.#s[channel * CHANNEL + COUNT];
    const mode = this.#s[channel * CHANNEL + MODE];
    if (count === 0) return mode !== 0;
    const ticks = this.#elapsed(channel, now);
    switch (mode) {
      case 0:
      case 1:
        return ticks >= count;
      case 2:
        return ticks % count !== count - 1;
      case 3:
        return ticks % count < (count + 1) >> 1;
      default:
        return ticks !== count;
    }
  }

  #load(channel: number, raw: number): void {
    const s = this.#s;
    const at = channel * CHANNEL;
    let count = raw;
    if (s[at + BCD] !== 0) count = fromBcd(raw);
    if (count === 0) count = s[at + BCD] !== 0 ? 10000 : 0x10000;
    const now = this.#context.clock.now();
    s[at + COUNT] = count;
    this.#d[FROZEN + channel] = 0;
    // Modes 1 and 5 wait for a rise of the gate: until then the counter has long run out.
    this.#d[START + channel] = this.#gateStops(channel) ? now : now - (count + 2) * NS_PER_TICK;
    if (channel === 0) {
      if (s[at + MODE] === 0) this.#irqs.setIrq(0, false);
      this.#schedule(now);
    }
  }

  /** Finds the next rise of channel 0's output after `now`. */
  #schedule(now: number): void {
    const s = this.#s;
    const d = this.#d;
    const count = s[COUNT];
    const mode = s[MODE];
    if (count === 0) {
      d[NEXT] = Number.POSITIVE_INFINITY;
      return;
    }
    const start = d[START];
    if (mode === 2 || mode === 3) {
      const period = count * NS_PER_TICK;
      // A rise that a rounding puts a hair behind `now` is the one that is just being served.
      d[NEXT] = start + (Math.floor((now - start) / period + 1e-6) + 1) * period;
    } else {
      const rise = start + (mode >= 4 ? count + 1 : count) * NS_PER_TICK;
      d[NEXT] = rise > now ? rise : Number.POSITIVE_INFINITY;
    }
    this.#context.deadlineChanged?.(d[NEXT]);
  }

  #control(value: number): void {
    const s = this.#s;
    const select = value >> 6;
    if (select === 3) {
      for (let channel = 0; channel < 3; channel++) {
        if ((value & (2 << channel)) === 0) continue;
        if ((value & 0x10) === 0) this.#latchStatus(channel);
        if ((value & 0x20) === 0) this.#latchCount(channel);
      }
      return;
    }
    const at = select * CHANNEL;
    const access = (value >> 4) & 3;
    if (access === 0) {
      this.#latchCount(select);
      return;
    }
    const mode = (value >> 1) & 7;
    s[at + MODE] = mode > 5 ? mode - 4 : mode;
    s[at + BCD] = value & 1;
    s[at + ACCESS] = access;
    s[at + COUNT] = 0;
    s[at + WRITE_HIGH] = 0;
    s[at + READ_HIGH] = 0;
    s[at + LATCH] = -1;
    s[at + STATUS_LATCH] = -1;
    if (select === 0) {
      this.#d[NEXT] = Number.POSITIVE_INFINITY;
      if (s[at + MODE] === 0) this.#irqs.setIrq(0, false);
    }
  }

  #latchCount(channel: number): void {
    const at = channel * CHANNEL;
    if (this.#s[at + LATCH] >= 0) return;
    this.#s[at + LATCH] = this.#counterRaw(channel);
  }

  #counterRaw(channel: number): number {
    const value = this.#counter(channel, this.#context.clock.now());
    return this.#s[channel * CHANNEL + BCD] !== 0 ? toBcd(value) : value;
  }

  #latchStatus(channel: number): void {
    const s = this.#s;
    const at = channel * CHANNEL;
    if (s[at + STATUS_LATCH] >= 0) return;
    const output = this.#output(channel, this.#context.clock.now()) ? 0x80 : 0;
    const empty = s[at + COUNT] === 0 ? 0x40 : 0;
    s[at + STATUS_LATCH] = output | empty | (s[at + ACCESS] << 4) | (s[at + MODE] << 1) | s[at + BCD];
  }

  #read(channel: number): number {
    const s = this.#s;
    const at = channel * CHANNEL;
    if (s[at + STATUS_LATCH] >= 0) {
      const status = s[at + STATUS_LATCH];
      s[at + STATUS_LATCH] = -1;
      return status;
    }
    const latched = s[at + LATCH];
    const value = latched >= 0 ? latched : this.#counterRaw(channel);
    const access = s[at + ACCESS];
    const high = access === 3 ? s[at + READ_HIGH] !== 0 : access === 2;
    if (access === 3) s[at + READ_HIGH] ^= 1;
    if (access !== 3 || high) s[at + LATCH] = -1;
    return high ? (value >> 8) & 0xff : value & 0xff;
  }

  #write(channel: number, value: number): void {
    const s = this.#s;
    const at = channel * CHANNEL;
    switch (s[at + ACCESS]) {
      case 1:
        this.#load(channel, value);
        break;
      case 2:
        this.#load(channel, value << 8);
        break;
      default:
        if (s[at + WRITE_HIGH] === 0) {
          s[at + LOW_BYTE] = value;
          s[at + WRITE_HIGH] = 1;
        } else {
          s[at + WRITE_HIGH] = 0;
          this.#load(channel, (value << 8) | s[at + LOW_BYTE]);
        }
    }
  }

  #readSystem(): number {
    const now = this.#context.clock.now();
    const gate = this.#s[2 * CHANNEL + GATE];
    const refresh = Math.floor(now / REFRESH_NS) & 1;
    return gate | (this.#s[SPEAKER] << 1) | (refresh << 4) | (this.#output(2, now) ? 0x20 : 0);
  }

  #writeSystem(value: number): void {
    const s = this.#s;
    const at = 2 * CHANNEL;
    s[SPEAKER] = (value >> 1) & 1;
    const gate = value & 1;
    if (gate === s[at + GATE]) return;
    const now = this.#context.clock.now();
    if (gate === 0) {
      this.#d[FROZEN + 2] = this.#elapsed(2, now);
    } else {
      const mode = s[at + MODE];
      // A rise restarts the count; in modes 0 and 4 the count goes on where it stopped.
      const ticks = mode === 0 || mode === 4 ? this.#d[FROZEN + 2] : 0;
      this.#d[START + 2] = now - ticks * NS_PER_TICK;
    }
    s[at + GATE] = gate;
  }
}

const fromBcd = (value: number): number =>
  (value & 15) + ((value >> 4) & 15) * 10 + ((value >> 8) & 15) * 100 + ((value >> 12) & 15) * 1000;
const toBcd = (value: number): number =>
  (value % 10) | ((Math.floor(value / 10) % 10) << 4) | ((Math.floor(value / 100) % 10) << 8) | ((Math.floor(value / 1000) % 10) << 12);
