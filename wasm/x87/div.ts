// x87: division.
import { BIAS, DE, EXP_MAX, invalid, isDenormal, isInfinity, isNormal, MSB, Out, SIGN, setOut, ZE } from './core';
import { nanPair } from './nan';
import { roundPack } from './pack';
import { div128, Wide } from './wide';

/** Out = a / b. */
export function div(sigA: u64, seA: u32, sigB: u64, seB: u32, cw: u32): void {
  let expA = <i32>(seA & EXP_MAX);
  let expB = <i32>(seB & EXP_MAX);
  const sign = (seA ^ seB) & SIGN;
  if (!isNormal(sigA, seA) || !isNormal(sigB, seB)) {
    if (nanPair(sigA, seA, sigB, seB)) return;
    const infiniteA = isInfinity(sigA, seA);
    const infiniteB = isInfinity(sigB, seB);
    if ((infiniteA && infiniteB) || (sigA == 0 && sigB == 0)) {
      invalid();
      return;
    }
    if (sigB == 0 && !infiniteA) {
      // #Z goes before #D (SDM vol. 1, 4.9.2).
      Out.exc = ZE;
      setOut(MSB, sign | EXP_MAX);
      return;
    }
    if (isDenormal(sigA, seA) || isDenormal(sigB, seB)) Out.exc |= DE;
    if (infiniteA) {
      setOut(MSB, sign | EXP_MAX);
      return;
    }
    if (infiniteB || sigA == 0) {
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
  let exp = expA - expB + BIAS;
  let quotient: u64;
  if (sigA >= sigB) {
    quotient = div128(sigA >> 1, sigA << 63, sigB);
  } else {
    quotient = div128(sigA, 0, sigB);
    exp--;
  }
  // The rest below the last bit: more, less than or exactly half, in the form roundPack() wants.
  const rest = Wide.lo;
  const other = sigB - rest;
  const lo: u64 = rest == 0 ? 0 : rest > other ? MSB | 1 : rest == other ? MSB : 1;
  roundPack(sign, exp, quotient, lo, cw);
}
