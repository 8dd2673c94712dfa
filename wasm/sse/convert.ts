// Conversions between single, double and 32-bit integers. Those to integers give 0x80000000 where there is no such integer.
import { Cpu } from '../gen/layout';
import { inexactIsQuiet, plain32, precisionIsQuiet, roundsToNearest, usualSingle } from './quick';
import { begin, finish, intToSingle, operand, roundingMode, TRUNCATE, toDouble, toInt, toSingle } from './soft';

/** The number to convert, a denormal being zero where DAZ says so. */
@inline
function single(a: f32): f64 {
  return <f64>reinterpret<f32>(<u32>operand(reinterpret<u32>(a), false));
}
@inline
function double(a: f64): f64 {
  return reinterpret<f64>(operand(reinterpret<u64>(a), true));
}
@inline
function fits(r: f64): bool {
  return r >= -2147483648.0 && r <= 2147483647.0;
}

// To integers -------------------------------------------------------------------------------------------------------
export function sseCvtss2si(cpu: Cpu, a: f32): i32 {
  const r = nearest<f32>(a);
  if (fits(r) && (r == a ? true : inexactIsQuiet(cpu))) return <i32>r;
  begin(cpu);
  const v = toInt(single(a), roundingMode());
  finish(cpu);
  return v;
}
export function sseCvttss2si(cpu: Cpu, a: f32): i32 {
  const r = trunc<f32>(a);
  if (fits(r) && (r == a || precisionIsQuiet(cpu))) return <i32>r;
  begin(cpu);
  const v = toInt(single(a), TRUNCATE);
  finish(cpu);
  return v;
}
export function sseCvtsd2si(cpu: Cpu, a: f64): i32 {
  const r = nearest<f64>(a);
  if (fits(r) && (r == a || inexactIsQuiet(cpu))) return <i32>r;
  begin(cpu);
  const v = toInt(double(a), roundingMode());
  finish(cpu);
  return v;
}
export function sseCvttsd2si(cpu: Cpu, a: f64): i32 {
  const r = trunc<f64>(a);
  if (fits(r) && (r == a || precisionIsQuiet(cpu))) return <i32>r;
  begin(cpu);
  const v = toInt(double(a), TRUNCATE);
  finish(cpu);
  return v;
}

/** Lanes 0 and 1 (`high`: and 2 and 3) of singles. */
function slowInts32(cpu: Cpu, a: v128, truncating: bool, high: bool): v128 {
  begin(cpu);
  const mode = truncating ? TRUNCATE : roundingMode();
  let r = i32x4.splat(0);
  r = i32x4.replace_lane(r, 0, toInt(single(f32x4.extract_lane(a, 0)), mode));
  r = i32x4.replace_lane(r, 1, toInt(single(f32x4.extract_lane(a, 1)), mode));
  if (high) {
    r = i32x4.replace_lane(r, 2, toInt(single(f32x4.extract_lane(a, 2)), mode));
    r = i32x4.replace_lane(r, 3, toInt(single(f32x4.extract_lane(a, 3)), mode));
  }
  finish(cpu);
  return r;
}
function slowInts64(cpu: Cpu, a: v128, truncating: bool): v128 {
  begin(cpu);
  const mode = truncating ? TRUNCATE : roundingMode();
  let r = i32x4.splat(0);
  r = i32x4.replace_lane(r, 0, toInt(double(f64x2.extract_lane(a, 0)), mode));
  r = i32x4.replace_lane(r, 1, toInt(double(f64x2.extract_lane(a, 1)), mode));
  finish(cpu);
  return r;
}
@inline
function allFit32(r: v128): bool {
  return i32x4.all_true(f32x4.lt(f32x4.abs(r), f32x4.splat(2147483648.0)));
}
@inline
function allFit64(r: v128): bool {
  return i64x2.all_true(f64x2.lt(f64x2.abs(r), f64x2.splat(2147483648.0)));
}
export function sseCvtps2dq(cpu: Cpu, a: v128): v128 {
  const r = f32x4.nearest(a);
  if (allFit32(r) && (inexactIsQuiet(cpu) || !v128.any_true(f32x4.ne(r, a)))) return i32x4.trunc_sat_f32x4_s(r);
  return slowInts32(cpu, a, false, true);
}
export function sseCvttps2dq(cpu: Cpu, a: v128): v128 {
  const r = f32x4.trunc(a);
  if (allFit32(r) && (precisionIsQuiet(cpu) || !v128.any_true(f32x4.ne(r, a)))) return i32x4.trunc_sat_f32x4_s(r);
  return slowInts32(cpu, a, true, true);
}
/** The high half of the result is zero. */
export function sseCvtpd2dq(cpu: Cpu, a: v128): v128 {
  const r = f64x2.nearest(a);
  if (allFit64(r) && (inexactIsQuiet(cpu) || !v128.any_true(f64x2.ne(r, a)))) return i32x4.trunc_sat_f64x2_s_zero(r);
  return slowInts64(cpu, a, false);
}
export function sseCvttpd2dq(cpu: Cpu, a: v128): v128 {
  const r = f64x2.trunc(a);
  if (allFit64(r) && (precisionIsQuiet(cpu) || !v128.any_true(f64x2.ne(r, a)))) return i32x4.trunc_sat_f64x2_s_zero(r);
  return slowInts64(cpu, a, true);
}
/** CVTPS2PI, CVTTPS2PI: two singles (the low half of a) to two integers. */
export function sseCvtps2pi(cpu: Cpu, a: u64): u64 {
  return i64x2.extract_lane(slowInts32(cpu, i64x2.splat(a), false, false), 0);
}
export function sseCvttps2pi(cpu: Cpu, a: u64): u64 {
  return i64x2.extract_lane(slowInts32(cpu, i64x2.splat(a), true, false), 0);
}

// From integers -----------------------------------------------------------------------------------------------------
/** Integers up to 2^24 are singles. */
@inline
function isSingle(a: i32): bool {
  return <u32>(a + (1 << 24)) <= 1 << 25;
}
export function sseCvtsi2ss(cpu: Cpu, a: i32): f32 {
  if (isSingle(a) || inexactIsQuiet(cpu)) return <f32>a;
  begin(cpu);
  const r = intToSingle(a);
  finish(cpu);
  return reinterpret<f32>(<u32>r);
}
export function sseCvtdq2ps(cpu: Cpu, a: v128): v128 {
  const outside = i32x4.gt_u(i32x4.add(a, i32x4.splat(1 << 24)), i32x4.splat(1 << 25));
  if (inexactIsQuiet(cpu) || !v128.any_true(outside)) return f32x4.convert_i32x4_s(a);
  begin(cpu);
  let r = i32x4.splat(<u32>intToSingle(i32x4.extract_lane(a, 0)));
  r = i32x4.replace_lane(r, 1, <u32>intToSingle(i32x4.extract_lane(a, 1)));
  r = i32x4.replace_lane(r, 2, <u32>intToSingle(i32x4.extract_lane(a, 2)));
  r = i32x4.replace_lane(r, 3, <u32>intToSingle(i32x4.extract_lane(a, 3)));
  finish(cpu);
  return r;
}
/** CVTPI2PS: two integers to two singles. */
export function sseCvtpi2ps(cpu: Cpu, a: u64): u64 {
  begin(cpu);
  const low = intToSingle(<i32>a);
  const high = intToSingle(<i32>(a >> 32));
  finish(cpu);
  return low | (high << 32);
}

// Between single and double -----------------------------------------------------------------------------------------
export function sseCvtss2sd(cpu: Cpu, a: f32): f64 {
  if (usualSingle(a, a, a)) return <f64>a;
  begin(cpu);
  const r = toDouble(reinterpret<u32>(a));
  finish(cpu);
  return reinterpret<f64>(r);
}
export function sseCvtsd2ss(cpu: Cpu, a: f64): f32 {
  const r = <f32>a;
  // A zero needs no case of its own: other zeros would be tiny.
  const m = reinterpret<u32>(r) & 0x7fffffff;
  if (m - 0x00800001 < 0x7f800000 - 0x00800001 && (inexactIsQuiet(cpu) || (<f64>r == a && roundsToNearest(cpu)))) return r;
  if (a == 0) return r;
  begin(cpu);
  const v = toSingle(reinterpret<u64>(a));
  finish(cpu);
  return reinterpret<f32>(<u32>v);
}
/** Two singles, the low half of a. */
export function sseCvtps2pd(cpu: Cpu, a: u64): v128 {
  const v = i64x2.splat(a);
  if (plain32(v, v)) return f64x2.promote_low_f32x4(v);
  begin(cpu);
  const low = toDouble(a & 0xffffffff);
  const high = toDouble(a >> 32);
  finish(cpu);
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}
/** The high half of the result is zero. */
export function sseCvtpd2ps(cpu: Cpu, a: v128): v128 {
  const r = f32x4.demote_f64x2_zero(a);
  const back = f64x2.promote_low_f32x4(r);
  const m = f64x2.abs(back);
  const usual = v128.and(f64x2.gt(m, f64x2.splat(1.1754943508222875e-38)), f64x2.lt(m, f64x2.splat(Infinity)));
  const zero = f64x2.eq(a, f64x2.splat(0));
  if (i64x2.all_true(v128.or(usual, zero)) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && !v128.any_true(f64x2.ne(back, a)))))
    return r;
  begin(cpu);
  const low = toSingle(i64x2.extract_lane(a, 0));
  const high = toSingle(i64x2.extract_lane(a, 1));
  finish(cpu);
  return i64x2.replace_lane(i64x2.splat(low | (high << 32)), 1, 0);
}
