// x87: comparisons (SDM vol. 1, 8.3.6) and classification.
import { C0, C2, C3, DE, EXP_MAX, IE, isDenormal, isInfinity, isNan, isNormal, isUnsupported, Out, QUIET, SIGN } from './core';

export const UNORDERED: u32 = C0 | C2 | C3;

/** Condition codes of a against b: 0 greater, C0 less, C3 equal, all of them unordered. `quiet`: QNaNs are no exception. */
export function compare(sigA: u64, seA: u32, sigB: u64, seB: u32, quiet: bool): u32 {
  if (!isNormal(sigA, seA) || !isNormal(sigB, seB)) {
    if (isUnsupported(sigA, seA) || isUnsupported(sigB, seB)) {
      Out.exc = IE;
      return UNORDERED;
    }
    const nanA = isNan(sigA, seA);
    const nanB = isNan(sigB, seB);
    if (nanA || nanB) {
      const signal = !quiet || (nanA && (sigA & QUIET) == 0) || (nanB && (sigB & QUIET) == 0);
      Out.exc = signal ? IE : 0;
      return UNORDERED;
    }
    if (isDenormal(sigA, seA) || isDenormal(sigB, seB)) Out.exc |= DE;
    if (sigA == 0 && sigB == 0) return C3;
    if (sigA == 0) return seB & SIGN ? 0 : C0;
    if (sigB == 0) return seA & SIGN ? C0 : 0;
  }
  const negative = seA & SIGN;
  if (negative != (seB & SIGN)) return negative ? C0 : 0;
  let expA = seA & EXP_MAX;
  let expB = seB & EXP_MAX;
  if (expA == 0) expA = 1;
  if (expB == 0) expB = 1;
  if (expA == expB && sigA == sigB) return C3;
  const less = expA < expB || (expA == expB && sigA < sigB);
  return less != (negative != 0) ? C0 : 0;
}

/** FXAM's class of a register that is in use, without the sign. */
export function classify(sig: u64, se: u32): u32 {
  if (isUnsupported(sig, se)) return 0;
  if (isNan(sig, se)) return C0;
  if (isInfinity(sig, se)) return C0 | C2;
  if ((se & EXP_MAX) != 0) return C2;
  return sig == 0 ? C3 : C2 | C3;
}
