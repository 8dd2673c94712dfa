// The HPET's registers (IA-PC HPET specification 1.0a, 2.3), on a hand-driven clock.
import { describe, expect, it } from 'vitest';
import { type Bench, bench, initPic } from './harness.ts';

const BASE = 0xfed00000;
const CONFIG = BASE + 0x10;
const STATUS = BASE + 0x20;
const COUNTER = BASE + 0xf0;
const timer = (n: number) => BASE + 0x100 + 0x20 * n;
const comparator = (n: number) => timer(n) + 8;
/** Bits of a timer's configuration. */
const [LEVEL, ENABLE, PERIODIC, VALUE_SET, MODE_32] = [2, 4, 8, 0x40, 0x100];
const route = (line: number) => line << 9;

const counter = (b: Bench) => b.read(COUNTER) + b.read(COUNTER + 4) * 2 ** 32;
/** Interrupts that the boot CPU takes by the 8259s while the clock goes on, with their times in microseconds. */
function taken(b: Bench, nanoseconds: number, each?: () => void): string[] {
  const seen: string[] = [];
  const look = () => {
    for (let vector = b.pc.interruptAck(0); vector >= 0; vector = b.pc.interruptAck(0)) {
      seen.push(`${vector.toString(16)} at ${b.time.now / 1000}`);
      each?.();
      if (vector >= 0x38) b.out(0xa0, 0x20);
      b.out(0x20, 0x20);
    }
  };
  look();
  b.advance(nanoseconds, look);
  return seen;
}
/** A machine whose counter begins at 0 now, when `set` has set up timers. */
function counting(set: (b: Bench) => void, config = 1): Bench {
  const b = bench();
  initPic(b, 0xfffe);
  set(b);
  b.write(CONFIG, config);
  return b;
}

/** Counter 0 of the 8254 at 1 kHz; `control`: its control word. */
function tick8254(b: Bench, control: number): void {
  b.out(0x43, control);
  b.out(0x40, 1193 & 0xff);
  b.out(0x40, 1193 >> 8);
}

describe('Hpet', () => {
  it('says what it is: three 64-bit timers of 10 ns that can be periodic and replace the 8254 and the RTC', () => {
    const b = bench();
    expect(b.read(BASE).toString(16)).toBe('8086a201');
    expect(b.read(BASE + 4)).toBe(10_000_000);
    for (const n of [0, 1, 2]) {
      expect(b.read(timer(n))).toBe(0x30);
      expect([b.read(comparator(n)), b.read(comparator(n) + 4)]).toEqual([0xffffffff, 0xffffffff]);
    }
    expect([b.read(CONFIG), b.read(STATUS), counter(b)]).toEqual([0, 0, 0]);
  });

  it('counts while it is enabled, from where software set the counter', () => {
    const b = bench();
    b.time.now += 5000;
    expect(counter(b)).toBe(0);
    b.write(COUNTER, 0xfffffff0);
    b.write(COUNTER + 4, 7);
    b.write(CONFIG, 1);
    b.time.now += 1000;
    expect(counter(b)).toBe(7 * 2 ** 32 + 0xfffffff0 + 100);
    expect(b.attach().mmioRead(0, COUNTER, 4)).toBe(84);
    b.write(CONFIG, 0);
    b.time.now += 1000;
    expect(counter(b)).toBe(7 * 2 ** 32 + 0xfffffff0 + 100);
    b.write(CONFIG, 1);
    b.time.now += 10;
    expect(counter(b)).toBe(7 * 2 ** 32 + 0xfffffff0 + 101);
  });

  it('fires once at the comparator, and in 32-bit mode again when the lower half comes round', () => {
    for (const mode of [0, MODE_32]) {
      const b = counting((hpet) => {
        hpet.write(timer(2), ENABLE | route(5) | mode);
        hpet.write(comparator(2), 1000);
        hpet.write(comparator(2) + 4, 0);
      });
      expect(taken(b, 100e9)).toEqual(mode === 0 ? ['35 at 10'] : ['35 at 10', '35 at 42949682.96', '35 at 85899355.92']);
    }
  });

  it('a comparator in the past waits for the counter to come round', () => {
    const b = counting((hpet) => hpet.write(timer(2), ENABLE | route(5) | MODE_32));
    b.time.now = 1e6;
    b.write(comparator(2), 99_999);
    expect(taken(b, 42e9)).toEqual([]);
    expect(taken(b, 1e9)).toEqual(['35 at 42950672.95']);
  });

  it('is periodic as Linux sets it up: VAL_SET and the first time, then the period', () => {
    const b = counting(() => {});
    b.time.now = 50_000;
    b.write(timer(2), ENABLE | PERIODIC | VALUE_SET | MODE_32 | route(5));
    b.write(comparator(2), b.read(COUNTER) + 2000);
    expect(b.read(timer(2)) & VALUE_SET).toBe(0);
    b.write(comparator(2), 1000);
    expect(taken(b, 45_000)).toEqual(['35 at 70', '35 at 80', '35 at 90']);
    expect(b.read(comparator(2))).toBe(10_000);
    // Without VAL_SET the comparator stays and the period changes.
    b.write(comparator(2), 2000);
    expect(taken(b, 45_000)).toEqual(['35 at 100', '35 at 120', '35 at 140']);
    // A periodic timer that is late interrupts once, and stays in step.
    b.time.now = 205_000;
    b.pc.hub.runTimers(b.time.now);
    expect(taken(b, 20_000)).toEqual(['35 at 205', '35 at 220']);
  });

  it('is periodic as the specification says: VAL_SET and one value, with a counter that begins at 0', () => {
    const b = counting((hpet) => {
      hpet.write(timer(2), ENABLE | PERIODIC | VALUE_SET | route(5));
      hpet.write(comparator(2), 1000);
      hpet.write(timer(2), ENABLE | PERIODIC | VALUE_SET | route(5));
      hpet.write(comparator(2) + 4, 0);
    });
    expect(taken(b, 35_000)).toEqual(['35 at 10', '35 at 20', '35 at 30']);
  });

  it('level-triggered: the line is up until software writes 1 to the status bit', () => {
    const b = counting((hpet) => {
      hpet.write(timer(2), ENABLE | LEVEL | PERIODIC | VALUE_SET | MODE_32 | route(5));
      hpet.write(comparator(2), 1000);
    });
    b.out(0x4d0, 0x20);
    const line = () => {
      b.out(0x20, 0x0a);
      return (b.in(0x20) & 0x20) !== 0;
    };
    b.advance(15_000);
    expect([b.read(STATUS), line()]).toEqual([4, true]);
    b.write(STATUS, 3);
    expect(line()).toBe(true);
    b.write(STATUS, 4);
    expect([b.read(STATUS), line()]).toEqual([0, false]);
    b.advance(10_000);
    expect(line()).toBe(true);
    // A status without an interrupt, and no interrupts at all while the HPET is off.
    b.write(timer(2), LEVEL | PERIODIC | MODE_32 | route(5));
    expect([b.read(STATUS), line()]).toEqual([4, false]);
    b.write(timer(2), ENABLE | LEVEL | PERIODIC | MODE_32 | route(5));
    expect(line()).toBe(true);
    b.write(CONFIG, 0);
    expect([b.read(STATUS), line()]).toEqual([4, false]);
  });

  it('replaces the 8254 and the RTC at IRQ 0 and 8, and gives the lines back', () => {
    const b = bench();
    initPic(b, 0x107);
    // The 8254 ticks at 1 kHz, the RTC at 1024 Hz.
    tick8254(b, 0x34);
    b.out(0x70, 11);
    b.out(0x71, 0x42);
    const count = (nanoseconds: number) => {
      const kinds = taken(b, nanoseconds, () => {
        b.out(0x70, 12);
        b.in(0x71);
      }).map((text) => text.slice(0, 2));
      return ['30', '38'].map((kind) => kinds.filter((one) => one === kind).length);
    };
    expect(count(1e8)).toEqual([100, 102]);
    b.write(timer(0), ENABLE | PERIODIC | VALUE_SET | MODE_32);
    b.write(comparator(0), 1_000_000);
    b.write(timer(1), ENABLE | PERIODIC | VALUE_SET | MODE_32);
    b.write(comparator(1), 2_000_000);
    b.write(CONFIG, 3);
    expect(count(1e8)).toEqual([10, 5]);
    b.write(CONFIG, 0);
    const [ticks, seconds] = count(1e8);
    expect([Math.abs(ticks - 100) < 4, Math.abs(seconds - 102) < 4]).toEqual([true, true]);
  });

  it('gives IRQ 0 back without the edges that the 8254 had meanwhile', () => {
    for (const mode of [0x34, 0x36]) {
      const b = bench();
      initPic(b, 0x107);
      tick8254(b, mode);
      b.write(CONFIG, 3);
      b.advance(10_300_000);
      b.write(CONFIG, 1);
      // The line rises with the 8254's output, which is high; what comes behind that is a period's.
      expect(b.pc.interruptAck(0)).toBe(0x30);
      b.out(0x20, 0x20);
      expect(taken(b, 2_000_000).map((text) => Math.round(Number(text.slice(6)) / 100))).toEqual([110, 120]);
    }
  });

  it('does not lose a tick of the 8254 that was due before it takes IRQ 0', () => {
    const b = bench();
    // By the I/O APIC, which keeps an edge.
    b.write(0xfee000f0, 0x1ff);
    b.write(0xfec00000, 0x14);
    b.write(0xfec00010, 0x30);
    tick8254(b, 0x34);
    // The timekeeper is late.
    b.time.now += 1_100_000;
    b.write(CONFIG, 3);
    expect(b.pc.interruptAck(0)).toBe(0x30);
    b.write(0xfee000b0, 0);
    b.advance(5_000_000);
    expect(b.pc.interruptAck(0)).toBe(-1);
  });

  it('keeps a route that it has not', () => {
    const b = bench();
    const routes = b.read(timer(2) + 4);
    for (let line = 1; line < 32; line++) {
      b.write(timer(2), route(7));
      b.write(timer(2), route(line));
      expect((b.read(timer(2)) >> 9) & 31).toBe(((routes >>> line) & 1) !== 0 ? line : 7);
    }
  });

  it('wakes nobody for a timer that is not heard', () => {
    const b = counting((hpet) => {
      hpet.write(timer(0), PERIODIC | VALUE_SET | MODE_32);
      hpet.write(comparator(0), 1000);
    }, 3);
    expect(b.pc.parts.hpet.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(b.pc.parts.pit.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    b.time.now += 25_000;
    expect(b.read(comparator(0))).toBe(3000);
    initPic(b, 1);
    b.write(timer(0), ENABLE | PERIODIC | MODE_32);
    expect(taken(b, 10_000)).toEqual(['30 at 30']);
  });
});
