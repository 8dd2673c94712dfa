// x87: addition and subtraction.
import { DE, EXP_MAX, invalid, isDenormal, isInfinity, isNormal, MSB, Out, SIGN, setOut } from './core';
import { nanPair } from './nan';
import { roundPack } from './pack';
import { normalise, shiftRightSticky, Wide } from './wide';

/** Out = a + b. For a difference the caller flips b's sign (flip = SIGN); NaNs keep theirs. */
export function add(sigA: u64, seA: u32, sigB: u64, seB: u32, flip: u32, cw: u32): void {
  let expA = <i32>(seA & EXP_MAX);
  let expB = <i32>(seB & EXP_MAX);
  const signA = seA & SIGN;
  const signB = (seB ^ flip) & SIGN;
  if (!isNormal(sigA, seA) || !isNormal(sigB, seB)) {
    if (nanPair(sigA, seA, sigB, seB)) return;
    if (isDenormal(sigA, seA) || isDenormal(sigB, seB)) Out.exc |= DE;
    if (isInfinity(sigA, seA)) {
      if (isInfinity(sigB, seB) && signA != signB) invalid();
      else setOut(MSB, seA);
      return;
    }
    if (isInfinity(sigB, seB)) {
      setOut(MSB, signB | EXP_MAX);
      return;
    }
    if (sigA == 0 && sigB == 0) {
      setOut(0, signA == signB ? signA : zeroSign(cw));
      return;
    }
    if (expA == 0) expA = 1;
    if (expB == 0) expB = 1;
    if (sigA == 0) expA = expB;
    if (sigB == 0) expB = expA;
  }
  if (expA < expB || (expA == expB && sigA < sigB)) {
    const exp = expA;
    expA = expB;
    expB = exp;
    const sig = sigA;
    sigA = sigB;
    sigB = sig;
    addOrdered(signB, signA, expA, sigA, expA - expB, sigB, cw);
  } else {
    addOrdered(signA, signB, expA, sigA, expA - expB, sigB, cw);
  }
}

/** Sum of sigA * 2^exp and sigB * 2^(exp - shift), |a| >= |b|, a not zero. */
function addOrdered(sign: u32, signB: u32, exp: i32, sigA: u64, shift: i32, sigB: u64, cw: u32): void {
  let hi: u64 = sigB;
  let lo: u64 = 0;
  if (shift != 0) {
    if (shift < 64) {
      hi = sigB >> shift;
      lo = sigB << (64 - shift);
    } else {
      shiftRightSticky(sigB, 0, shift);
      hi = Wide.hi;
      lo = Wide.lo;
    }
  }
  if (sign == signB) {
    hi += sigA;
    if (hi < sigA) {
      lo = (lo >> 1) | (lo & 1) | (hi << 63);
      hi = (hi >> 1) | MSB;
      exp++;
    } else if (<i64>hi >= 0) {
      const n = normalise(hi, lo);
      exp -= n;
      hi = Wide.hi;
      lo = Wide.lo;
    }
    roundPack(sign, exp, hi, lo, cw);
    return;
  }
  hi = sigA - hi - u64(lo != 0);
  lo = 0 - lo;
  if (<i64>hi >= 0) {
    if ((hi | lo) == 0) {
      setOut(0, zeroSign(cw));
      return;
    }
    const n = normalise(hi, lo);
    exp -= n;
    hi = Wide.hi;
    lo = Wide.lo;
  }
  roundPack(sign, exp, hi, lo, cw);
}

/** An exact zero sum of different signs is +0, or -0 when rounding down. */
export function zeroSign(cw: u32): u32 {
  return (cw & 0xc00) == 0x400 ? SIGN : 0;
}
