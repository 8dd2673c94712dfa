// When a result of WebAssembly's own arithmetic is what the processor gives, flags included: operands that are no denormals, a result that
// is neither tiny nor infinite nor NaN, rounding to nearest, and PE set and masked already or the result exact. Every other case is for soft.ts.
import { Cpu } from '../gen/layout';

const RC: u32 = 0x6000;
const PE: u32 = 0x20;
const PM: u32 = 0x1000;

/** Rounding to nearest, and an inexact result would change nothing. */
@inline
export function inexactIsQuiet(cpu: Cpu): bool {
  return (cpu.mxcsr & (RC | PM | PE)) == (PM | PE);
}
/** The same without regard to RC. */
@inline
export function precisionIsQuiet(cpu: Cpu): bool {
  return (cpu.mxcsr & (PM | PE)) == (PM | PE);
}
@inline
export function roundsToNearest(cpu: Cpu): bool {
  return (cpu.mxcsr & RC) == 0;
}

// Packed single -----------------------------------------------------------------------------------------------------
@inline
function abs32(a: v128): v128 {
  return v128.and(a, i32x4.splat(0x7fffffff));
}
/** Magnitude - 1, so that unsigned compares see zero as the largest. */
@inline
function less32(a: v128): v128 {
  return i32x4.sub(abs32(a), i32x4.splat(1));
}
/** No denormal operands; a finite result that is no denormal. */
@inline
export function usual32(a: v128, b: v128, r: v128): bool {
  const least = i32x4.min_u(i32x4.min_u(less32(a), less32(b)), less32(r));
  return !v128.any_true(v128.or(i32x4.lt_u(least, i32x4.splat(0x7fffff)), i32x4.ge_s(abs32(r), i32x4.splat(0x7f800000))));
}
/** The same, and the result is no rounded-up tiny number or an underflow to zero. */
@inline
export function usualProduct32(a: v128, b: v128, r: v128): bool {
  const least = i32x4.min_u(less32(a), less32(b));
  const edge = i32x4.ge_u(i32x4.sub(abs32(r), i32x4.splat(0x00800001)), i32x4.splat(0x7f800000 - 0x00800001));
  if (!v128.any_true(v128.or(i32x4.lt_u(least, i32x4.splat(0x7fffff)), edge))) return true;
  return zeroProduct32(a, b, least, edge, r);
}
/** Zeros are not tiny where an operand is zero. */
function zeroProduct32(a: v128, b: v128, least: v128, edge: v128, r: v128): bool {
  const zero = f32x4.splat(0);
  if (v128.any_true(i32x4.lt_u(least, i32x4.splat(0x7fffff)))) return false;
  const exact = v128.and(f32x4.eq(r, zero), v128.or(f32x4.eq(a, zero), f32x4.eq(b, zero)));
  return !v128.any_true(v128.andnot(edge, exact));
}
/** Neither NaN nor denormal: for comparisons. */
@inline
export function plain32(a: v128, b: v128): bool {
  const least = i32x4.min_u(less32(a), less32(b));
  return !v128.any_true(v128.or(i32x4.lt_u(least, i32x4.splat(0x7fffff)), v128.or(f32x4.ne(a, a), f32x4.ne(b, b))));
}
/** Whether r = a + b without error (Knuth's two-sum). */
export function exactSum32(a: v128, b: v128, r: v128): bool {
  const t = f32x4.sub(r, a);
  const error = f32x4.add(f32x4.sub(a, f32x4.sub(r, t)), f32x4.sub(b, t));
  return !v128.any_true(f32x4.ne(error, f32x4.splat(0)));
}
/** Both halves are the upper one. */
@inline
function upperHalf(v: v128): v128 {
  return v128.shuffle<i64>(v, v, 1, 1);
}

/** Whether a * b = r, compared in double precision, where products of singles are exact. */
export function exactProduct32(a: v128, b: v128, r: v128): bool {
  if (v128.any_true(f64x2.ne(f64x2.mul(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b)), f64x2.promote_low_f32x4(r)))) return false;
  a = upperHalf(a);
  b = upperHalf(b);
  r = upperHalf(r);
  return !v128.any_true(f64x2.ne(f64x2.mul(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b)), f64x2.promote_low_f32x4(r)));
}

// Packed double -----------------------------------------------------------------------------------------------------
@inline
function abs64(a: v128): v128 {
  return v128.and(a, i64x2.splat(i64.MAX_VALUE));
}
/** There are no unsigned compares of 64-bit lanes: magnitude - 1 with its top bit flipped. */
@inline
function denormal64(a: v128): v128 {
  return i64x2.lt_s(i64x2.add(abs64(a), i64x2.splat(i64.MAX_VALUE)), i64x2.splat(0x000fffffffffffff + i64.MIN_VALUE));
}
@inline
export function usual64(a: v128, b: v128, r: v128): bool {
  const odd = v128.or(v128.or(denormal64(a), denormal64(b)), denormal64(r));
  return !v128.any_true(v128.or(odd, i64x2.ge_s(abs64(r), i64x2.splat(0x7ff0000000000000))));
}
@inline
export function usualProduct64(a: v128, b: v128, r: v128): bool {
  const odd = v128.or(denormal64(a), denormal64(b));
  const edge = v128.or(i64x2.le_s(abs64(r), i64x2.splat(0x0010000000000000)), i64x2.ge_s(abs64(r), i64x2.splat(0x7ff0000000000000)));
  if (!v128.any_true(v128.or(odd, edge))) return true;
  if (v128.any_true(odd)) return false;
  const zero = f64x2.splat(0);
  return !v128.any_true(v128.andnot(edge, v128.and(f64x2.eq(r, zero), v128.or(f64x2.eq(a, zero), f64x2.eq(b, zero)))));
}
@inline
export function plain64(a: v128, b: v128): bool {
  return !v128.any_true(v128.or(v128.or(denormal64(a), denormal64(b)), v128.or(f64x2.ne(a, a), f64x2.ne(b, b))));
}
export function exactSum64(a: v128, b: v128, r: v128): bool {
  const t = f64x2.sub(r, a);
  const error = f64x2.add(f64x2.sub(a, f64x2.sub(r, t)), f64x2.sub(b, t));
  return !v128.any_true(f64x2.ne(error, f64x2.splat(0)));
}

// Scalar ------------------------------------------------------------------------------------------------------------
@inline
function bits32(a: f32): u32 {
  return reinterpret<u32>(a) & 0x7fffffff;
}
@inline
function bits64(a: f64): u64 {
  return reinterpret<u64>(a) & 0x7fffffffffffffff;
}
@inline
function denormal(a: f32): bool {
  return bits32(a) - 1 < 0x7fffff;
}
@inline
function denormalDouble(a: f64): bool {
  return bits64(a) - 1 < 0x000fffffffffffff;
}
@inline
export function usualSingle(a: f32, b: f32, r: f32): bool {
  return !(denormal(a) || denormal(b) || denormal(r) || bits32(r) >= 0x7f800000);
}
@inline
export function usualDouble(a: f64, b: f64, r: f64): bool {
  return !(denormalDouble(a) || denormalDouble(b) || denormalDouble(r) || bits64(r) >= 0x7ff0000000000000);
}
@inline
export function usualProductSingle(a: f32, b: f32, r: f32): bool {
  if (denormal(a) || denormal(b)) return false;
  return bits32(r) - 0x00800001 < 0x7f800000 - 0x00800001 || (r == 0 && (a == 0 || b == 0));
}
@inline
export function usualProductDouble(a: f64, b: f64, r: f64): bool {
  if (denormalDouble(a) || denormalDouble(b)) return false;
  return bits64(r) - 0x0010000000000001 < 0x7ff0000000000000 - 0x0010000000000001 || (r == 0 && (a == 0 || b == 0));
}
@inline
export function plainSingle(a: f32, b: f32): bool {
  return !(denormal(a) || denormal(b) || a != a || b != b);
}
@inline
export function plainDouble(a: f64, b: f64): bool {
  return !(denormalDouble(a) || denormalDouble(b) || a != a || b != b);
}
@inline
export function exactSum(a: f64, b: f64, r: f64): bool {
  const t = r - a;
  return a - (r - t) + (b - t) == 0;
}
@inline
export function exactSumSingle(a: f32, b: f32, r: f32): bool {
  const t = r - a;
  return a - (r - t) + (b - t) == 0;
}
/** Bits from the leading to the last set one. */
@inline
function length(a: f64): u64 {
  return 53 - ctz((reinterpret<u64>(a) & 0x000fffffffffffff) | 0x0010000000000000);
}
/** Whether a * b needs no more bits than there are, and is r. May say no where it is. */
export function exactProduct(a: f64, b: f64, r: f64): bool {
  return r == 0 || (length(a) + length(b) <= 53 && a * b == r);
}
export function exactProduct64(a: v128, b: v128, r: v128): bool {
  return (
    exactProduct(f64x2.extract_lane(a, 0), f64x2.extract_lane(b, 0), f64x2.extract_lane(r, 0)) &&
    exactProduct(f64x2.extract_lane(a, 1), f64x2.extract_lane(b, 1), f64x2.extract_lane(r, 1))
  );
}
