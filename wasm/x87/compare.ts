// x87: comparisons of what is no plain number (SDM vol. 1, 8.3.6), and classification.
import { C0, C2, C3, DE, EXP_MAX, IE, isDenormal, isInfinity, isNan, isUnsupported, Out, QUIET } from './core';

export const UNORDERED: u32 = C0 | C2 | C3;

/**
 * What becomes of `codes`, the condition codes of a against b, where one of the two is no plain number: all set (unordered) for NaNs and unsupported
 * encodings. Adds to Out.exc. `quiet`: QNaNs are no exception.
 */
export function compareSpecial(sigA: u64, seA: u32, sigB: u64, seB: u32, quiet: bool, codes: u32): u32 {
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
  return codes;
}

/** FXAM's class of a register that is in use, without the sign. */
export function classify(sig: u64, se: u32): u32 {
  if (isUnsupported(sig, se)) return 0;
  if (isNan(sig, se)) return C0;
  if (isInfinity(sig, se)) return C0 | C2;
  if ((se & EXP_MAX) != 0) return C2;
  return sig == 0 ? C3 : C2 | C3;
}
