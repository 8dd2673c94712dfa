// x87: the common case of additions, multiplications and divisions: normal numbers, a normal result, rounding to nearest, inexact results masked. With 64 bits of precision, which is what Linux
// asks for, all is inline; with 53 or 24 (`short`, as other systems and some compilers have it) it is the same arithmetic behind a call. Each gives
// false, and has done nothing, where something is otherwise; then the way through Out is gone, which knows all cases. What counts is how few operations there are, and how few of them wait
// for each other: a result goes to the next one through memory. No branch depends on how a result is rounded, which is as good as random. All is inline, as each call costs as much as a tenth of it.
import { Cpu, FpuRegister } from '../gen/layout';
import { BIAS, C1, EXP_MAX, MSB, PC_DOUBLE, PC_EXTENDED, PC_RC, PC_SINGLE, PE, SIGN } from './core';
import { div128, Wide } from './wide';

/** Whether the control word is as usual, and both numbers are normal: significands with their top bit, exponents neither 0 nor the greatest. `real`: the second is, as a real of memory that was. */
@inline
function areUsual(cpu: Cpu, sigA: u64, expA: i32, sigB: u64, expB: i32, real: bool): bool {
  if ((cpu.fcw & (PC_RC | PE)) != (PC_EXTENDED | PE)) return false;
  if (real) return <i64>sigA < 0 && <u32>(expA - 1) < 0x7ffe;
  if (<i64>(sigA & sigB) >= 0) return false;
  return ((expA + 1) & 0x7ffe) * ((expB + 1) & 0x7ffe) != 0;
}

/** The last bit of a significand as the control word has its precision, where it rounds to nearest; else 0. */
@inline
function lastBit(cpu: Cpu): u64 {
  const control = cpu.fcw & PC_RC;
  return control == PC_EXTENDED ? 1 : control == PC_DOUBLE ? 1 << 11 : control == PC_SINGLE ? 1 << 40 : 0;
}
/** The same where less than 64 bits are asked for, inexact results are masked, and both numbers are normal. */
function lastBitOfUsual(cpu: Cpu, sigA: u64, seA: u32, sigB: u64, seB: u32): u64 {
  const last = lastBit(cpu);
  return last > 1 && (cpu.fcw & PE) != 0 && isUsualNumber(sigA, seA) && isUsualNumber(sigB, seB) ? last : 0;
}

@inline
function isZero(sig: u64, se: u32): bool {
  return (sig | (se & EXP_MAX)) == 0;
}
@inline
function isUsualNumber(sig: u64, se: u32): bool {
  return <i64>sig < 0 && (se & EXP_MAX) - 1 < 0x7ffe;
}
/** An exact result. */
function exactly(cpu: Cpu, to: FpuRegister, sig: u64, se: u32): bool {
  to.significand = sig;
  to.signExponent = <u16>se;
  cpu.fsw &= ~C1;
  return true;
}
/** The sum of a zero and a normal number. */
export function sumWithZero(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32): bool {
  // All bits below the last: of 0, which is none, all.
  const below = lastBit(cpu) - 1;
  if (isZero(sigB, seB) && isUsualNumber(sigA, seA) && (sigA & below) == 0) return exactly(cpu, to, sigA, seA);
  return isZero(sigA, seA) && isUsualNumber(sigB, seB) && (sigB & below) == 0 && exactly(cpu, to, sigB, seB);
}
/** The product of zeros, or of one and a normal number. */
export function productOfZero(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32): bool {
  const zeroA = isZero(sigA, seA);
  const zeroB = isZero(sigB, seB);
  if (!(zeroA || zeroB) || !(zeroA || isUsualNumber(sigA, seA)) || !(zeroB || isUsualNumber(sigB, seB))) return false;
  return exactly(cpu, to, 0, (seA ^ seB) & SIGN);
}

/** Rounds hi:lo * 2^(exp - BIAS - 127), bit 127 set, and writes it to a register. */
@inline
function put(cpu: Cpu, to: FpuRegister, sign: u32, exp: i32, hi: u64, lo: u64): bool {
  // More than half, or half and the last bit is set: then the sum goes beyond 2^64.
  const up = u64(lo + (MSB - 1) + (hi & 1) < lo);
  const rounded = hi + up;
  if (rounded < hi) return false;
  if (<u32>(exp - 1) >= 0x7ffe) return false;
  to.significand = rounded;
  to.signExponent = <u16>(sign | exp);
  cpu.fsw = (cpu.fsw & ~C1) | ((u32(lo != 0) | ((<u32>up) << 4)) << 5);
  return true;
}

/** The same where the last bit is another one. */
@inline
function putShort(cpu: Cpu, to: FpuRegister, sign: u32, exp: i32, hi: u64, lo: u64, last: u64): bool {
  const below = (hi & (last - 1)) | u64(lo != 0);
  const up = u64(below + ((last >> 1) - 1) + u64((hi & last) != 0) >= last);
  const rounded = (hi & ~(last - 1)) + (last & (0 - up));
  if (rounded == 0 || <u32>(exp - 1) >= 0x7ffe) return false;
  to.significand = rounded;
  to.signExponent = <u16>(sign | exp);
  cpu.fsw = (cpu.fsw & ~C1) | ((u32(below != 0) | ((<u32>up) << 4)) << 5);
  return true;
}

/** `last`: 0 for 64 bits. */
@inline
function putRounded(cpu: Cpu, to: FpuRegister, sign: u32, exp: i32, hi: u64, lo: u64, last: u64): bool {
  return last == 0 ? put(cpu, to, sign, exp, hi, lo) : putShort(cpu, to, sign, exp, hi, lo, last);
}

/** to = a + b. */
@inline
export function quickSum(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32, real: bool): bool {
  if (!areUsual(cpu, sigA, <i32>(seA & EXP_MAX), sigB, <i32>(seB & EXP_MAX), real)) return shortSum(cpu, to, sigA, seA, sigB, seB);
  return sum(cpu, to, sigA, seA, sigB, seB, 0);
}
function shortSum(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32): bool {
  const last = lastBitOfUsual(cpu, sigA, seA, sigB, seB);
  return last == 0 ? sumWithZero(cpu, to, sigA, seA, sigB, seB) : sum(cpu, to, sigA, seA, sigB, seB, last);
}
@inline
function sum(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32, last: u64): bool {
  let exp = <i32>(seA & EXP_MAX);
  const expB = <i32>(seB & EXP_MAX);
  let shift = exp - expB;
  let sign = seA;
  if (shift < 0) {
    const sig = sigA;
    sigA = sigB;
    sigB = sig;
    exp = expB;
    shift = -shift;
    sign = seB;
  }
  if (shift > 63) return false;
  let hi = sigB >> shift;
  let lo = (sigB << 1) << (63 - shift);
  if (((seA ^ seB) & SIGN) == 0) {
    hi += sigA;
    const carry = u64(hi < sigA);
    lo = (lo >> carry) | (lo & carry) | ((hi & carry) << 63);
    return putRounded(cpu, to, sign & SIGN, exp + <i32>carry, (hi >> carry) | (carry << 63), lo, last);
  }
  // Of two with one exponent the second may be the greater; then nothing is cut off.
  const negative = u64(sigA < hi);
  hi = ((sigA - hi - u64(lo != 0)) ^ (0 - negative)) + negative;
  if (hi == 0) return false;
  lo = 0 - lo;
  const n = clz(hi);
  return putRounded(cpu, to, (sign ^ ((<u32>negative) << 15)) & SIGN, exp - <i32>n, (hi << n) | ((lo >> 1) >> (63 - n)), lo << n, last);
}

/** to = a * b. */
@inline
export function quickProduct(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32, real: bool): bool {
  const expA = <i32>(seA & EXP_MAX);
  const expB = <i32>(seB & EXP_MAX);
  if (!areUsual(cpu, sigA, expA, sigB, expB, real)) return shortProduct(cpu, to, sigA, seA, sigB, seB);
  return product(cpu, to, sigA, seA, sigB, seB, 0);
}
function shortProduct(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32): bool {
  const last = lastBitOfUsual(cpu, sigA, seA, sigB, seB);
  return last == 0 ? productOfZero(cpu, to, sigA, seA, sigB, seB) : product(cpu, to, sigA, seA, sigB, seB, last);
}
@inline
function product(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32, last: u64): bool {
  const expA = <i32>(seA & EXP_MAX);
  const expB = <i32>(seB & EXP_MAX);
  const al = sigA & 0xffffffff;
  const ah = sigA >> 32;
  const bl = sigB & 0xffffffff;
  const bh = sigB >> 32;
  const low = al * bl;
  const middle = ah * bl + (low >> 32);
  const cross = al * bh + (middle & 0xffffffff);
  const hi = ah * bh + (middle >> 32) + (cross >> 32);
  const lo = (cross << 32) | (low & 0xffffffff);
  // 0 or 1.
  const n = clz(hi);
  return putRounded(cpu, to, (seA ^ seB) & SIGN, expA + expB - (BIAS - 1) - <i32>n, (hi << n) | ((lo >> 63) & n), lo << n, last);
}

/** to = a / b. */
@inline
export function quickQuotient(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32, real: bool): bool {
  const expA = <i32>(seA & EXP_MAX);
  const expB = <i32>(seB & EXP_MAX);
  if (!areUsual(cpu, sigA, expA, sigB, expB, real)) return shortQuotient(cpu, to, sigA, seA, sigB, seB);
  return quotient(cpu, to, sigA, seA, sigB, seB, 0);
}
function shortQuotient(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32): bool {
  const last = lastBitOfUsual(cpu, sigA, seA, sigB, seB);
  return last != 0 && quotient(cpu, to, sigA, seA, sigB, seB, last);
}
@inline
function quotient(cpu: Cpu, to: FpuRegister, sigA: u64, seA: u32, sigB: u64, seB: u32, last: u64): bool {
  const expA = <i32>(seA & EXP_MAX);
  const expB = <i32>(seB & EXP_MAX);
  const whole = u64(sigA >= sigB);
  const digits = div128(sigA >> whole, (sigA & whole) << 63, sigB);
  const rest = Wide.lo;
  // The rest below the last bit: more or less than half, exactly half, or none.
  const other = sigB - rest;
  const lo = rest == 0 ? <u64>0 : rest > other ? MSB | 1 : rest == other ? MSB : <u64>1;
  return putRounded(cpu, to, (seA ^ seB) & SIGN, expA - expB + BIAS - 1 + <i32>whole, digits, lo, last);
}
