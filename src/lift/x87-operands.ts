// Operands of x87 instructions: registers of the stack, and numbers of memory in the extended format (SDM vol. 1, 4.2, 8.1.2).
import type { Value } from '../ir/types.ts';
import { Cpu } from '../layout/cpu.ts';
import type { Lifter } from './lifter.ts';

/** A number in the extended format. */
export interface Real {
  /** Significand (i64). */
  readonly sig: Value;
  /** Sign (bit 15) and exponent (i32). */
  readonly se: Value;
  /** Exceptions of its conversion: DE or 0 (i32). */
  readonly exc: Value;
}

export const SIGN = 0x8000;
export const EXP_MAX = 0x7fff;
const DE = 2;

const MSB = 1n << 63n;
const BIAS = 0x3fff;
const REGISTER_SHIFT = 4;

/** Of a helper's answer: an unmasked exception keeps the stack as it is. */
export const STAYS = 1;
export const C1 = 0x200;

/** Whatever an instruction finds, it sets C1 anew. */
export const clearC1 = (x: Lifter): void => x.setState(Cpu.at.fsw, x.b.and(x.state(Cpu.at.fsw), x.b.const(~C1)));

/** Number of the register that ST(i) is. */
export function register(x: Lifter, i: Value): Value {
  const top = x.state(Cpu.at.ftop);
  return x.b.known(i) === 0 ? top : x.b.and(x.b.add(top, i), x.b.const(7));
}

/** Its address, less Cpu.at.fpr. */
export const registerAt = (x: Lifter, register: Value): Value => x.b.add(x.cpu(), x.b.shl(register, x.b.const(REGISTER_SHIFT)));

/** What the register holds, whether it is in use or not. */
export function readRegister(x: Lifter, register: Value): Real {
  const { b } = x;
  const at = registerAt(x, register);
  return { sig: x.stateAt('i64', 8, at, Cpu.at.fpr), se: x.stateAt('i32', 2, at, Cpu.at.fpr + 8), exc: b.const(0) };
}

/** 1 where all of the registers are in use. */
export function inUse(x: Lifter, ...registers: readonly Value[]): Value {
  const { b } = x;
  const tags = x.state(Cpu.at.ftw);
  return b.and(
    registers.map((n) => b.shr_u(tags, n)).reduce((all, one) => b.and(all, one)),
    b.const(1),
  );
}

/** Pops `pops` registers where `stays` is 0, none where it is 1. */
export function pop(x: Lifter, pops: number, stays: Value): void {
  if (pops === 0) return;
  const { b } = x;
  const top = x.state(Cpu.at.ftop);
  const last = b.and(b.add(top, b.const(pops - 1)), b.const(7));
  const bits = b.or(b.shl(b.const(1), top), b.shl(b.const(1), last));
  const goes = b.sub(stays, b.const(1));
  x.setState(Cpu.at.ftw, b.and(x.state(Cpu.at.ftw), b.xor(b.and(bits, goes), b.const(-1))));
  x.setState(Cpu.at.ftop, b.and(b.add(top, b.and(goes, b.const(pops))), b.const(7)));
}

/** An IEEE real of `bits` bits with `fraction` bits of fraction (i64). */
function widen(x: Lifter, value: Value, bits: 32 | 64, fraction: 23 | 52): Real {
  const { b } = x;
  const exponents = bits - 1 - fraction;
  const top = (1 << exponents) - 1;
  const bias = BIAS - (top >> 1);
  const shift = (by: number) => b.op('i32.wrap_i64', b.op('i64.shr_u', value, b.const64(BigInt(by))));
  const sign = b.and(shift(bits - 16), b.const(SIGN));
  const exp = b.and(shift(fraction), b.const(top));
  // The integer bit's place is free.
  const part = b.op('i64.shr_u', b.op('i64.shl', value, b.const64(BigInt(64 - fraction))), b.const64(1n));
  const leading = b.op('i64.clz', part);
  const isZero = b.op('i64.eqz', part);
  const small = b.eqz(exp);
  // Denormals are normal in the extended format; infinities and NaNs keep the greatest exponent.
  const denormal = b.select(isZero, b.const(0), b.sub(b.const(bias + 1), b.op('i32.wrap_i64', leading)));
  const normal = b.add(exp, b.select(b.eq(exp, b.const(top)), b.const(EXP_MAX - top), b.const(bias)));
  return {
    sig: b.select(small, b.op('i64.shl', part, leading), b.op('i64.or', part, b.const64(MSB))),
    se: b.or(sign, b.select(small, denormal, normal)),
    exc: b.mul(b.and(small, b.eqz(isZero)), b.const(DE)),
  };
}

/** A signed integer (i64). */
export function widenInteger(x: Lifter, value: Value): Real {
  const { b } = x;
  const negative = b.op('i64.shr_s', value, b.const64(63n));
  const magnitude = b.op('i64.sub', b.op('i64.xor', value, negative), negative);
  const leading = b.op('i64.clz', magnitude);
  const sign = b.and(b.op('i32.wrap_i64', negative), b.const(SIGN));
  const exp = b.sub(b.const(BIAS + 63), b.op('i32.wrap_i64', leading));
  return {
    sig: b.op('i64.shl', magnitude, leading),
    se: b.select(b.op('i64.eqz', magnitude), b.const(0), b.or(sign, exp)),
    exc: b.const(0),
  };
}

/** The memory operand: m32fp or m64fp. */
export function readReal(x: Lifter): Real {
  if (x.op(0).size === 8) return widen(x, x.read(0), 64, 52);
  return widen(x, x.b.op('i64.extend_i32_u', x.read(0)), 32, 23);
}
/** The memory operand: m16int, m32int or m64int. */
export const readInteger = (x: Lifter): Real =>
  widenInteger(x, x.op(0).size === 8 ? x.read(0) : x.b.op('i64.extend_i32_s', x.readSigned(0)));

/** The memory operand: m80fp, or packed BCD as it is. */
export function readExtended(x: Lifter): Real {
  const { b } = x;
  const linear = x.linear(0, 10, false);
  return { sig: x.load('i64', 8, linear), se: x.load('i32', 2, b.add(linear, b.const(8))), exc: b.const(0) };
}
