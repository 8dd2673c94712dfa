// x87: power series in 128-bit fixed point, the wide floating-point number (Real) that the transcendental functions
// compute in, and the rounding of their results.
import { BIAS, MSB, PC_EXTENDED, SIGN } from './core';
import { roundPack } from './pack';
import { divide128, mulHigh64, mulHigh128, normalise, shiftRight, Wide } from './wide';

/** A positive number hi:lo * 2^(exp - 127), bit 127 set: result of the functions below. */
export class Real {
  static exp: i32 = 0;
  static hi: u64 = 0;
  static lo: u64 = 0;
}

export function setReal(exp: i32, hi: u64, lo: u64): void {
  const n = normalise(hi, lo);
  Real.exp = exp - n;
  Real.hi = Wide.hi;
  Real.lo = Wide.lo;
}

/** Real = a * b. */
export function multiplyReal(expA: i32, hiA: u64, loA: u64, expB: i32, hiB: u64, loB: u64): void {
  mulHigh128(hiA, loA, hiB, loB);
  setReal(expA + expB + 1, Wide.hi, Wide.lo);
}

/** Real = a / b. */
export function divideReal(expA: i32, hiA: u64, loA: u64, expB: i32, hiB: u64, loB: u64): void {
  let exp = expA - expB - 1;
  if (hiA > hiB || (hiA == hiB && loA >= loB)) {
    // Halve the dividend; its lowest bit is beyond our precision.
    exp++;
    loA = (loA >> 1) | (hiA << 63);
    hiA >>= 1;
  }
  divide128(hiA, loA, hiB, loB);
  setReal(exp, Wide.hi, Wide.lo);
}

/** Wide = the number below 1 with all 128 bits behind the point. */
export function toFraction(exp: i32, hi: u64, lo: u64): void {
  shiftRight(hi, lo, <u32>(-1 - exp));
}

/** Wide = sum of table[k] * (-z)^k or (+z)^k, for z below 1 given as a fraction; the last index is at most `terms`. */
export function series(table: usize, terms: i32, zh: u64, zl: u64, alternate: bool): void {
  // z < 2^-zeros: terms from here on do not count; and from `wide` on 64 bits do.
  const zeros = <i32>clz(zh);
  let wide = terms;
  if (zeros != 0) {
    terms = min(terms, 126 / zeros + 1);
    wide = min(terms, 63 / zeros + 1);
  }
  let at = table + ((<usize>terms) << 4);
  const near = table + ((<usize>wide) << 4);
  let hi = load<u64>(at);
  while (at != near) {
    at -= 16;
    const product = mulHigh64(zh, hi);
    hi = load<u64>(at) + (alternate ? 0 - product : product);
  }
  let lo = terms == wide ? load<u64>(at, 8) : 0;
  while (at != table) {
    at -= 16;
    mulHigh128(zh, zl, hi, lo);
    const ch = load<u64>(at);
    const cl = load<u64>(at, 8);
    if (alternate) {
      lo = cl - Wide.lo;
      hi = ch - Wide.hi - u64(cl < Wide.lo);
    } else {
      lo = cl + Wide.lo;
      hi = ch + Wide.hi + u64(lo < cl);
    }
  }
  if (alternate && lo == 0 && hi == MSB) {
    // z was too small to count, but the sum is below its first term, 1.
    hi--;
    lo = <u64>-1;
  }
  Wide.hi = hi;
  Wide.lo = lo;
}

/** Out = the real number, rounded to extended precision; it is never exact. */
export function roundReal(negative: bool, cw: u32): void {
  roundPack(negative ? SIGN : 0, Real.exp + BIAS, Real.hi, Real.lo | 1, cw | PC_EXTENDED);
}
