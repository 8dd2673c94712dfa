// Random floating-point numbers for tests.
import { F32, F64, type Random } from '../../vectors/gen/values.ts';
import { type Format, SINGLE } from './reference.ts';

/** Bits of a number around all that is special: edge values, exponents at either end and in the middle, fractions with few bits. */
export function number(r: Random, f: Format): bigint {
  if (r.below(4) === 0) return f === SINGLE ? BigInt(r.pick(F32)) : r.pick(F64);
  const top = 2 ** f.exponent - 1;
  // Doubles also at the edges of what singles can hold.
  const edge = (top >> 1) + r.pick(f === SINGLE ? [30, 31] : [-151, -150, -149, -127, -126, 30, 31, 127, 128]);
  const exponent = [r.below(top + 1), r.below(4), top - r.below(5), (top >> 1) + r.below(60) - 30, edge][r.below(5)]!;
  const all = (1n << BigInt(f.fraction)) - 1n;
  const random = ((BigInt(r.u32()) << 32n) | BigInt(r.u32())) & all;
  const short = f === SINGLE ? random & ~0xfffn : (random & ~0x1fffffffn) | 0x10000000n;
  const fraction = [random, random, 0n, all, 1n << BigInt(r.below(f.fraction)), short][r.below(6)]!;
  return (BigInt(r.below(2)) << BigInt(f.fraction + f.exponent)) | (BigInt(exponent) << BigInt(f.fraction)) | fraction;
}
