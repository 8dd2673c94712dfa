// The x87's numbers as numbers of JavaScript, and back: against what the x87 itself makes of them.
import { expect, it } from 'vitest';
import { type Extended, toExtended, toNumber } from '../../../src/inspect/reals.ts';
import { noise } from '../loaders/images.ts';
import { still } from './still.ts';

const extended = (signExponent: number, significand: bigint): Extended => ({ signExponent, significand });

it.each([
  [0, 0, 0n],
  [-0, 0x8000, 0n],
  [1, 0x3fff, 1n << 63n],
  [-2.5, 0xc000, 0xa000000000000000n],
  [Number.MAX_VALUE, 0x43fe, 0xfffffffffffff800n],
  [Number.MIN_VALUE, 0x3bcd, 1n << 63n],
  [2 ** -1022, 0x3c01, 1n << 63n],
  [Number.POSITIVE_INFINITY, 0x7fff, 1n << 63n],
  [Number.NEGATIVE_INFINITY, 0xffff, 1n << 63n],
  [Number.NaN, 0x7fff, 0xc000000000000000n],
] as const)('%d', (number, signExponent, significand) => {
  expect(toExtended(number)).toEqual(extended(signExponent, significand));
  expect(toNumber(extended(signExponent, significand))).toBe(number);
});

it.each([
  [Number.POSITIVE_INFINITY, 0x7ffe, 0xffffffffffffffffn],
  [Number.POSITIVE_INFINITY, 0x43ff, 1n << 63n],
  [0, 1, 1n << 63n],
  [-0, 0x8000, 1n],
  // A denormal of the double's.
  [2 ** -1074, 0x3bcc, 0xc000000000000000n],
  // Rounded to even.
  [1, 0x3fff, 0x8000000000000400n],
  [1 + 2 ** -51, 0x3fff, 0x8000000000000c00n],
  // No numbers: an exponent without the integer bit.
  [Number.NaN, 0x3fff, 1n],
  [Number.NaN, 0x7fff, 0n],
  [Number.NaN, 0xffff, 0x8000000000000001n],
] as const)('%d, of exponent %i', (number, signExponent, significand) => {
  expect(toNumber(extended(signExponent, significand))).toBe(number);
});

it('is as FLD and FSTP have it', () => {
  const s = still();
  // again: fld qword [esi]; fstp tbyte [edi]; fld tbyte [ebx]; fstp qword [ebp]; add esi, 8; add edi, 16; add ebx, 16; add ebp, 8; dec ecx; jnz again; hlt
  s.put(0x1000, 'dd06 db3f db2b dd5d00 83c608 83c710 83c310 83c508 49 75e8 f4');
  const COUNT = 3000;
  s.ram.set(noise(COUNT * 8, 7), 0x100000);
  const reals = noise(COUNT * 16, 9);
  // Some of them near the double's exponents, and numbers at all.
  for (let n = 0; n < COUNT; n++) {
    reals[n * 16 + 7]! |= 0x80;
    if (n % 4 !== 0) reals.set([n & 0xff, 0x3b + (n % 10)], n * 16 + 8);
  }
  s.ram.set(reals, 0x300000);
  Object.assign(s.cpu.registers, { esi: 0x100000, edi: 0x200000, ebx: 0x300000, ebp: 0x400000, ecx: COUNT });
  s.run();
  let same = 0;
  for (let n = 0; n < COUNT; n++) {
    const number = s.view.getFloat64(0x100000 + n * 8, true);
    if (!Number.isNaN(number))
      expect(toExtended(number), `${number}`).toEqual(
        extended(s.view.getUint16(0x200000 + n * 16 + 8, true), s.view.getBigUint64(0x200000 + n * 16, true)),
      );
    const real = extended(s.view.getUint16(0x300000 + n * 16 + 8, true), s.view.getBigUint64(0x300000 + n * 16, true));
    const stored = s.view.getFloat64(0x400000 + n * 8, true);
    // Denormals are rounded twice here.
    if (Math.abs(stored) > 2 ** -1022 && toNumber(real) === stored) same++;
    else if (Math.abs(stored) > 2 ** -1022) expect(toNumber(real), `${real.signExponent.toString(16)}`).toBe(stored);
    else expect(Math.abs(toNumber(real) - stored)).toBeLessThanOrEqual(2 ** -1074);
  }
  expect(same).toBeGreaterThan(1000);
});
