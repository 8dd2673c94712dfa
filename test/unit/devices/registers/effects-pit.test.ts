// What the 8254's counters do (8254 data sheet, "mode definitions", "read operations", figures 15 to 22), beside test/unit/devices/timers.test.ts. Counter 2's output
// and gate are at port 61H, counter 0's output is IRQ 0.
import { describe, expect, it } from 'vitest';
import { PIT_HZ } from '../../../../src/devices/pit.ts';
import { type Bench, bench, initPic } from '../harness.ts';

const TICK = 1e9 / PIT_HZ;
const ticks = (b: Bench, n: number): void => b.advance(n * TICK);
const gate = (b: Bench, up: boolean): void => {
  b.out(0x61, up ? 1 : 0);
  // To the middle of what is a tick from now on.
  if (up) b.time.now += TICK / 2;
};
const out = (b: Bench): boolean => (b.in(0x61) & 0x20) !== 0;

/** Counter 2 in a mode, both bytes, its gate up; the time is in the middle of a tick. */
function counter(mode: number, count?: number): Bench {
  const b = bench();
  gate(b, true);
  b.out(0x43, 0xb0 | (mode << 1));
  if (count !== undefined) load(b, count);
  b.time.now += TICK / 2;
  return b;
}
function load(b: Bench, count: number): void {
  b.out(0x42, count & 0xff);
  b.out(0x42, count >> 8);
}
function value(b: Bench): number {
  b.out(0x43, 0x80);
  return b.in(0x42) | (b.in(0x42) << 8);
}
function status(b: Bench): number {
  b.out(0x43, 0xe8);
  return b.in(0x42);
}
/** Counts and outputs (upper-case where it is high) of the next `n` ticks. */
function watch(b: Bench, n: number): string {
  const seen: string[] = [];
  for (let i = 0; i < n; i++) {
    seen.push(`${value(b)}${out(b) ? '+' : '-'}`);
    ticks(b, 1);
  }
  return seen.join(' ');
}

describe('modes', () => {
  it('0: low until the count is 0, then high, and on from FFFFH', () => {
    const b = counter(0, 3);
    expect(watch(b, 6)).toBe('3- 2- 1- 0+ 65535+ 65534+');
    load(b, 2);
    b.time.now += TICK / 2;
    expect(watch(b, 4)).toBe('2- 1- 0+ 65535+');
  });

  it('0: the first of two bytes stops the count and lowers OUT', () => {
    const b = counter(0, 0x203);
    ticks(b, 0x300);
    expect(out(b)).toBe(true);
    b.out(0x42, 5);
    expect(out(b)).toBe(false);
    const stopped = value(b);
    ticks(b, 10);
    expect([value(b), out(b)]).toEqual([stopped, false]);
    b.out(0x42, 0);
    b.time.now += TICK / 2;
    expect(watch(b, 6)).toBe('5- 4- 3- 2- 1- 0+');
  });

  it('0: the gate stops the count, not the output', () => {
    const b = counter(0, 4);
    ticks(b, 1);
    gate(b, false);
    expect(watch(b, 2)).toBe('3- 3-');
    gate(b, true);
    expect(watch(b, 4)).toBe('3- 2- 1- 0+');
    gate(b, false);
    expect(watch(b, 2)).toBe('65535+ 65535+');
  });

  it('1: a rise of the gate starts the pulse, and starts it anew; a new count waits for the next', () => {
    const b = counter(1, 3);
    expect(out(b)).toBe(true);
    ticks(b, 5);
    expect(out(b)).toBe(true);
    gate(b, false);
    expect(out(b)).toBe(true);
    gate(b, true);
    expect(watch(b, 2)).toBe('3- 2-');
    gate(b, false);
    gate(b, true);
    expect(watch(b, 2)).toBe('3- 2-');
    load(b, 5);
    expect(watch(b, 2)).toBe('1- 0+');
    gate(b, false);
    expect(out(b)).toBe(true);
    gate(b, true);
    expect(watch(b, 6)).toBe('5- 4- 3- 2- 1- 0+');
  });

  it('2: low for the last tick of each period; a new count waits for the end of it', () => {
    const b = counter(2, 3);
    expect(watch(b, 5)).toBe('3+ 2+ 1- 3+ 2+');
    load(b, 4);
    expect(watch(b, 6)).toBe('1- 4+ 3+ 2+ 1- 4+');
  });

  it('2: a low gate stops it and raises OUT at once; a rise begins anew, with the new count', () => {
    const b = counter(2, 3);
    ticks(b, 2);
    expect(out(b)).toBe(false);
    gate(b, false);
    expect(out(b)).toBe(true);
    ticks(b, 4);
    expect(value(b)).toBe(1);
    gate(b, true);
    expect(watch(b, 4)).toBe('3+ 2+ 1- 3+');
    load(b, 5);
    gate(b, false);
    gate(b, true);
    expect(watch(b, 6)).toBe('5+ 4+ 3+ 2+ 1- 5+');
  });

  it('3: high for one half, low for the other, by two; an odd count is high for a tick longer', () => {
    expect(watch(counter(3, 4), 8)).toBe('4+ 2+ 4- 2- 4+ 2+ 4- 2-');
    expect(watch(counter(3, 5), 10)).toBe('4+ 2+ 0+ 4- 2- 4+ 2+ 0+ 4- 2-');
  });

  it('3: a new count waits for the end of the half', () => {
    const b = counter(3, 4);
    load(b, 6);
    expect(watch(b, 8)).toBe('4+ 2+ 6- 4- 2- 6+ 4+ 2+');
    const c = counter(3, 4);
    ticks(c, 2);
    load(c, 6);
    expect(watch(c, 8)).toBe('4- 2- 6+ 4+ 2+ 6- 4- 2-');
  });

  it('3: a low gate raises OUT; a rise begins anew', () => {
    const b = counter(3, 4);
    ticks(b, 3);
    gate(b, false);
    expect(out(b)).toBe(true);
    ticks(b, 3);
    gate(b, true);
    expect(watch(b, 4)).toBe('4+ 2+ 4- 2-');
  });

  it('4: low for one tick at 0; a new count is loaded at once', () => {
    const b = counter(4, 2);
    expect(watch(b, 4)).toBe('2+ 1+ 0- 65535+');
    load(b, 3);
    b.time.now += TICK / 2;
    ticks(b, 1);
    load(b, 2);
    b.time.now += TICK / 2;
    expect(watch(b, 4)).toBe('2+ 1+ 0- 65535+');
    gate(b, false);
    expect(watch(b, 2)).toBe('65534+ 65534+');
  });

  it('5: as 4, from a rise of the gate', () => {
    const b = counter(5, 2);
    ticks(b, 3);
    expect(out(b)).toBe(true);
    gate(b, false);
    gate(b, true);
    expect(watch(b, 4)).toBe('2+ 1+ 0- 65535+');
  });

  it('BCD: four decades', () => {
    const b = bench();
    gate(b, true);
    b.out(0x43, 0xb1);
    load(b, 0x0002);
    b.time.now += TICK / 2;
    ticks(b, 3);
    expect(value(b).toString(16)).toBe('9999');
    load(b, 0);
    b.time.now += TICK / 2;
    ticks(b, 1);
    expect(value(b).toString(16)).toBe('9999');
  });
});

describe('reading', () => {
  it('a latched count stays until it was read, both bytes of it; a second command changes nothing', () => {
    const b = counter(2, 0x1234);
    ticks(b, 1);
    b.out(0x43, 0x80);
    ticks(b, 1);
    b.out(0x43, 0x80);
    expect([b.in(0x42), b.in(0x42)]).toEqual([0x33, 0x12]);
    expect([b.in(0x42), b.in(0x42)]).toEqual([0x32, 0x12]);
  });

  it('status comes first, then the count, where both are latched; several counters at once', () => {
    const b = counter(2, 0x1234);
    b.out(0x43, 0xce);
    ticks(b, 5);
    expect([b.in(0x42), b.in(0x42), b.in(0x42)]).toEqual([0xb4, 0x34, 0x12]);
    expect(b.in(0x40)).toBe(0xb6);
  });

  it('null count: set by the control word and by a count that waits, clear when it is loaded', () => {
    const b = counter(2);
    expect(status(b) & 0x40).toBe(0x40);
    load(b, 4);
    expect(status(b) & 0x40).toBe(0);
    load(b, 6);
    expect(status(b) & 0x40).toBe(0x40);
    ticks(b, 4);
    expect(status(b) & 0x40).toBe(0);
    const c = counter(1, 5);
    expect(status(c) & 0x40).toBe(0x40);
    gate(c, false);
    gate(c, true);
    expect(status(c) & 0x40).toBe(0);
  });

  it('one byte alone: the other is 0', () => {
    const b = bench();
    gate(b, true);
    b.out(0x43, 0x90);
    b.out(0x42, 0x40);
    expect(b.in(0x42)).toBe(0x40);
    b.out(0x43, 0xa0);
    b.out(0x42, 0x40);
    b.time.now += TICK / 2;
    expect(b.in(0x42)).toBe(0x40);
    ticks(b, 1);
    expect(b.in(0x42)).toBe(0x3f);
  });
});

describe('IRQ 0', () => {
  const taken = (b: Bench, nanoseconds: number): number => {
    let count = 0;
    b.advance(nanoseconds, () => {
      if (b.pc.interruptAck(0) === 0x30) count++;
      b.out(0x20, 0x20);
    });
    return count;
  };
  const program = (b: Bench, control: number, count: number): void => {
    b.out(0x43, control);
    b.out(0x40, count & 0xff);
    b.out(0x40, count >> 8);
  };

  it('never comes in modes 1 and 5, whose gate does not rise', () => {
    for (const control of [0x32, 0x3a]) {
      const b = bench();
      initPic(b, 1);
      program(b, control, 100);
      expect(taken(b, 1e9)).toBe(0);
    }
  });

  it('comes once in mode 4, behind its strobe', () => {
    const b = bench();
    initPic(b, 1);
    program(b, 0x38, 1000);
    expect(taken(b, 1000 * TICK)).toBe(0);
    expect(taken(b, 2 * TICK)).toBe(1);
    expect(taken(b, 1e9)).toBe(0);
  });

  it('comes when a mode of high output follows one of low', () => {
    const b = bench();
    initPic(b, 1);
    program(b, 0x30, 1000);
    expect(b.pc.interruptAck(0)).toBe(-1);
    b.out(0x43, 0x34);
    expect(b.pc.interruptAck(0)).toBe(0x30);
  });

  it.each([
    ['2', 0x34, 1000, 1000],
    ['3, in its high half', 0x36, 100, 1500],
    ['3, in its low half', 0x36, 600, 1000],
  ])('keeps time where the count changes under way in mode %s', (_name, control, at, first) => {
    const b = bench();
    initPic(b, 1);
    program(b, control, 1000);
    b.advance((at - 0.5) * TICK);
    b.out(0x40, 2000 & 0xff);
    b.out(0x40, 2000 >> 8);
    b.out(0x20, 0x20);
    expect(taken(b, (first - at) * TICK)).toBe(0);
    expect(taken(b, TICK)).toBe(1);
    expect(taken(b, 1998 * TICK)).toBe(0);
    expect(taken(b, 2 * TICK)).toBe(1);
    expect(taken(b, 20_000 * TICK)).toBe(10);
  });
});
