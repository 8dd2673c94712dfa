// IEEE 754 arithmetic on the bits of single and double precision numbers, in integers: the exact path behind the quick ones.
// It knows everything that MXCSR says (SDM vol. 1, 10.2.3): rounding, flags, DAZ, FTZ, masks. `wide` chooses double precision;
// a single is the low half of a u64. State is in globals: begin() takes MXCSR, finish() gives the flags back and raises #XM.
import { raise } from '../base/fault';
import { Cpu, Cr4, Vector } from '../gen/layout';

const IE: u32 = 1;
const DE: u32 = 2;
const ZE: u32 = 4;
const OE: u32 = 8;
const UE: u32 = 16;
const PE: u32 = 32;
const DAZ: u32 = 0x40;
const OM: u32 = 0x400;
const UM: u32 = 0x800;
const FTZ: u32 = 0x8000;

const NEAREST: u32 = 0;
const DOWN: u32 = 1;
const UP: u32 = 2;
export const TRUNCATE: u32 = 3;

let mxcsr: u32 = 0;
let rounding: u32 = 0;
let raised: u32 = 0;

export function begin(cpu: Cpu): void {
  mxcsr = cpu.mxcsr;
  rounding = (mxcsr >> 13) & 3;
  raised = 0;
}

export function roundingMode(): u32 {
  return rounding;
}

/** Flags that were found go to MXCSR; where one is not masked, the exception is noted (SDM vol. 1, 11.5). */
export function finish(cpu: Cpu): void {
  const open = raised & ~((mxcsr >> 7) & 0x3f);
  // Invalid, denormal and divide by zero are found before the operation: it does not take place.
  cpu.mxcsr = mxcsr | (open & (IE | DE | ZE) ? raised & (IE | DE | ZE) : raised);
  if (open) raise(cpu, cpu.cr4 & Cr4.OSXMMEXCPT ? Vector.XM : Vector.UD);
}

// Parts of a number -------------------------------------------------------------------------------------------------
@inline
function signBit(wide: bool): u64 {
  return wide ? 0x8000000000000000 : 0x80000000;
}
@inline
function infinity(wide: bool): u64 {
  return wide ? 0x7ff0000000000000 : 0x7f800000;
}
@inline
function quietBit(wide: bool): u64 {
  return wide ? 0x0008000000000000 : 0x00400000;
}
@inline
function fractionBits(wide: bool): u64 {
  return wide ? 52 : 23;
}
@inline
function bias(wide: bool): i32 {
  return wide ? 1023 : 127;
}
@inline
function magnitude(a: u64, wide: bool): u64 {
  return a & (signBit(wide) - 1);
}
@inline
function isNan(a: u64, wide: bool): bool {
  return magnitude(a, wide) > infinity(wide);
}
@inline
function isSignaling(a: u64, wide: bool): bool {
  return isNan(a, wide) && !(a & quietBit(wide));
}
@inline
function isDenormal(a: u64, wide: bool): bool {
  return magnitude(a, wide) - 1 < ((<u64>1) << fractionBits(wide)) - 1;
}
/** The default NaN is negative (SDM vol. 1, 4.8.3.7). */
function invalid(wide: bool): u64 {
  raised |= IE;
  return signBit(wide) | infinity(wide) | quietBit(wide);
}
/** DAZ: a denormal operand counts as a zero of its sign. */
export function operand(a: u64, wide: bool): u64 {
  return mxcsr & DAZ && isDenormal(a, wide) ? a & signBit(wide) : a;
}
function noteDenormal(a: u64, wide: bool): void {
  if (isDenormal(a, wide)) raised |= DE;
}

/** Result for NaN operands: the first that is one, quieted. */
function nanOf(a: u64, b: u64, wide: bool): u64 {
  if (isSignaling(a, wide) || isSignaling(b, wide)) raised |= IE;
  return (isNan(a, wide) ? a : b) | quietBit(wide);
}

/** Significand with its leading bit at 63 (0 for zero). */
@inline
function significand(a: u64, wide: bool): u64 {
  const fraction = a & (((<u64>1) << fractionBits(wide)) - 1);
  const exponent = magnitude(a, wide) >> fractionBits(wide);
  if (exponent) return ((<u64>1) << 63) | (fraction << (wide ? 11 : 40));
  return fraction ? fraction << clz(fraction) : 0;
}
/** Exponent of the leading bit, unbiased; far below all others for zero. */
@inline
function exponentOf(a: u64, wide: bool): i32 {
  const m = magnitude(a, wide);
  const exponent = <i32>(m >> fractionBits(wide));
  if (exponent) return exponent - bias(wide);
  return m ? 1 - bias(wide) - <i32>(clz(m) - (wide ? 11 : 40)) : -100000;
}

/** Shifts right; what falls out stays in the lowest bit. */
@inline
function shiftJam(v: u64, n: i32): u64 {
  if (n <= 0) return v;
  if (n > 63) return v ? 1 : 0;
  return (v >> n) | (v << (64 - n) ? 1 : 0);
}

/** Rounds sig * 2^(e - 63), leading bit of sig at 63 with a sticky bit at 0, to a number with `sign`. */
function round(sign: bool, e: i32, sig: u64, wide: bool): u64 {
  const drop: u64 = wide ? 11 : 40;
  const below: u64 = ((<u64>1) << drop) - 1;
  const half: u64 = (<u64>1) << (drop - 1);
  const minus: u64 = sign ? signBit(wide) : 0;
  let increment: u64 = 0;
  if (rounding == NEAREST) increment = half;
  else if (rounding == (sign ? DOWN : UP)) increment = below;
  let exponent = e + bias(wide);
  const carries = sig + increment < sig;
  if (exponent <= 0 && (exponent < 0 || !carries)) {
    // Tiny, judged after rounding (SDM vol. 1, 4.9.1.5).
    if (!(mxcsr & UM)) {
      raised |= sig & below ? UE | PE : UE;
      return minus;
    }
    if (mxcsr & FTZ) {
      raised |= UE | PE;
      return minus;
    }
    sig = shiftJam(sig, 1 - exponent);
    if (sig & below) raised |= UE | PE;
    let r = (sig + increment) >> drop;
    if (rounding == NEAREST && (sig & below) == half) r &= ~1;
    return minus | r;
  }
  const inexact = (sig & below) != 0;
  let r: u64;
  if (carries) {
    exponent++;
    r = 0;
  } else {
    r = (sig + increment) >> drop;
    if (rounding == NEAREST && (sig & below) == half) r &= ~1;
  }
  if (exponent >= (wide ? 2047 : 255)) {
    raised |= inexact || mxcsr & OM ? OE | PE : OE;
    return minus | (infinity(wide) - <u64>(rounding != NEAREST && increment == 0 ? 1 : 0));
  }
  if (inexact) raised |= PE;
  return minus | ((<u64>exponent) << fractionBits(wide)) | (r & (((<u64>1) << fractionBits(wide)) - 1));
}

// Operations --------------------------------------------------------------------------------------------------------
export const ADD: u32 = 0;
export const SUB: u32 = 1;
export const MUL: u32 = 2;
export const DIV: u32 = 3;
export const MIN: u32 = 4;
export const MAX: u32 = 5;
export const SQRT: u32 = 6;
/** Subtracts in even lanes, adds in odd ones. */
export const ADDSUB: u32 = 7;

function add(a: u64, b: u64, wide: bool): u64 {
  const inf = infinity(wide);
  if (magnitude(a, wide) == inf || magnitude(b, wide) == inf) {
    if (magnitude(a, wide) == magnitude(b, wide) && a != b) return invalid(wide);
    noteDenormal(a, wide);
    noteDenormal(b, wide);
    return magnitude(a, wide) == inf ? a : b;
  }
  noteDenormal(a, wide);
  noteDenormal(b, wide);
  let sign = (a & signBit(wide)) != 0;
  let other = (b & signBit(wide)) != 0;
  let ea = exponentOf(a, wide);
  let eb = exponentOf(b, wide);
  let sa = significand(a, wide) >> 1;
  let sb = significand(b, wide) >> 1;
  if (ea < eb) {
    const e = ea;
    ea = eb;
    eb = e;
    const s = sa;
    sa = sb;
    sb = s;
    const n = sign;
    sign = other;
    other = n;
  }
  sb = shiftJam(sb, ea - eb);
  let sum: u64;
  if (sign == other) {
    sum = sa + sb;
    if (!sum) return sign ? signBit(wide) : 0;
  } else {
    sum = sa - sb;
    if (!sum) return rounding == DOWN ? signBit(wide) : 0;
    if (sa < sb) {
      sum = -sum;
      sign = other;
    }
  }
  const n = <i32>clz(sum);
  return round(sign, ea + 1 - n, sum << n, wide);
}

function mul(a: u64, b: u64, wide: bool): u64 {
  const inf = infinity(wide);
  const ma = magnitude(a, wide);
  const mb = magnitude(b, wide);
  const minus = (a ^ b) & signBit(wide);
  if (ma == inf || mb == inf) {
    if (!ma || !mb) return invalid(wide);
    noteDenormal(a, wide);
    noteDenormal(b, wide);
    return minus | inf;
  }
  noteDenormal(a, wide);
  noteDenormal(b, wide);
  if (!ma || !mb) return minus;
  const x = significand(a, wide);
  const y = significand(b, wide);
  // 128-bit product; both have their low bits clear.
  const xl = x & 0xffffffff;
  const xh = x >> 32;
  const yl = y & 0xffffffff;
  const yh = y >> 32;
  const low = xl * yl;
  const mid = xh * yl + (low >> 32);
  const cross = xl * yh + (mid & 0xffffffff);
  let high = xh * yh + (mid >> 32) + (cross >> 32);
  let rest = (cross << 32) | (low & 0xffffffff);
  let e = exponentOf(a, wide) + exponentOf(b, wide) + 1;
  if (!(high >> 63)) {
    high = (high << 1) | (rest >> 63);
    rest <<= 1;
    e--;
  }
  return round(minus != 0, e, high | (rest ? 1 : 0), wide);
}

function div(a: u64, b: u64, wide: bool): u64 {
  const inf = infinity(wide);
  const ma = magnitude(a, wide);
  const mb = magnitude(b, wide);
  const minus = (a ^ b) & signBit(wide);
  if ((ma == inf && mb == inf) || (!ma && !mb)) return invalid(wide);
  if (!mb && ma != inf) {
    raised |= ZE;
    return minus | inf;
  }
  noteDenormal(a, wide);
  noteDenormal(b, wide);
  if (ma == inf) return minus | inf;
  if (mb == inf || !ma) return minus;
  // A quotient of 55 or 56 bits: a nearby one from floating point, then corrected by its exact remainder (modulo 2^64).
  const x = significand(a, wide) >> 11;
  const y = significand(b, wide) >> 11;
  let q = <u64>((<f64>x / <f64>y) * <f64>((<u64>1) << 55));
  let rest = <i64>((x << 55) - q * y);
  while (rest < 0) {
    q--;
    rest += y;
  }
  while (rest >= <i64>y) {
    q++;
    rest -= y;
  }
  const n = <i32>clz(q);
  return round(minus != 0, exponentOf(a, wide) - exponentOf(b, wide) + 8 - n, (q << n) | (rest ? 1 : 0), wide);
}

function sqrtOf(a: u64, wide: bool): u64 {
  if (isNan(a, wide)) return nanOf(a, a, wide);
  a = operand(a, wide);
  if (!magnitude(a, wide)) return a;
  if (a & signBit(wide)) return invalid(wide);
  if (a == infinity(wide)) return a;
  noteDenormal(a, wide);
  let e = exponentOf(a, wide);
  let x = significand(a, wide) >> 11;
  if (e & 1) {
    x <<= 1;
    e--;
  }
  // A root of 55 bits, corrected by its exact remainder (modulo 2^64).
  let q = <u64>(sqrt<f64>(<f64>x) * <f64>(1 << 28));
  let rest = <i64>((x << 56) - q * q);
  while (rest < 0) {
    q--;
    rest += 2 * q + 1;
  }
  while (rest > <i64>(2 * q)) {
    rest -= 2 * q + 1;
    q++;
  }
  return round(false, e >> 1, (q << 9) | (rest ? 1 : 0), wide);
}

export const EQUAL: u32 = 0;
export const LESS: u32 = 1;
export const GREATER: u32 = 2;
export const UNORDERED: u32 = 3;

/** How a is to b; `quiet`: a quiet NaN is no invalid operand. */
export function compare(a: u64, b: u64, wide: bool, quiet: bool): u32 {
  if (isNan(a, wide) || isNan(b, wide)) {
    if (!quiet || isSignaling(a, wide) || isSignaling(b, wide)) raised |= IE;
    return UNORDERED;
  }
  a = operand(a, wide);
  b = operand(b, wide);
  noteDenormal(a, wide);
  noteDenormal(b, wide);
  return order(a, b, wide);
}
function order(a: u64, b: u64, wide: bool): u32 {
  const sign = signBit(wide);
  const x = a & sign ? -(<i64>magnitude(a, wide)) : <i64>a;
  const y = b & sign ? -(<i64>magnitude(b, wide)) : <i64>b;
  return x < y ? LESS : x > y ? GREATER : EQUAL;
}

/** One lane of a packed operation. */
export function lane(op: u32, a: u64, b: u64, wide: bool): u64 {
  if (op == SQRT) return sqrtOf(b, wide);
  if (isNan(a, wide) || isNan(b, wide)) {
    if (op != MIN && op != MAX) return nanOf(a, b, wide);
    raised |= IE;
    return operand(b, wide);
  }
  a = operand(a, wide);
  b = operand(b, wide);
  if (op == MUL) return mul(a, b, wide);
  if (op == ADD) return add(a, b, wide);
  if (op == SUB) return add(a, b ^ signBit(wide), wide);
  if (op == DIV) return div(a, b, wide);
  noteDenormal(a, wide);
  noteDenormal(b, wide);
  return order(a, b, wide) == (op == MIN ? LESS : GREATER) ? a : b;
}

// Conversions -------------------------------------------------------------------------------------------------------
export function toSingle(a: u64): u64 {
  const minus = (a >> 32) & 0x80000000;
  if (isNan(a, true)) {
    if (isSignaling(a, true)) raised |= IE;
    return minus | 0x7fc00000 | ((a >> 29) & 0x3fffff);
  }
  a = operand(a, true);
  const m = magnitude(a, true);
  if (!m) return minus;
  if (m == 0x7ff0000000000000) return minus | 0x7f800000;
  noteDenormal(a, true);
  return round(minus != 0, exponentOf(a, true), significand(a, true), false);
}

export function toDouble(a: u64): u64 {
  const minus = (a & 0x80000000) << 32;
  if (isNan(a, false)) {
    if (isSignaling(a, false)) raised |= IE;
    return minus | 0x7ff8000000000000 | ((a & 0x3fffff) << 29);
  }
  a = operand(a, false);
  const m = magnitude(a, false);
  if (!m) return minus;
  if (m == 0x7f800000) return minus | 0x7ff0000000000000;
  noteDenormal(a, false);
  return round(minus != 0, exponentOf(a, false), significand(a, false), true);
}

export function intToSingle(a: i32): u64 {
  if (!a) return 0;
  const m = <u64>(a < 0 ? -(<i64>a) : <i64>a);
  const n = <i32>clz(m);
  return round(a < 0, 63 - n, m << n, false);
}

/** To a 32-bit integer; 0x80000000 where there is none (SDM vol. 1, 11.5.2.1). */
export function toInt(v: f64, mode: u32): i32 {
  const r = mode == NEAREST ? nearest<f64>(v) : mode == DOWN ? floor<f64>(v) : mode == UP ? ceil<f64>(v) : trunc<f64>(v);
  if (!(r >= -2147483648.0 && r <= 2147483647.0)) {
    raised |= IE;
    return i32.MIN_VALUE;
  }
  if (r != v) raised |= PE;
  return <i32>r;
}
