// x87: partial remainders FPREM (quotient chopped) and FPREM1 (quotient to nearest).
import { DE, EXP_MAX, invalid, isDenormal, isInfinity, Out, PC_EXTENDED, SIGN, setOut } from './core';
import { nanPair } from './nan';
import { roundPack } from './pack';
import { div128, normalise, Wide } from './wide';

/** Low bits of the quotient of the last remainder(), and whether it was only a step. */
export class Remainder {
  static quotient: u64 = 0;
  static partial: bool = false;
  /** No quotient was computed: an invalid operation or a NaN. */
  static none: bool = false;
}

/** Exponent difference that a partial step removes (SDM: 32 to 63, by implementation). */
function stepOf(difference: i32): i32 {
  return (difference & 31) | 32;
}

export function remainder(sigA: u64, seA: u32, sigB: u64, seB: u32, nearest: bool, cw: u32): void {
  if (nanPair(sigA, seA, sigB, seB)) return;
  if (isInfinity(sigA, seA) || sigB == 0) {
    invalid();
    return;
  }
  Remainder.none = false;
  if (isDenormal(sigA, seA) || isDenormal(sigB, seB)) Out.exc |= DE;
  if (sigA == 0) {
    setOut(sigA, seA);
    return;
  }
  let sign = seA & SIGN;
  let expA = <i32>(seA & EXP_MAX);
  let expB = <i32>(seB & EXP_MAX);
  const exact = (cw & ~(<u32>0x300)) | PC_EXTENDED;
  if (expA == 0) {
    expA = 1 - <i32>clz(sigA);
    sigA <<= clz(sigA);
  }
  if (isInfinity(sigB, seB)) {
    roundPack(sign, expA, sigA, 0, exact);
    return;
  }
  if (expB == 0) {
    expB = 1 - <i32>clz(sigB);
    sigB <<= clz(sigB);
  }
  const difference = expA - expB;
  const least: i32 = nearest ? -1 : 0;
  if (difference < least) {
    roundPack(sign, expA, sigA, 0, exact);
    return;
  }
  if (difference >= 64) {
    // rest = sigA * 2^n mod sigB, at the exponent where difference - n is left over.
    const n = stepOf(difference);
    Remainder.partial = true;
    const rest = sigA >= sigB ? sigA - sigB : sigA;
    div128(rest >> (64 - n), rest << n, sigB);
    packRest(sign, expB + difference - n, Wide.lo, 0, exact);
    return;
  }
  let hi: u64;
  let lo: u64 = 0;
  let quotient: u64 = 0;
  if (difference < 0) {
    hi = sigA >> 1;
    lo = sigA << 63;
  } else {
    const one = sigA >= sigB;
    hi = one ? sigA - sigB : sigA;
    if (difference != 0) {
      quotient = div128(hi >> (64 - difference), hi << difference, sigB) | (u64(one) << difference);
      hi = Wide.lo;
    } else {
      quotient = u64(one);
    }
  }
  if (nearest) {
    // Twice the rest against the divisor.
    const other = sigB - hi - u64(lo != 0);
    const otherLow = 0 - lo;
    const above = hi > other || (hi == other && lo > otherLow);
    const half = hi == other && lo == otherLow;
    if (above || (half && (quotient & 1) != 0)) {
      hi = other;
      lo = otherLow;
      sign ^= SIGN;
      quotient++;
    }
  }
  Remainder.quotient = quotient;
  packRest(sign, expB, hi, lo, exact);
  if ((hi | lo) == 0) Out.se = seA & SIGN;
}

/** Out = hi:lo * 2^(exp - BIAS - 127), exact. */
function packRest(sign: u32, exp: i32, hi: u64, lo: u64, cw: u32): void {
  if ((hi | lo) == 0) {
    setOut(0, sign);
    return;
  }
  const n = normalise(hi, lo);
  roundPack(sign, exp - n, Wide.hi, Wide.lo, cw);
}
