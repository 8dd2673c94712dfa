// x87: FPATAN.
import { DE, EXP_MAX, isDenormal, isInfinity, Out, SIGN, setOut } from './core';
import { nanPair } from './nan';
import { divideReal, multiplyReal, Real, roundReal, series, setReal, toFraction } from './series';
import { ATAN_TABLE, ODD_TABLE, ODD_TERMS, PI_HI, PI_LO, THREE_PI_4_HI, THREE_PI_4_LO } from './tables';
import { mulHigh128, shiftRight, Wide } from './wide';

/** Real = atan of the number in Real, which is below 1/16 or so. */
function small(): void {
  const exp = Real.exp;
  const hi = Real.hi;
  const lo = Real.lo;
  toFraction(exp, hi, lo);
  mulHigh128(Wide.hi, Wide.lo, Wide.hi, Wide.lo);
  series(ODD_TABLE, ODD_TERMS, Wide.hi, Wide.lo, true);
  multiplyReal(exp, hi, lo, 0, Wide.hi, Wide.lo);
}

/** Real = atan(a / b) for b >= a > 0, both normalised. */
function ratio(expA: i32, a: u64, expB: i32, b: u64): void {
  const shift = expB - expA;
  // i = 16 a / b to nearest; a / b = (i/16 + t) / (1 - i/16 t), so atan(a/b) = atan(i/16) + atan(t).
  let i: u64 = 0;
  if (shift < 7) i = (((a >> (56 + shift)) * 32) / (b >> 56) + 1) >> 1;
  if (i == 0) {
    divideReal(expA, a, 0, expB, b, 0);
    small();
    return;
  }
  if (i > 16) i = 16;
  // Units of the lowest bit of b / 2^shift: a stays, b becomes b << shift (shift < 7). Numerator 16 a - i b, denominator 16 b + i a.
  const bl = b << shift;
  const bh = shift == 0 ? 0 : b >> (64 - shift);
  times(i, bh, bl);
  const ibh = Wide.hi;
  const ibl = Wide.lo;
  const ah = a >> 60;
  const al = a << 4;
  const minus = ah < ibh || (ah == ibh && al < ibl);
  const nl = minus ? ibl - al : al - ibl;
  const nh = minus ? ibh - ah - u64(ibl < al) : ah - ibh - u64(al < ibl);
  times(i, 0, a);
  const dl = Wide.lo + (bl << 4);
  const dh = Wide.hi + ((bh << 4) | (bl >> 60)) + u64(dl < Wide.lo);
  const at = ATAN_TABLE + ((<usize>i) << 4);
  const th = load<u64>(at);
  const tl = load<u64>(at, 8);
  if ((nh | nl) == 0) {
    setReal(0, th, tl);
    return;
  }
  setReal(0, dh, dl);
  const expD = Real.exp;
  const hiD = Real.hi;
  const loD = Real.lo;
  setReal(0, nh, nl);
  divideReal(Real.exp, Real.hi, Real.lo, expD, hiD, loD);
  small();
  shiftRight(Real.hi, Real.lo, <u32>-Real.exp);
  if (minus) {
    setReal(0, th - Wide.hi - u64(tl < Wide.lo), tl - Wide.lo);
  } else {
    const lo = tl + Wide.lo;
    setReal(0, th + Wide.hi + u64(lo < tl), lo);
  }
}

/** Wide = k * hi:lo for a small k. */
function times(k: u64, hi: u64, lo: u64): void {
  const low = (lo & 0xffffffff) * k;
  const high = (lo >> 32) * k + (low >> 32);
  Wide.lo = (high << 32) | (low & 0xffffffff);
  Wide.hi = hi * k + (high >> 32);
}

/** Out = +-pi * 2^-halvings. */
function partOfPi(sign: u32, halvings: i32, cw: u32): void {
  Real.exp = 1 - halvings;
  Real.hi = PI_HI;
  Real.lo = PI_LO;
  roundReal(sign != 0, cw);
}

/** Out = angle of the point (x, y). */
export function arctan(sigY: u64, seY: u32, sigX: u64, seX: u32, cw: u32): void {
  if (nanPair(sigY, seY, sigX, seX)) return;
  const sign = seY & SIGN;
  const left = (seX & SIGN) != 0;
  const infiniteX = isInfinity(sigX, seX);
  const infiniteY = isInfinity(sigY, seY);
  if (isDenormal(sigX, seX) || isDenormal(sigY, seY)) Out.exc |= DE;
  if (infiniteY) {
    if (infiniteX && left) {
      Real.exp = 1;
      Real.hi = THREE_PI_4_HI;
      Real.lo = THREE_PI_4_LO;
      roundReal(sign != 0, cw);
    } else {
      partOfPi(sign, infiniteX ? 2 : 1, cw);
    }
    return;
  }
  if (infiniteX || sigY == 0) {
    if (left) partOfPi(sign, 0, cw);
    else setOut(0, sign);
    return;
  }
  if (sigX == 0) {
    partOfPi(sign, 1, cw);
    return;
  }
  let expX = <i32>(seX & EXP_MAX);
  let expY = <i32>(seY & EXP_MAX);
  if (expX == 0) expX = 1;
  if (expY == 0) expY = 1;
  expX -= <i32>clz(sigX);
  sigX <<= clz(sigX);
  expY -= <i32>clz(sigY);
  sigY <<= clz(sigY);
  const steep = expY > expX || (expY == expX && sigY > sigX);
  if (steep) ratio(expX, sigX, expY, sigY);
  else ratio(expY, sigY, expX, sigX);
  // Angle to the nearest axis; now the quadrant: pi/2 -+ angle, or pi - angle.
  if (steep || left) {
    shiftRight(Real.hi, Real.lo, <u32>(1 - Real.exp));
    const add = steep && left;
    const ph = steep ? PI_HI >> 1 : PI_HI;
    const pl = steep ? (PI_LO >> 1) | (PI_HI << 63) : PI_LO;
    if (add) {
      const lo = pl + Wide.lo;
      setReal(1, ph + Wide.hi + u64(lo < pl), lo);
    } else {
      setReal(1, ph - Wide.hi - u64(pl < Wide.lo), pl - Wide.lo);
    }
  }
  roundReal(sign != 0, cw);
}
