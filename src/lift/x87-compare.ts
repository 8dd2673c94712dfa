// Comparisons of the x87 (SDM vol. 1, 8.3.6): FCOM, FUCOM, FICOM, FTST, FCOMI and their like. How two numbers compare is computed here, without a
// branch, whatever they are. Only where one is no plain number, or a register is empty, a helper looks at them as well: it raises the exceptions
// and says what becomes of the result (wasm/x87/compare-ops.ts).
import type { Value } from '../ir/types.ts';
import { Cpu } from '../layout/cpu.ts';
import { runtime } from '../runtime/abi.ts';
import type { Lifter } from './lifter.ts';
import { C1, clearC1, EXP_MAX, inUse, pop, type Real, readRegister, register, STAYS } from './x87-operands.ts';

/** Places of the condition codes in the status word; all of them but C1, which a comparison clears. */
const C0 = 8;
const C2 = 10;
const C3 = 14;
const CODES = 0x4500;

/** Exponent - 1: -1 for zeros and denormals. */
const exponent = (x: Lifter, r: Real): Value => x.b.sub(x.b.and(r.se, x.b.const(EXP_MAX)), x.b.const(1));

/** A number as one of 80 bits, two's complement, that is the greater the greater it is; -0 is just below 0. */
function rank(x: Lifter, r: Real): { high: Value; low: Value } {
  const { b } = x;
  const exp = exponent(x, r);
  // Denormals have the exponent of the smallest normal numbers.
  const scale = b.sub(exp, b.shr_s(exp, b.const(31)));
  const negative = b.shr_s(b.shl(r.se, b.const(16)), b.const(31));
  return { high: b.xor(scale, negative), low: b.op('i64.xor', r.sig, b.op('i64.extend_i32_s', negative)) };
}

/** C0 and C3 for a against c, which are numbers. */
function order(x: Lifter, a: Real, c: Real): Value {
  const { b } = x;
  const [rankA, rankC] = [rank(x, a), rank(x, c)];
  const sameHigh = b.eq(rankA.high, rankC.high);
  const less = b.select(sameHigh, b.op('i64.lt_u', rankA.low, rankC.low), b.lt_s(rankA.high, rankC.high));
  const same = b.and(sameHigh, b.op('i64.eq', rankA.low, rankC.low));
  const bothZero = b.op('i64.eqz', b.op('i64.or', a.sig, c.sig));
  return b.select(b.or(same, bothZero), b.const(1 << C3), b.shl(less, b.const(C0)));
}

/** Not 0 for all but zeros and normal numbers, one or the other. */
function special(x: Lifter, r: Real): Value[] {
  const { b } = x;
  // With the integer bit exponents from 1 to the last but one, else 0 alone.
  const integer = b.op('i32.wrap_i64', b.op('i64.shr_s', r.sig, b.const64(63n)));
  return [b.op('i64.gt_s', r.sig, b.const64(0n)), b.le_u(b.xor(exponent(x, r), integer), b.const(~(EXP_MAX - 1)))];
}

/** ST(0) against ST(i), or against `memory`: the condition codes, and STAYS. `quiet`: a QNaN is no exception. */
function compare(x: Lifter, i: Value, quiet: number, memory?: Real): Value {
  const { b } = x;
  const [first, second] = [register(x, b.const(0)), register(x, i)];
  const a = readRegister(x, first);
  const c = memory ?? readRegister(x, second);
  const used = memory === undefined ? inUse(x, first, second) : inUse(x, first);
  const codes = order(x, a, c);
  return x.helperIf([...special(x, a), ...special(x, c), b.eqz(used), c.exc], codes, runtime.fpuCompareSpecial, [
    i,
    c.sig,
    c.se,
    c.exc,
    b.const(quiet),
    codes,
  ]);
}

/** The result goes to the status word. */
export function compareToStatus(x: Lifter, i: Value, quiet: number, pops: number, memory?: Real): void {
  const { b } = x;
  const codes = compare(x, i, quiet, memory);
  x.setState(Cpu.at.fsw, b.or(b.and(x.state(Cpu.at.fsw), b.const(~(CODES | C1))), b.and(codes, b.const(CODES))));
  pop(x, pops, b.and(codes, b.const(STAYS)));
}

/** The result goes to ZF, PF, CF; OF, SF and AF become 0. */
export function compareToFlags(x: Lifter, i: Value, quiet: number, pops: number): void {
  const { b } = x;
  const codes = compare(x, i, quiet);
  const [cf, pf, zf] = [C0, C2, C3].map((n) => b.and(b.shr_u(codes, b.const(n)), b.const(1))) as [Value, Value, Value];
  clearC1(x);
  // R is 0 or 1: its parity is its inverse (see Lifter.setArith).
  x.flagsRX(b.eqz(zf), b.or(b.mul(cf, b.const(0xc0000000)), b.shl(b.xor(pf, zf), b.const(8))));
  pop(x, pops, b.and(codes, b.const(STAYS)));
}

/** FTST: against +0. */
export const zero = (x: Lifter): Real => ({ sig: x.b.const64(0n), se: x.b.const(0), exc: x.b.const(0) });
