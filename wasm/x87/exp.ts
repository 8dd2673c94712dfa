// x87: F2XM1.
import { BIAS, DE, EXP_MAX, isDenormal, isInfinity, MSB, Out, PE, SIGN, setOut } from './core';
import { nanOne } from './nan';
import { multiplyReal, Real, roundReal, series, setReal, toFraction } from './series';
import { EXP_TABLE, EXP_TERMS, LN2_HI, LN2_LO } from './tables';
import { Wide } from './wide';

/** A result without computing, said to be inexact: the operand itself, where the manual leaves it undefined. */
export function outside(sig: u64, se: u32): void {
  setOut(sig, se);
  Out.exc |= PE;
}

/** Out = 2^a - 1 for -1 <= a <= 1. */
export function exp2m1(sig: u64, se: u32, cw: u32): void {
  if (nanOne(sig, se)) return;
  const negative = (se & SIGN) != 0;
  if (isInfinity(sig, se)) {
    if (negative) setOut(MSB, SIGN | BIAS);
    else setOut(sig, se);
    return;
  }
  if (sig == 0) {
    setOut(sig, se);
    return;
  }
  if (isDenormal(sig, se)) Out.exc |= DE;
  let exp = <i32>(se & EXP_MAX);
  if (exp >= BIAS) {
    if (exp == BIAS && sig == MSB && negative) outside(MSB, SIGN | (BIAS - 1));
    else outside(sig, se);
    return;
  }
  if (exp == 0) exp = 1;
  // y = a ln 2, then y (1 + y/2 + y^2/6 + ...).
  setReal(exp - BIAS, sig, 0);
  multiplyReal(Real.exp, Real.hi, Real.lo, -1, LN2_HI, LN2_LO);
  const exponent = Real.exp;
  const hi = Real.hi;
  const lo = Real.lo;
  toFraction(exponent, hi, lo);
  series(EXP_TABLE, EXP_TERMS, Wide.hi, Wide.lo, negative);
  multiplyReal(exponent, hi, lo, 0, Wide.hi, Wide.lo);
  roundReal(negative, cw);
}
