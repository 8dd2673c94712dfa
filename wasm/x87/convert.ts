// x87: conversions from the extended format to 32/64-bit reals, integers and packed BCD (the others are in src/lift/x87-operands.ts) (SDM vol. 1, 4.8 and 8.1.7).
import { BIAS, C1, EXP_MAX, IE, isUnsupported, MSB, OE, Out, PE, QUIET, SIGN, UE } from './core';
import { Round, roundAt } from './pack';
import { shiftRightSticky, Wide } from './wide';

/** Control word: rounding control; 0 is to nearest. */
const ROUNDING: u32 = 0xc00;

/**
 * The register value in a shorter real format: `drop` significand bits fewer (40 or 11), extended exponents from
 * `low` (smallest normal) to `high`. The result has no sign and no place yet.
 */
function shorten(sig: u64, se: u32, cw: u32, drop: u32, low: i32, high: i32): u64 {
  const infinity = (<u64>(high - low + 2)) << (63 - drop);
  let exp = <i32>(se & EXP_MAX);
  if (isUnsupported(sig, se)) {
    Out.exc = IE;
    return infinity | (QUIET >> drop) | ((<u64>1) << 63);
  }
  if (exp == <i32>EXP_MAX) {
    if (sig == MSB) return infinity;
    if ((sig & QUIET) == 0) Out.exc = IE;
    return infinity | (((sig | QUIET) & ~MSB) >> drop);
  }
  if (sig == 0) return 0;
  if (exp == 0) exp = 1;
  const n = <i32>clz(sig);
  sig <<= n;
  exp -= n;
  const sign = se & SIGN;
  const rc = (cw >> 10) & 3;
  const rounded = roundAt(sign, sig, 0, drop, rc);
  const flags = Round.flags;
  const after = exp + Round.carry;
  if (after > high) {
    if ((cw & OE) == 0) {
      Out.exc |= OE;
      return 0;
    }
    if (rc == 0 || (rc == 1 && sign != 0) || (rc == 2 && sign == 0)) {
      Out.exc |= OE | PE | C1;
      return infinity;
    }
    Out.exc |= OE | PE;
    return infinity - 1;
  }
  if (after < low) {
    if ((cw & UE) == 0) {
      Out.exc |= UE;
      return 0;
    }
    shiftRightSticky(sig, 0, low - exp);
    const small = roundAt(sign, Wide.hi, Wide.lo, drop, rc);
    if (Round.flags) Out.exc |= UE | Round.flags;
    return small >> drop;
  }
  Out.exc |= flags;
  return ((<u64>(after - low)) << (63 - drop)) + (rounded >> drop);
}

export function toF32(sig: u64, se: u32, cw: u32): u32 {
  const exp = (se & EXP_MAX) - 0x3f80;
  if (<i64>sig < 0 && exp - 1 < 0xfd && (cw & ROUNDING) == 0) {
    // Rounding to nearest can neither overflow nor underflow.
    const rest = sig & 0xffffffffff;
    let v = ((se & SIGN) << 16) | (exp << 23) | (<u32>(sig >> 40) & 0x7fffff);
    if (rest != 0) {
      Out.exc |= PE;
      if (rest > 0x8000000000 || (rest == 0x8000000000 && (v & 1) != 0)) {
        Out.exc |= C1;
        v++;
      }
    }
    return v;
  }
  const v = shorten(sig, se, cw, 40, BIAS - 126, BIAS + 127);
  return <u32>v | <u32>((v >> 63) << 31) | ((se & SIGN) << 16);
}

export function toF64(sig: u64, se: u32, cw: u32): u64 {
  const exp = (se & EXP_MAX) - 0x3c00;
  if (<i64>sig < 0 && exp - 1 < 0x7fd && (cw & ROUNDING) == 0) {
    const rest = sig & 0x7ff;
    let v = ((<u64>(se & SIGN)) << 48) | ((<u64>exp) << 52) | ((sig >> 11) & 0xfffffffffffff);
    if (rest != 0) {
      Out.exc |= PE;
      if (rest > 0x400 || (rest == 0x400 && (v & 1) != 0)) {
        Out.exc |= C1;
        v++;
      }
    }
    return v;
  }
  const v = shorten(sig, se, cw, 11, BIAS - 1022, BIAS + 1023);
  return v | ((<u64>(se & SIGN)) << 48);
}

/** Rounds to an integer: the magnitude, with flags in Out.exc; IE where it is not below 2^64 or no number. */
export function toMagnitude(sig: u64, se: u32, rc: u32): u64 {
  const exp = <i32>(se & EXP_MAX) - BIAS;
  if (isUnsupported(sig, se) || exp > 63) {
    Out.exc = IE;
    return 0;
  }
  if (sig == 0) return 0;
  shiftRightSticky(sig, 0, 63 - exp);
  const lo = Wide.lo;
  let value = Wide.hi;
  if (lo == 0) return value;
  Out.exc |= PE;
  let up = false;
  if (rc == 0) up = lo > MSB || (lo == MSB && (value & 1) != 0);
  else if (rc == 1) up = (se & SIGN) != 0;
  else if (rc == 2) up = (se & SIGN) == 0;
  if (up) {
    Out.exc |= C1;
    value++;
    if (value == 0) Out.exc = IE;
  }
  return value;
}

/** Integer of `bits` bits, or the integer indefinite (the most negative one) with IE. */
export function toInteger(sig: u64, se: u32, rc: u32, bits: u32): i64 {
  const value = toMagnitude(sig, se, rc);
  const limit = (<u64>1) << (bits - 1);
  const negative = (se & SIGN) != 0;
  if (Out.exc & IE || value > limit || (value == limit && !negative)) {
    Out.exc = IE;
    return 0 - <i64>limit;
  }
  return negative ? 0 - <i64>value : <i64>value;
}

/** Out.sig and Out.se = the low 64 and high 16 bits of the packed BCD form. */
export function toBcd(sig: u64, se: u32, rc: u32): void {
  let value = toMagnitude(sig, se, rc);
  if (Out.exc & IE || value > 999999999999999999) {
    Out.exc = IE;
    Out.sig = 0xc000000000000000;
    Out.se = 0xffff;
    return;
  }
  let low: u64 = 0;
  for (let shift = 0; shift < 64; shift += 4) {
    low |= (value % 10) << shift;
    value /= 10;
  }
  Out.sig = low;
  Out.se = <u32>((value % 10) | ((value / 10) << 4)) | (se & SIGN);
}

/** The magnitude of a packed BCD number; digits above 9 count as they are (undefined by the manual). */
export function fromBcd(low: u64, high: u32): u64 {
  let value: u64 = (high >> 4) & 15;
  value = value * 10 + (high & 15);
  for (let shift = 60; shift >= 0; shift -= 4) value = value * 10 + ((low >> shift) & 15);
  return value;
}
