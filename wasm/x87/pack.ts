// x87: rounding of exact (or sticky) results to the extended format, with overflow and underflow
// (SDM vol. 1, 4.8.4, 4.9.1 and 8.5). Tininess is detected after rounding, as the hardware does.
import { BIAS, C1, EXP_MAX, MSB, OE, Out, PC_EXTENDED, PC_RC, PE, SIGN, UE } from './core';
import { shiftRightSticky, Wide } from './wide';

/** The exponent of an unmasked overflow or underflow is wrapped by this much (SDM vol. 1, 8.5.4). */
const WRAP: i32 = 24576;

/** Whether roundAt() carried out of the top bit, and what it found. */
export class Round {
  static carry: i32 = 0;
  static flags: u32 = 0;
}

/** Rounds hi:lo to hi without its `drop` low bits. */
export function roundAt(sign: u32, hi: u64, lo: u64, drop: u32, rc: u32): u64 {
  // What is cut off, as a fraction of a unit in the last place: aligned to the top of a word, sticky.
  let rest = lo;
  if (drop != 0) {
    rest = (hi << (64 - drop)) | u64(lo != 0);
    hi = (hi >> drop) << drop;
  }
  Round.carry = 0;
  Round.flags = 0;
  if (rest == 0) return hi;
  Round.flags = PE;
  let up: bool;
  if (rc == 0) up = rest > MSB || (rest == MSB && ((hi >> drop) & 1) != 0);
  else if (rc == 1) up = sign != 0;
  else if (rc == 2) up = sign == 0;
  else up = false;
  if (up) {
    Round.flags = PE | C1;
    hi += (<u64>1) << drop;
    if (hi == 0) {
      hi = MSB;
      Round.carry = 1;
    }
  }
  return hi;
}

/** Rounds hi:lo * 2^(exp - BIAS - 127), bit 127 set, to the precision and in the direction that cw asks for. */
export function roundPack(sign: u32, exp: i32, hi: u64, lo: u64, cw: u32): void {
  if ((cw & PC_RC) == PC_EXTENDED && <u32>(exp - 1) < 0x7ffd) {
    if (lo != 0) {
      if (lo > MSB || (lo == MSB && (hi & 1) != 0)) {
        Out.exc |= PE | C1;
        hi++;
        if (hi == 0) {
          hi = MSB;
          exp++;
        }
      } else {
        Out.exc |= PE;
      }
    }
    Out.sig = hi;
    Out.se = sign | exp;
    return;
  }
  roundSlow(sign, exp, hi, lo, cw);
}

function roundSlow(sign: u32, exp: i32, hi: u64, lo: u64, cw: u32): void {
  const pc = (cw >> 8) & 3;
  const drop: u32 = pc == 0 ? 40 : pc == 2 ? 11 : 0;
  const rc = (cw >> 10) & 3;
  const rounded = roundAt(sign, hi, lo, drop, rc);
  const flags = Round.flags;
  exp += Round.carry;
  if (exp <= 0) {
    underflow(sign, exp - Round.carry, exp, rounded, flags, hi, lo, drop, cw);
    return;
  }
  Out.exc |= flags;
  if (exp < <i32>EXP_MAX) {
    Out.sig = rounded;
    Out.se = sign | exp;
    return;
  }
  Out.exc |= OE;
  if ((cw & OE) == 0) {
    exp -= WRAP;
    if (exp < <i32>EXP_MAX) {
      Out.sig = rounded;
      Out.se = sign | exp;
    } else {
      // Too far even for that (FSCALE only).
      Out.exc |= PE | C1;
      Out.sig = MSB;
      Out.se = sign | EXP_MAX;
    }
    return;
  }
  Out.exc |= PE;
  if (rc == 0 || (rc == 1 && sign != 0) || (rc == 2 && sign == 0)) {
    Out.exc |= C1;
    Out.sig = MSB;
    Out.se = sign | EXP_MAX;
  } else {
    Out.exc &= ~C1;
    Out.sig = (<u64>-1 >> drop) << drop;
    Out.se = sign | 0x7ffe;
  }
}

function underflow(sign: u32, exp: i32, wrapped: i32, rounded: u64, flags: u32, hi: u64, lo: u64, drop: u32, cw: u32): void {
  if ((cw & UE) == 0) {
    Out.exc |= UE | flags;
    wrapped += WRAP;
    if (wrapped > 0) {
      Out.sig = rounded;
      Out.se = sign | wrapped;
    } else {
      Out.exc |= PE;
      Out.sig = 0;
      Out.se = sign;
    }
    return;
  }
  shiftRightSticky(hi, lo, 1 - exp);
  const sig = roundAt(sign, Wide.hi, Wide.lo, drop, (cw >> 10) & 3);
  if (Round.flags) Out.exc |= Round.flags | UE;
  Out.sig = sig;
  Out.se = sign | u32(sig >> 63);
}

/** Value of an integer, exactly. */
export function fromInteger(value: i64): void {
  if (value == 0) {
    Out.sig = 0;
    Out.se = 0;
    return;
  }
  const sign: u32 = value < 0 ? SIGN : 0;
  const magnitude = <u64>(value < 0 ? -value : value);
  const n = <i32>clz(magnitude);
  Out.sig = magnitude << n;
  Out.se = sign | (BIAS + 63 - n);
}
