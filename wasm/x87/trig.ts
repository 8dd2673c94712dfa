// x87: sine, cosine and tangent. The argument is reduced with pi cut to 66 bits, as the hardware does
// (SDM vol. 1, 8.3.8), exactly; what is left goes through a series of 128 bits.
import { BIAS, EXP_MAX } from './core';
import { divideReal, multiplyReal, Real, series, setReal, toFraction } from './series';
import { COS_TABLE, COS_TERMS, SIN_TABLE, SIN_TERMS } from './tables';
import { mulHigh128, Wide } from './wide';

/** pi/4, cut to 64 bits: up to here nothing is reduced. */
const QUARTER_PI: u64 = 0xc90fdaa22168c234;
/** The 66 bits of pi: pi/2 in units of 2^-65. */
const HALF_PI_HI: u64 = 3;
const HALF_PI_LO: u64 = 0x243f6a8885a308d3;

/** The reduced angle r, -pi/4..pi/4, with the quadrant it came from. */
export class Angle {
  static quadrant: u32 = 0;
  static negative: bool = false;
  static exp: i32 = 0;
  static hi: u64 = 0;
  static lo: u64 = 0;
  /** r squared, as a fraction. */
  static squareHi: u64 = 0;
  static squareLo: u64 = 0;
}

/** Reduces |x|, which is not zero and below 2^63. */
export function reduce(sig: u64, se: u32): void {
  let exp = <i32>(se & EXP_MAX);
  if (exp == 0) exp = 1;
  Angle.quadrant = 0;
  Angle.negative = false;
  if (exp < BIAS - 1 || (exp == BIAS - 1 && sig <= QUARTER_PI)) {
    setReal(exp - BIAS, sig, 0);
  } else {
    // x in units of 2^-65 is sig << shift.
    let shift = exp - BIAS + 2;
    const first = shift < 2 ? shift : 2;
    let hi = sig >> (64 - first);
    let lo = sig << first;
    shift -= first;
    let quotient: u32 = 0;
    for (;;) {
      quotient <<= 1;
      if (hi > HALF_PI_HI || (hi == HALF_PI_HI && lo >= HALF_PI_LO)) {
        hi = hi - HALF_PI_HI - u64(lo < HALF_PI_LO);
        lo -= HALF_PI_LO;
        quotient |= 1;
      }
      if (shift == 0) break;
      shift--;
      hi = (hi << 1) | (lo >> 63);
      lo <<= 1;
    }
    const otherLo = HALF_PI_LO - lo;
    const otherHi = HALF_PI_HI - hi - u64(HALF_PI_LO < lo);
    if (hi > otherHi || (hi == otherHi && lo > otherLo)) {
      hi = otherHi;
      lo = otherLo;
      quotient++;
      Angle.negative = true;
    }
    Angle.quadrant = quotient & 3;
    // hi:lo * 2^-65 = hi:lo * 2^(62 - 127).
    setReal(62, hi, lo);
  }
  Angle.exp = Real.exp;
  Angle.hi = Real.hi;
  Angle.lo = Real.lo;
  toFraction(Angle.exp, Angle.hi, Angle.lo);
  mulHigh128(Wide.hi, Wide.lo, Wide.hi, Wide.lo);
  Angle.squareHi = Wide.hi;
  Angle.squareLo = Wide.lo;
}

/** Real = |sin r|. */
function sinReduced(): void {
  series(SIN_TABLE, SIN_TERMS, Angle.squareHi, Angle.squareLo, true);
  multiplyReal(Angle.exp, Angle.hi, Angle.lo, 0, Wide.hi, Wide.lo);
}

/** Real = cos r. */
function cosReduced(): void {
  series(COS_TABLE, COS_TERMS, Angle.squareHi, Angle.squareLo, true);
  setReal(0, Wide.hi, Wide.lo);
}

/** Real = |sin x| for the angle that reduce() left; true where sin |x| is negative. */
export function sine(): bool {
  const q = Angle.quadrant;
  if (q & 1) cosReduced();
  else sinReduced();
  return q >= 2 != ((q & 1) == 0 && Angle.negative);
}

/** Real = |cos x|; true where it is negative. */
export function cosine(): bool {
  const q = Angle.quadrant;
  if (q & 1) sinReduced();
  else cosReduced();
  return (q == 1 || q == 2) != ((q & 1) != 0 && Angle.negative);
}

/** Real = |tan x|; true where tan |x| is negative. */
export function tangent(): bool {
  if (Angle.squareHi == 0 && (Angle.quadrant & 1) == 0) {
    // Above r by less than 2^-64 of it: roundReal() takes care.
    Real.exp = Angle.exp;
    Real.hi = Angle.hi;
    Real.lo = Angle.lo;
    return Angle.negative;
  }
  cosReduced();
  const exp = Real.exp;
  const hi = Real.hi;
  const lo = Real.lo;
  sinReduced();
  if (Angle.quadrant & 1) divideReal(exp, hi, lo, Real.exp, Real.hi, Real.lo);
  else divideReal(Real.exp, Real.hi, Real.lo, exp, hi, lo);
  return ((Angle.quadrant & 1) != 0) != Angle.negative;
}
