// x87: FYL2X and FYL2XP1.
import { BIAS, DE, EXP_MAX, invalid, isDenormal, isInfinity, MSB, Out, PC_EXTENDED, PE, SIGN, setOut, UE, ZE } from './core';
import { outside } from './exp';
import { nanPair } from './nan';
import { roundPack } from './pack';
import { divideReal, multiplyReal, Real, roundReal, series, setReal, toFraction } from './series';
import { ODD_TABLE, ODD_TERMS, TWO_LOG2E_HI, TWO_LOG2E_LO } from './tables';
import { mul64, mulHigh128, normalise, shiftRightSticky, Wide } from './wide';

/** Significand of the square root of 2. */
const SQRT2: u64 = 0xb504f333f9de6484;

/** Real = |log2((1 + t) / (1 - t))| for the t in Real: 2 / ln 2 * atanh(t). */
function fromRatio(): void {
  const exp = Real.exp;
  const hi = Real.hi;
  const lo = Real.lo;
  toFraction(exp, hi, lo);
  mulHigh128(Wide.hi, Wide.lo, Wide.hi, Wide.lo);
  series(ODD_TABLE, ODD_TERMS, Wide.hi, Wide.lo, false);
  multiplyReal(exp, hi, lo, 0, Wide.hi, Wide.lo);
  multiplyReal(Real.exp, Real.hi, Real.lo, 1, TWO_LOG2E_HI, TWO_LOG2E_LO);
}

/** Real = |log2(x)| for x = hi:lo * 2^(exp - 127), not 1; true where the logarithm is negative. */
function log2(exp: i32, hi: u64, lo: u64): bool {
  // x = m * 2^exp with m between sqrt(1/2) and sqrt(2), in Q2.126.
  let mh = hi >> 1;
  let ml = (lo >> 1) | (hi << 63);
  if (hi >= SQRT2) {
    ml = (ml >> 1) | (mh << 63);
    mh >>= 1;
    exp++;
  }
  const one: u64 = 0x4000000000000000;
  const below = mh < one;
  const negative = below;
  const nl = below ? 0 - ml : ml;
  const nh = below ? one - mh - u64(ml != 0) : mh - one;
  if ((nh | nl) == 0) {
    // A power of two.
    Real.exp = 0;
    Real.hi = 0;
    Real.lo = 0;
  } else {
    setReal(1, mh + one, ml);
    const dExp = Real.exp;
    const dh = Real.hi;
    const dl = Real.lo;
    setReal(1, nh, nl);
    divideReal(Real.exp, Real.hi, Real.lo, dExp, dh, dl);
    fromRatio();
  }
  if (exp == 0) return negative;
  // exp + log2(m) in Q16.112.
  let fh: u64 = 0;
  let fl: u64 = 0;
  if (Real.hi != 0) {
    shiftRightSticky(Real.hi, Real.lo, 15 - Real.exp);
    fh = Wide.hi;
    fl = Wide.lo;
  }
  const k = (<u64>(exp < 0 ? -exp : exp)) << 48;
  if (negative == exp < 0) {
    setReal(15, k + fh, fl);
  } else {
    setReal(15, k - fh - u64(fl != 0), 0 - fl);
  }
  return exp < 0;
}

/** Out = y * log2(x), the logarithm in Real with its sign. */
function timesY(sigY: u64, seY: u32, negative: bool, exact: bool, cw: u32): void {
  let expY = <i32>(seY & EXP_MAX);
  if (expY == 0) expY = 1;
  const n = <i32>clz(sigY);
  negative = negative != ((seY & SIGN) != 0);
  if (exact) {
    // The logarithm is an integer in the high word.
    mul64(sigY << n, Real.hi);
    const e = Real.exp;
    const shift = normalise(Wide.hi, Wide.lo);
    roundPack(negative ? SIGN : 0, expY - n + e + 1 - shift, Wide.hi, Wide.lo, cw | PC_EXTENDED);
    // The hardware does not notice that it is exact.
    Out.exc |= (Out.se & EXP_MAX) == 0 ? UE | PE : PE;
    return;
  }
  multiplyReal(Real.exp, Real.hi, Real.lo, expY - n - BIAS, sigY << n, 0);
  roundReal(negative, cw);
}

/** FYL2X: Out = y * log2(x). */
export function yLog2x(sigY: u64, seY: u32, sigX: u64, seX: u32, cw: u32): void {
  if (nanPair(sigY, seY, sigX, seX)) return;
  const signY = seY & SIGN;
  if (sigX != 0 && (seX & SIGN) != 0) {
    invalid();
    return;
  }
  const isOne = sigX == MSB && seX == BIAS;
  const below = <i32>(seX & EXP_MAX) < BIAS;
  if (isInfinity(sigY, seY)) {
    if (isOne) {
      invalid();
      return;
    }
    if (isDenormal(sigX, seX)) Out.exc |= DE;
    setOut(MSB, (below ? signY ^ SIGN : signY) | EXP_MAX);
    return;
  }
  if (sigX == 0) {
    if (sigY == 0) {
      invalid();
      return;
    }
    Out.exc = ZE;
    setOut(MSB, (signY ^ SIGN) | EXP_MAX);
    return;
  }
  if (isInfinity(sigX, seX)) {
    if (sigY == 0) {
      invalid();
      return;
    }
    if (isDenormal(sigY, seY)) Out.exc |= DE;
    setOut(MSB, signY | EXP_MAX);
    return;
  }
  if (isDenormal(sigX, seX) || isDenormal(sigY, seY)) Out.exc |= DE;
  if (sigY == 0 || isOne) {
    setOut(0, below ? signY ^ SIGN : signY);
    return;
  }
  let expX = <i32>(seX & EXP_MAX);
  if (expX == 0) expX = 1;
  const n = <i32>clz(sigX);
  sigX <<= n;
  const negative = log2(expX - n - BIAS, sigX, 0);
  timesY(sigY, seY, negative, sigX == MSB, cw);
}

/** FYL2XP1: Out = y * log2(x + 1). */
export function yLog2xp1(sigY: u64, seY: u32, sigX: u64, seX: u32, cw: u32): void {
  if (nanPair(sigY, seY, sigX, seX)) return;
  const signY = seY & SIGN;
  const signX = seX & SIGN;
  const exp = <i32>(seX & EXP_MAX) - BIAS;
  if (signX != 0 && isInfinity(sigX, seX)) {
    invalid();
    return;
  }
  if (isInfinity(sigY, seY)) {
    if (sigX == 0) {
      invalid();
      return;
    }
    if (isDenormal(sigX, seX)) Out.exc |= DE;
    setOut(MSB, (signX ^ signY) | EXP_MAX);
    return;
  }
  if (isInfinity(sigX, seX)) {
    if (sigY == 0) {
      invalid();
      return;
    }
    if (isDenormal(sigY, seY)) Out.exc |= DE;
    setOut(MSB, signY | EXP_MAX);
    return;
  }
  if (isDenormal(sigX, seX) || isDenormal(sigY, seY)) Out.exc |= DE;
  if (sigX == 0 || sigY == 0) {
    setOut(0, signX ^ signY);
    return;
  }
  // At or below -1 the manual leaves the result undefined.
  if (signX != 0 && exp >= 0) {
    outside(sigX, seX);
    return;
  }
  let negative = signX != 0;
  if (exp >= -2) {
    // 1 + x with all its bits, then as FYL2X.
    const one = exp < 0 ? MSB : MSB >> exp;
    let hi = sigX;
    let lo: u64 = 0;
    let top = exp < 0 ? 0 : exp;
    if (exp < 0) {
      hi = sigX >> -exp;
      lo = sigX << (64 + exp);
    } else if (exp > 63) {
      hi = sigX;
    }
    if (negative) {
      hi = one - hi - u64(lo != 0);
      lo = 0 - lo;
    } else if (exp <= 127) {
      const unit: u64 = exp > 63 ? 0 : one;
      const unitLow: u64 = exp > 63 ? (<u64>1) << (127 - exp) : 0;
      const sum = hi + unit;
      lo += unitLow;
      if (sum < hi) {
        lo = (lo >> 1) | (sum << 63);
        hi = (sum >> 1) | MSB;
        top++;
      } else {
        hi = sum;
      }
    }
    setReal(top, hi, lo);
    if (Real.exp != 0 || Real.hi != MSB || Real.lo != 0) {
      const exact = Real.hi == MSB && Real.lo == 0;
      negative = log2(Real.exp, Real.hi, Real.lo);
      timesY(sigY, seY, negative, exact, cw);
      return;
    }
  }
  // t = x / (2 + x).
  const n = <i32>clz(sigX);
  const norm = sigX << n;
  const expX = (exp == -BIAS ? 1 - BIAS : exp) - n;
  let dh: u64 = MSB;
  let dl: u64 = 0;
  if (expX > -127) {
    // 2 is MSB in Q2.126; x there is its significand shifted right by 1 - expX.
    shiftRightSticky(norm, 0, 1 - expX);
    if (negative) {
      dl = 0 - Wide.lo;
      dh = MSB - Wide.hi - u64(Wide.lo != 0);
    } else {
      dl = Wide.lo;
      dh = MSB + Wide.hi;
    }
  }
  setReal(1, dh, dl);
  divideReal(expX, norm, 0, Real.exp, Real.hi, Real.lo);
  fromRatio();
  timesY(sigY, seY, negative, false, cw);
}
