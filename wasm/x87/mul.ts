// x87: multiplication.
import { BIAS, DE, EXP_MAX, invalid, isDenormal, isInfinity, isNormal, MSB, Out, SIGN, setOut } from './core';
import { nanPair } from './nan';
import { roundPack } from './pack';
import { mul64, Wide } from './wide';

/** Out = a * b. */
export function mul(sigA: u64, seA: u32, sigB: u64, seB: u32, cw: u32): void {
  let expA = <i32>(seA & EXP_MAX);
  let expB = <i32>(seB & EXP_MAX);
  const sign = (seA ^ seB) & SIGN;
  if (!isNormal(sigA, seA) || !isNormal(sigB, seB)) {
    if (nanPair(sigA, seA, sigB, seB)) return;
    const infinite = isInfinity(sigA, seA) || isInfinity(sigB, seB);
    if (infinite && (sigA == 0 || sigB == 0)) {
      invalid();
      return;
    }
    if (isDenormal(sigA, seA) || isDenormal(sigB, seB)) Out.exc |= DE;
    if (infinite) {
      setOut(MSB, sign | EXP_MAX);
      return;
    }
    if (sigA == 0 || sigB == 0) {
      setOut(0, sign);
      return;
    }
    if (expA == 0) {
      expA = 1 - <i32>clz(sigA);
      sigA <<= clz(sigA);
    }
    if (expB == 0) {
      expB = 1 - <i32>clz(sigB);
      sigB <<= clz(sigB);
    }
  }
  mul64(sigA, sigB);
  let hi = Wide.hi;
  let lo = Wide.lo;
  let exp = expA + expB - (BIAS - 1);
  if (<i64>hi >= 0) {
    hi = (hi << 1) | (lo >> 63);
    lo <<= 1;
    exp--;
  }
  roundPack(sign, exp, hi, lo, cw);
}
