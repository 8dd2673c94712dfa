// Binary integer arithmetic (SDM vol. 1, 7.3.2). Memory is written before flags and registers: a locked form may have
// to start again at its write, and must not have changed anything by then.
import type { FlagKind, Value } from '../ir/types.ts';
import { Gpr, Vector } from '../layout/cpu.ts';
import type { Lifter, LiftTable } from './lifter.ts';
import { widthOf } from './shared.ts';

/** Result of a two-operand instruction. */
type Compute = (x: Lifter, a: Value, b: Value) => Value;

// ADD | ADC | SUB | SBB  r/m, r/imm | r, r/m
const binary =
  (kind: FlagKind, compute: Compute) =>
  (x: Lifter): void => {
    const a = x.readRmw(0);
    const b = x.read(1);
    const r = compute(x, a, b);
    x.write(0, r);
    x.flags(kind, widthOf(x), a, b, r);
  };

// CMP r/m, r/imm | r, r/m
function cmp(x: Lifter): void {
  const a = x.read(0);
  const b = x.read(1);
  x.flags('sub', widthOf(x), a, b, x.b.sub(a, b));
}

// INC | DEC r/m: CF stays
const step =
  (kind: 'inc' | 'dec', by: 1 | -1) =>
  (x: Lifter): void => {
    const a = x.readRmw(0);
    const r = x.b.add(a, x.b.const(by));
    x.write(0, r);
    x.flags(kind, widthOf(x), a, x.b.const(1), r);
  };

// NEG r/m: 0 - r/m
function neg(x: Lifter): void {
  const zero = x.b.const(0);
  const a = x.readRmw(0);
  const r = x.b.sub(zero, a);
  x.write(0, r);
  x.flags('sub', widthOf(x), zero, a, r);
}

// XADD r/m, r: the sum goes to r/m, what r/m was to r (of the same register twice, the sum stays: it is written last)
function xadd(x: Lifter): void {
  const a = x.readRmw(0);
  const b = x.read(1);
  const r = x.b.add(a, b);
  if (x.op(0).kind === 'm') {
    x.write(0, r);
    x.write(1, a);
  } else {
    x.write(1, a);
    x.write(0, r);
  }
  x.flags('add', widthOf(x), a, b, r);
}

// CMPXCHG r/m, r: memory is written in any case (SDM vol. 2), the accumulator where they differ
function cmpxchg(x: Lifter): void {
  const { b } = x;
  const size = x.op(0).size;
  const destination = x.readRmw(0);
  const accumulator = x.get(Gpr.EAX, size);
  const source = x.read(1);
  const equal = b.eq(accumulator, destination);
  x.write(0, b.select(equal, source, destination));
  // Equal: the accumulator is rewritten with what it holds by now (which is `source` for CMPXCHG EAX, r).
  x.set(Gpr.EAX, size, b.select(equal, x.get(Gpr.EAX, size), destination));
  x.flags('sub', widthOf(x), accumulator, destination, b.sub(accumulator, destination));
}

// CMPXCHG8B m64: EDX:EAX against memory; only ZF changes
function cmpxchg8b(x: Lifter): void {
  const { b } = x;
  const pair = (high: number, low: number) =>
    b.op('i64.or', b.op('i64.shl', b.op('i64.extend_i32_u', x.get(high)), b.const64(32n)), b.op('i64.extend_i32_u', x.get(low)));
  const memory = x.readRmw(0);
  const expected = pair(Gpr.EDX, Gpr.EAX);
  const equal = b.op('i64.eq', memory, expected);
  x.write(0, b.select(equal, pair(Gpr.ECX, Gpr.EBX), memory));
  x.set(Gpr.EAX, 4, b.op('i32.wrap_i64', memory)); // where equal, these are what EDX:EAX holds already
  x.set(Gpr.EDX, 4, b.op('i32.wrap_i64', b.op('i64.shr_u', memory, b.const64(32n))));
  x.setArith(b.shl(equal, b.const(6)), 0x40);
}

/** CF = OF = `overflow`, the rest by the low half as processors since the P6 do (undefined in the SDM). */
function productFlags(x: Lifter, low: Value, overflow: Value): void {
  const width = widthOf(x);
  const { b } = x;
  x.flagsRX(width === 8 ? b.extend8_s(low) : width === 16 ? b.extend16_s(low) : low, b.shl(overflow, b.const(31)));
}

// MUL r/m: AX = AL * r/m8 | DX:AX = AX * r/m16 | EDX:EAX = EAX * r/m32
function mul(x: Lifter): void {
  const { b } = x;
  const size = x.op(0).size;
  const factor = x.read(0);
  const accumulator = x.get(Gpr.EAX, size);
  if (size === 4) {
    const product = b.op('i64.mul', b.op('i64.extend_i32_u', accumulator), b.op('i64.extend_i32_u', factor));
    const low = b.op('i32.wrap_i64', product);
    const high = b.op('i32.wrap_i64', b.op('i64.shr_u', product, b.const64(32n)));
    x.set(Gpr.EAX, 4, low);
    x.set(Gpr.EDX, 4, high);
    productFlags(x, low, b.ne(high, b.const(0)));
    return;
  }
  const product = b.mul(accumulator, factor);
  const high = b.shr_u(product, b.const(size * 8));
  x.set(Gpr.EAX, 2, product);
  if (size === 2) x.set(Gpr.EDX, 2, high);
  productFlags(x, product, b.ne(high, b.const(0)));
}

// IMUL r/m | IMUL r, r/m | IMUL r, r/m, imm
function imul(x: Lifter): void {
  const { b } = x;
  const size = x.op(0).size;
  const wide = x.n === 1;
  const first = wide ? signedGpr(x, Gpr.EAX, size) : x.readSigned(x.n - 2);
  const second = x.readSigned(x.n - 1);
  if (size === 4) {
    const product = b.op('i64.mul', b.op('i64.extend_i32_s', first), b.op('i64.extend_i32_s', second));
    const low = b.op('i32.wrap_i64', product);
    if (wide) {
      x.set(Gpr.EAX, 4, low);
      x.set(Gpr.EDX, 4, b.op('i32.wrap_i64', b.op('i64.shr_u', product, b.const64(32n))));
    } else x.write(0, low);
    productFlags(x, low, b.op('i64.ne', b.op('i64.extend_i32_s', low), product));
    return;
  }
  const product = b.mul(first, second);
  if (!wide) x.write(0, product);
  else {
    x.set(Gpr.EAX, 2, product);
    if (size === 2) x.set(Gpr.EDX, 2, b.shr_u(product, b.const(16)));
  }
  productFlags(x, product, b.ne(size === 1 ? b.extend8_s(product) : b.extend16_s(product), product));
}

function signedGpr(x: Lifter, reg: number, size: number): Value {
  const v = x.get(reg, size);
  return size === 1 ? x.b.extend8_s(v) : size === 2 ? x.b.extend16_s(v) : v;
}

// DIV r/m: #DE where the divisor is 0 or the quotient does not fit; flags are undefined: they stay
function div(x: Lifter): void {
  const { b } = x;
  const size = x.op(0).size;
  const divisor = x.read(0);
  if (size === 4) {
    const high = x.get(Gpr.EDX);
    x.raiseIf(b.ge_u(high, divisor), Vector.DE); // is true for a divisor of 0 as well
    const dividend = b.op(
      'i64.or',
      b.op('i64.shl', b.op('i64.extend_i32_u', high), b.const64(32n)),
      b.op('i64.extend_i32_u', x.get(Gpr.EAX)),
    );
    const by = b.op('i64.extend_i32_u', divisor);
    const quotient = b.op('i64.div_u', dividend, by);
    const remainder = b.op('i64.sub', dividend, b.op('i64.mul', quotient, by));
    x.set(Gpr.EAX, 4, b.op('i32.wrap_i64', quotient));
    x.set(Gpr.EDX, 4, b.op('i32.wrap_i64', remainder));
    return;
  }
  const dividend = size === 1 ? x.get(Gpr.EAX, 2) : b.or(b.shl(x.get(Gpr.EDX, 2), b.const(16)), x.get(Gpr.EAX, 2));
  x.raiseIf(b.ge_u(b.shr_u(dividend, b.const(size * 8)), divisor), Vector.DE);
  setQuotient(x, size, b.op('i32.div_u', dividend, divisor), b.op('i32.rem_u', dividend, divisor));
}

function setQuotient(x: Lifter, size: number, quotient: Value, remainder: Value): void {
  x.set(Gpr.EAX, size, quotient);
  if (size === 1) x.set(Gpr.EAX, 1, remainder, { high: true });
  else x.set(Gpr.EDX, size, remainder);
}

// IDIV r/m: the quotient is truncated towards 0; #DE as for DIV (also for the one dividend that Wasm's division traps on)
function idiv(x: Lifter): void {
  const { b } = x;
  const size = x.op(0).size;
  const divisor = x.readSigned(0);
  if (size === 4) {
    const high = x.get(Gpr.EDX);
    const low = x.get(Gpr.EAX);
    const least = b.and(b.eqz(low), b.eq(high, b.const(0x80000000)));
    x.raiseIf(b.or(b.eqz(divisor), b.and(least, b.eq(divisor, b.const(-1)))), Vector.DE);
    const dividend = b.op('i64.or', b.op('i64.shl', b.op('i64.extend_i32_u', high), b.const64(32n)), b.op('i64.extend_i32_u', low));
    const by = b.op('i64.extend_i32_s', divisor);
    const quotient = b.op('i64.div_s', dividend, by);
    const narrow = b.op('i32.wrap_i64', quotient);
    x.raiseIf(b.op('i64.ne', b.op('i64.extend_i32_s', narrow), quotient), Vector.DE);
    x.set(Gpr.EAX, 4, narrow);
    x.set(Gpr.EDX, 4, b.op('i32.wrap_i64', b.op('i64.sub', dividend, b.op('i64.mul', quotient, by))));
    return;
  }
  const dividend = size === 1 ? signedGpr(x, Gpr.EAX, 2) : b.or(b.shl(x.get(Gpr.EDX, 2), b.const(16)), x.get(Gpr.EAX, 2));
  const least = b.and(b.eq(dividend, b.const(0x80000000)), b.eq(divisor, b.const(-1)));
  x.raiseIf(b.or(b.eqz(divisor), least), Vector.DE);
  const quotient = b.op('i32.div_s', dividend, divisor);
  x.raiseIf(b.ne(size === 1 ? b.extend8_s(quotient) : b.extend16_s(quotient), quotient), Vector.DE);
  setQuotient(x, size, quotient, b.op('i32.rem_s', dividend, divisor));
}

export const lifts: LiftTable = {
  add: binary('add', (x, a, b) => x.b.add(a, b)),
  adc: binary('adc', (x, a, b) => x.b.add(x.b.add(a, b), x.cond('b'))),
  sub: binary('sub', (x, a, b) => x.b.sub(a, b)),
  sbb: binary('sbb', (x, a, b) => x.b.sub(x.b.sub(a, b), x.cond('b'))),
  cmp,
  inc: step('inc', 1),
  dec: step('dec', -1),
  neg,
  xadd,
  cmpxchg,
  cmpxchg8b,
  mul,
  imul,
  div,
  idiv,
};
