// x87: FSQRT.
import { BIAS, DE, EXP_MAX, invalid, MSB, Out, SIGN, setOut } from './core';
import { nanOne } from './nan';
import { roundPack } from './pack';
import { mul64, Wide } from './wide';

/** Out = square root of a. */
export function sqrt(sig: u64, se: u32, cw: u32): void {
  if (nanOne(sig, se)) return;
  let exp = <i32>(se & EXP_MAX);
  if (sig == 0) {
    setOut(0, se);
    return;
  }
  if (se & SIGN) {
    invalid();
    return;
  }
  if (exp == <i32>EXP_MAX) {
    setOut(MSB, se);
    return;
  }
  if (exp == 0) {
    Out.exc |= DE;
    exp = 1 - <i32>clz(sig);
    sig <<= clz(sig);
  }
  // Radicand n = sig * 2^64 (odd exponents: * 2^63), so that the root has exactly 64 bits.
  const e = exp - BIAS;
  const even = (e & 1) == 0;
  const nh = even ? sig >> 1 : sig;
  const nl = even ? sig << 63 : 0;
  // 52 good bits from the host's square root, the rest by one Newton step and a correction.
  let root: u64;
  const estimate = Math.sqrt(<f64>nh) * 4294967296.0;
  root = estimate >= 18446744073709551615.0 ? <u64>-1 : <u64>estimate;
  mul64(root, root);
  let dl = nl - Wide.lo;
  let dh = nh - Wide.hi - u64(nl < Wide.lo);
  const error = <f64>(<i64>dh) * 18446744073709551616.0 + <f64>dl;
  const step = <i64>Math.floor(error / (2.0 * <f64>root));
  const next = root + <u64>step;
  root = step > 0 && next < root ? <u64>-1 : next;
  for (;;) {
    mul64(root, root);
    dl = nl - Wide.lo;
    dh = nh - Wide.hi - u64(nl < Wide.lo);
    if (<i64>dh < 0) {
      root--;
    } else if (dh > 1 || (dh == 1 && dl > root << 1)) {
      // The remainder exceeds 2 * root (which is a 65-bit number): one more fits.
      root++;
    } else {
      break;
    }
  }
  // Remainder above root: the fraction is above one half (it is never exactly that).
  const lo: u64 = (dh | dl) == 0 ? 0 : dh != 0 || dl > root ? MSB | 1 : 1;
  roundPack(0, (e >> 1) + BIAS, root, lo, cw);
}
