// What the MC146818 does in time (data sheet, "registers", "update cycle", "interrupts"), beside test/unit/devices/timers.test.ts. It is 23:59:50 on 28 February 2024.
import { describe, expect, it } from 'vitest';
import { type Bench, bench, initPic } from '../harness.ts';

const MS = 1e6;
const get = (b: Bench, index: number): number => {
  b.out(0x70, index);
  return b.in(0x71);
};
const set = (b: Bench, index: number, value: number): void => {
  b.out(0x70, index);
  b.out(0x71, value);
};
const time = (b: Bench): string => [4, 2, 0].map((index) => get(b, index).toString(16).padStart(2, '0')).join(':');
const [A, B, C] = [0x0a, 0x0b, 0x0c];
const [PF, AF, UF] = [0x40, 0x20, 0x10];

describe('updates', () => {
  it('SET stops them, and the second goes on where the divider is when it goes', () => {
    const b = bench();
    b.time.now = 300 * MS;
    set(b, B, 0x82);
    b.time.now = 5300 * MS;
    expect(time(b)).toBe('23:59:50');
    set(b, 0, 0x10);
    b.time.now = 7900 * MS;
    set(b, B, 0x02);
    expect(time(b)).toBe('23:59:10');
    b.time.now = 8001 * MS;
    expect(time(b)).toBe('23:59:11');
  });

  it('the divider in reset stops them; half a second after it starts the first comes', () => {
    const b = bench();
    b.time.now = 300 * MS;
    // As Linux sets the clock.
    set(b, B, 0x82);
    set(b, A, 0x76);
    for (const [index, value] of [
      [4, 0x12],
      [2, 0x34],
      [0, 0x56],
    ] as const)
      set(b, index, value);
    set(b, B, 0x02);
    b.time.now = 3000 * MS;
    expect([time(b), get(b, A)]).toEqual(['12:34:56', 0x76]);
    set(b, A, 0x26);
    b.time.now += 499 * MS;
    expect(time(b)).toBe('12:34:56');
    expect(get(b, A) & 0x80, 'UIP').toBe(0x80);
    b.time.now += 2 * MS;
    expect(time(b)).toBe('12:34:57');
    b.time.now += 999 * MS;
    expect(time(b)).toBe('12:34:58');
  });

  it('without SET the divider in reset stops the time as well, and what is written then counts', () => {
    const b = bench();
    set(b, A, 0x66);
    b.time.now = 10_000 * MS;
    expect(time(b)).toBe('23:59:50');
    set(b, 0, 0x20);
    set(b, A, 0x26);
    b.time.now += 600 * MS;
    expect(time(b)).toBe('23:59:21');
  });

  it('neither flags nor UIP come while they are stopped', () => {
    for (const [index, value] of [
      [B, 0xb2],
      [A, 0x76],
    ] as const) {
      const b = bench();
      for (const alarm of [1, 3, 5]) set(b, alarm, 0xff);
      set(b, index, value);
      get(b, C);
      for (let i = 0; i < 30; i++) {
        b.time.now += 99.9 * MS;
        expect(get(b, A) & 0x80).toBe(0);
      }
      expect(get(b, C) & (AF | UF)).toBe(0);
    }
  });

  it('SET clears UIE', () => {
    const b = bench();
    set(b, B, 0x12);
    set(b, B, 0x92);
    expect(get(b, B)).toBe(0x82);
  });
});

describe('calendar', () => {
  it('the day of the week is a count of its own', () => {
    const b = bench();
    set(b, 6, 7);
    expect([6, 7].map((index) => get(b, index))).toEqual([7, 0x28]);
    b.time.now = 11_000 * MS;
    expect([6, 7].map((index) => get(b, index))).toEqual([1, 0x29]);
    set(b, 7, 0x10);
    expect(
      [6, 7].map((index) => get(b, index)),
      'the date does not change it',
    ).toEqual([1, 0x10]);
  });

  it('bit 7 of the seconds cannot be written', () => {
    const b = bench();
    set(b, 0, 0xa5);
    expect(time(b)).toBe('23:59:25');
  });

  it.each([0, 19, 99])('keeps century %i', (century) => {
    const b = bench();
    set(b, B, 0x06);
    set(b, B, 0x86);
    set(b, 0x32, century);
    set(b, 9, 24);
    set(b, B, 0x06);
    expect([0x32, 9, 8, 7].map((index) => get(b, index))).toEqual([century, 24, 2, 28]);
  });

  it.each([
    [0x02, 0x23],
    [0x00, 0x91],
    [0x04, 0x8b],
    [0x06, 23],
  ])('hours with register B %i', (control, hours) => {
    const b = bench();
    set(b, B, control);
    expect(get(b, 4)).toBe(hours);
    b.time.now = 10_000 * MS;
    expect(get(b, 4)).toBe((control & 2) !== 0 ? 0 : (control & 4) !== 0 ? 12 : 0x12);
  });
});

describe('interrupts', () => {
  it('flags are set whatever is enabled; a read of register C clears them, and the line', () => {
    const b = bench();
    initPic(b, 0x104);
    for (const alarm of [1, 3, 5]) set(b, alarm, 0xff);
    get(b, C);
    b.time.now = 1500 * MS;
    expect(get(b, C)).toBe(PF | AF | UF);
    expect(get(b, C)).toBe(0);
    b.time.now = 2500 * MS;
    set(b, B, 0x12);
    expect(b.pc.interruptAck(0)).toBe(0x38);
    expect(get(b, C)).toBe(0x80 | PF | AF | UF);
    b.out(0xa0, 0x20);
    b.out(0x20, 0x20);
    expect(b.pc.interruptAck(0)).toBe(-1);
  });

  it.each([
    [1, 256],
    [2, 128],
    [3, 8192],
    [6, 1024],
    [15, 2],
    [0, 0],
  ])('rate %i: %i a second', (rate, hertz) => {
    const b = bench();
    set(b, A, 0x20 | rate);
    set(b, B, 0x42);
    get(b, C);
    let count = 0;
    b.advance(1e9 - 1, () => {
      if ((get(b, C) & PF) !== 0) count++;
    });
    expect(count).toBe(Math.max(hertz - 1, 0));
  });

  it('an alarm matches each field, or any value where its two top bits are set', () => {
    const b = bench();
    set(b, 1, 0x05);
    set(b, 3, 0xc0);
    set(b, 5, 0x00);
    b.time.now = 14_900 * MS;
    expect(get(b, C) & AF).toBe(0);
    b.time.now = 15_100 * MS;
    expect(get(b, C) & AF).toBe(AF);
    b.time.now = 75_100 * MS;
    expect(get(b, C) & AF).toBe(AF);
    b.time.now = 3_600_000 * MS + 15_100 * MS;
    get(b, C);
    b.time.now += 60_000 * MS;
    expect(get(b, C) & AF, 'another hour').toBe(0);
  });
});
