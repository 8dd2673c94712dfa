// The registers of a VGA in text mode (IBM VGA technical reference), on a hand-driven clock.
import { describe, expect, it } from 'vitest';
import { type Bench, bench } from './harness.ts';

const indexed = (b: Bench, port: number, index: number): number => {
  b.out(port, index);
  return b.in(port + 1);
};
const set = (b: Bench, port: number, index: number, value: number): void => {
  b.out(port, index);
  b.out(port + 1, value);
};
/** Writes an attribute controller's register, as every driver does: input status 1 first. */
const attribute = (b: Bench, index: number, value?: number): number => {
  b.in(0x3da);
  b.out(0x3c0, index);
  if (value !== undefined) b.out(0x3c0, value);
  return b.in(0x3c1);
};

describe('Vga', () => {
  it('keeps the cursor, the start of the text, and all else of the CRT controller', () => {
    const b = bench();
    set(b, 0x3d4, 0x0e, 0x07);
    set(b, 0x3d4, 0x0f, 0xcf);
    set(b, 0x3d4, 0x0c, 0x01);
    expect([0x0e, 0x0f, 0x0c, 0x0d].map((index) => indexed(b, 0x3d4, index))).toEqual([0x07, 0xcf, 0x01, 0x00]);
    expect(b.in(0x3d4)).toBe(0x0d);
    b.out(0x3d4, 0x420a, 2);
    expect(b.in(0x3d4, 2)).toBe(0x420a);
    expect(b.pc.parts.vga.text).toEqual({ columns: 80, start: 0x200 });
    // Another thread sees the same.
    expect(b.attach().portIn(0, 0x3d5, 1)).toBe(0x42);
  });

  it('protects registers 0 to 7 of the CRT controller, but for the line compare bit', () => {
    const b = bench();
    set(b, 0x3d4, 0, 0x11);
    set(b, 0x3d4, 7, 0x00);
    expect([indexed(b, 0x3d4, 0), indexed(b, 0x3d4, 7)]).toEqual([0x5f, 0x0f]);
    set(b, 0x3d4, 0x11, 0x0e);
    set(b, 0x3d4, 0, 0x11);
    expect(indexed(b, 0x3d4, 0)).toBe(0x11);
  });

  it('answers at 3DxH or at 3BxH, as the miscellaneous output register says', () => {
    const b = bench();
    set(b, 0x3d4, 0x0f, 0x5a);
    expect([b.in(0x3cc), indexed(b, 0x3b4, 0x0f), b.in(0x3ba)]).toEqual([0x67, 0xff, 0xff]);
    b.out(0x3c2, 0x66);
    expect([b.in(0x3cc), indexed(b, 0x3b4, 0x0f), indexed(b, 0x3d4, 0x0f)]).toEqual([0x66, 0x5a, 0xff]);
  });

  it('keeps sequencer, graphics controller and attribute controller', () => {
    const b = bench();
    set(b, 0x3c4, 2, 0x0f);
    set(b, 0x3ce, 8, 0x55);
    expect([indexed(b, 0x3c4, 2), indexed(b, 0x3c4, 4), indexed(b, 0x3ce, 8), indexed(b, 0x3ce, 6)]).toEqual([0x0f, 0x02, 0x55, 0x0e]);
    // Index and data come through the same port in turn. The palette is locked while the display uses it.
    expect(attribute(b, 0x30, 0x08)).toBe(0x08);
    expect(attribute(b, 0x21, 0x3f)).toBe(1);
    expect(attribute(b, 0x01, 0x3f)).toBe(0x3f);
    expect(attribute(b, 0x30)).toBe(0x08);
    expect(b.in(0x3c0)).toBe(0x30);
    // Whatever came before, an index follows a look at input status 1.
    b.in(0x3da);
    b.out(0x3c0, 0x31);
    expect(b.in(0x3c0)).toBe(0x31);
  });

  it('has a palette of 256 colours of three six-bit values', () => {
    const b = bench();
    b.out(0x3c8, 254);
    for (const value of [1, 2, 0xff, 4, 5, 6, 7]) b.out(0x3c9, value);
    expect([b.in(0x3c7), b.in(0x3c8), b.in(0x3c6)]).toEqual([0, 0, 0xff]);
    // The last colour is not complete.
    b.out(0x3c7, 254);
    expect(Array.from({ length: 7 }, () => b.in(0x3c9))).toEqual([1, 2, 0x3f, 4, 5, 6, 0]);
    expect(b.in(0x3c7)).toBe(3);
  });

  it('shows both kinds of retrace, seventy frames a second', () => {
    const b = bench();
    const rises = [0, 0];
    let last = b.in(0x3da);
    for (let us = 0; us < 1e5; us++) {
      b.time.now += 1000;
      const now = b.in(0x3da);
      [0x08, 0x01].forEach((bit, n) => {
        if ((now & ~last & bit) !== 0) rises[n]++;
      });
      last = now;
    }
    expect(rises).toEqual([7, 7 * 400 + 4]);
  });
});
