// x87: operands that are NaNs or unsupported encodings (SDM vol. 1, 4.8.3.5 and table 4-7).
import { IE, INDEFINITE_SE, INDEFINITE_SIG, isNan, isUnsupported, Out, QUIET } from './core';

/** Handles an operand pair with a NaN or an unsupported form: true where Out is the final result. */
export function nanPair(sigA: u64, seA: u32, sigB: u64, seB: u32): bool {
  if (isUnsupported(sigA, seA) || isUnsupported(sigB, seB)) {
    Out.exc = IE;
    Out.sig = INDEFINITE_SIG;
    Out.se = INDEFINITE_SE;
    return true;
  }
  const nanA = isNan(sigA, seA);
  const nanB = isNan(sigB, seB);
  if (!nanA && !nanB) return false;
  const signalA = nanA && (sigA & QUIET) == 0;
  const signalB = nanB && (sigB & QUIET) == 0;
  Out.exc = signalA || signalB ? IE : 0;
  let takeA = nanA;
  if (nanA && nanB) {
    if (signalA != signalB) takeA = signalB;
    else if (sigA != sigB) takeA = sigA > sigB;
    else takeA = seA <= seB;
  }
  Out.sig = (takeA ? sigA : sigB) | QUIET;
  Out.se = takeA ? seA : seB;
  return true;
}

/** The same for a single operand. */
export function nanOne(sig: u64, se: u32): bool {
  if (isUnsupported(sig, se)) {
    Out.exc = IE;
    Out.sig = INDEFINITE_SIG;
    Out.se = INDEFINITE_SE;
    return true;
  }
  if (!isNan(sig, se)) return false;
  Out.exc = sig & QUIET ? 0 : IE;
  Out.sig = sig | QUIET;
  Out.se = se;
  return true;
}
