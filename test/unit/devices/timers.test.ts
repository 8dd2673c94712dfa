// PIT, RTC and PM timer on a hand-driven clock.
import { describe, expect, it } from 'vitest';
import { bench, EPOCH, initPic } from './harness.ts';

describe('Pit', () => {
  it('ticks at 100 Hz in mode 2', () => {
    const b = bench();
    initPic(b, 1);
    b.out(0x43, 0x34);
    b.out(0x40, 11932 & 0xff);
    b.out(0x40, 11932 >> 8);
    let ticks = 0;
    b.advance(1e9 + 1, () => {
      if (b.pc.interruptAck(0) === 0x30) ticks++;
      b.out(0x20, 0x20);
    });
    expect(ticks).toBe(99);
  });

  it('fires once in mode 0, and latches counts', () => {
    const b = bench();
    initPic(b, 1);
    b.out(0x43, 0x30);
    b.out(0x40, 0);
    b.out(0x40, 0x10);
    b.advance(1e6);
    b.out(0x43, 0x00);
    const count = b.in(0x40) | (b.in(0x40) << 8);
    expect(count).toBe(0x1000 - 1193);
    let fired = 0;
    b.advance(1e8, () => fired++);
    expect(fired).toBe(1);
    expect(b.pc.interruptAck(0)).toBe(0x30);
    b.out(0x43, 0xe2);
    expect(b.in(0x40)).toBe(0xb0);
  });

  it('calibrates as Linux does: channel 2, mode 0, gate and output at port 0x61', () => {
    const b = bench();
    b.out(0x61, (b.in(0x61) & ~2) | 1);
    b.out(0x43, 0xb0);
    b.out(0x42, 0x9b);
    b.out(0x42, 0x2e);
    expect(b.in(0x61) & 0x21).toBe(1);
    b.advance(9.9e6);
    expect(b.in(0x61) & 0x20).toBe(0);
    b.out(0x61, 0);
    b.advance(1e6);
    expect(b.in(0x61) & 0x20).toBe(0);
    b.out(0x61, 1);
    b.advance(1e6);
    expect(b.in(0x61) & 0x20).toBe(0x20);
  });
});

describe('Rtc', () => {
  const cmos = (b: ReturnType<typeof bench>, index: number): number => {
    b.out(0x70, index);
    return b.in(0x71);
  };
  const set = (b: ReturnType<typeof bench>, index: number, value: number): void => {
    b.out(0x70, index);
    b.out(0x71, value);
  };

  it('tells the time, across a leap day', () => {
    const b = bench();
    expect([9, 8, 7, 4, 2, 0, 0x32].map((i) => cmos(b, i).toString(16))).toEqual(['24', '2', '28', '23', '59', '50', '20']);
    b.time.now += 10e9;
    expect([8, 7, 4, 2, 0].map((i) => cmos(b, i).toString(16))).toEqual(['2', '29', '0', '0', '0']);
    expect(cmos(b, 6)).toBe(new Date(EPOCH + 10e3).getUTCDay() + 1);
    set(b, 11, 0x04);
    b.time.now += 13 * 3600e9;
    expect(cmos(b, 4)).toBe(0x81);
    expect(cmos(b, 0x34) | (cmos(b, 0x35) << 8)).toBe(48 * 16);
  });

  it('announces updates and can be set', () => {
    const b = bench();
    expect(cmos(b, 10) & 0x80).toBe(0);
    b.time.now = 999e6;
    expect(cmos(b, 10) & 0x80).toBe(0x80);
    set(b, 11, 0x82);
    set(b, 9, 0x99);
    set(b, 0x32, 0x19);
    set(b, 8, 0x12);
    set(b, 7, 0x31);
    set(b, 0, 0x59);
    set(b, 11, 0x02);
    b.time.now += 1.5e9;
    expect(cmos(b, 9)).toBe(0);
    expect(cmos(b, 0x32)).toBe(0x20);
  });

  it('interrupts: periodic, update, alarm', () => {
    const b = bench();
    initPic(b, 0x104);
    const count = (nanoseconds: number): number => {
      let seen = 0;
      b.advance(nanoseconds, () => {
        if (b.pc.interruptAck(0) !== 0x38) return;
        seen++;
        expect(cmos(b, 12) & 0x80).toBe(0x80);
        b.out(0xa0, 0x20);
        b.out(0x20, 0x20);
      });
      return seen;
    };
    cmos(b, 12);
    set(b, 11, 0x42);
    expect(count(1e9)).toBe(1024);
    set(b, 11, 0x12);
    expect(count(3e9)).toBe(3);
    set(b, 1, 0x58);
    set(b, 3, 0xff);
    set(b, 5, 0xff);
    set(b, 11, 0x22);
    expect(count(120e9)).toBe(2);
  });
});

describe('AcpiPm', () => {
  it('counts 3.579545 MHz, and raises SCI on overflow and the power button', () => {
    const b = bench();
    initPic(b, 0x204);
    b.time.now = 1e9;
    expect(b.in(0x608, 4)).toBe(3579545);
    b.out(0x602, 0x0101, 2);
    b.out(0x600, 0xffff, 2);
    b.advance(3e9);
    expect(b.in(0x600, 2)).toBe(1);
    expect(b.pc.interruptAck(0)).toBe(0x39);
    b.out(0x600, 1, 2);
    b.pc.pressPowerButton();
    expect(b.in(0x600, 2)).toBe(0x100);
    expect(b.in(0x604, 2)).toBe(1);
    b.out(0x604, 0x2001, 2);
    expect(b.ends).toEqual([{ kind: 'power-off' }]);
  });
});
