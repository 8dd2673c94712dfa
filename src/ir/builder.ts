// Builds IR: appends operations and folds constants on the way, so that lifts can be written plainly.
import type { Code, Op } from './operations.ts';
import { operatorOf, resultType } from './operators.ts';
import { ADDRESS, type Type, type Value } from './types.ts';

/** Operators over guest addresses. */
const AT = { add: `${ADDRESS}.add`, and: `${ADDRESS}.and`, shl: `${ADDRESS}.shl` } as const;

export class Builder {
  readonly code: Code = { ops: [] };

  push(op: Op): Value {
    return this.code.ops.push(op) - 1;
  }

  /** The constant that `v` is, if it is an i32 constant. */
  known(v: Value): number | undefined {
    const op = this.code.ops[v]!;
    return op.kind === 'const' && op.type === 'i32' ? (op.value as number) : undefined;
  }

  const(value: number): Value {
    return this.push({ kind: 'const', type: 'i32', value: value | 0 });
  }
  const64(value: bigint): Value {
    return this.push({ kind: 'const', type: 'i64', value: BigInt.asIntN(64, value) });
  }
  constV128(value: Uint8Array): Value {
    return this.push({ kind: 'const', type: 'v128', value });
  }

  /** An operator over guest addresses, whose type is ADDRESS. */
  address(operator: keyof typeof AT, a: Value, b: Value): Value {
    return this.binary(AT[operator], a, b);
  }

  /** Any operator without effects; the last argument may be `{imm}` for lane numbers and shuffle masks. */
  op(name: string, ...args: (Value | { imm: number | readonly number[] })[]): Value {
    const last = args.at(-1);
    if (typeof last === 'object') return this.pure(name, args.slice(0, -1) as Value[], last.imm);
    if (args.length === 2) return this.binary(name, args[0] as Value, args[1] as Value);
    return this.pure(name, args as Value[]);
  }

  private binary(name: string, a: Value, b: Value): Value {
    const { fold, neutral, result } = operatorOf(name);
    if (fold !== undefined) {
      const x = this.known(a);
      const y = this.known(b);
      if (x !== undefined && y !== undefined) return this.const(fold(x, y));
      if (neutral !== undefined && y === neutral.value) return a;
      if (neutral?.either && x === neutral.value) return b;
    }
    return this.push({ kind: 'pure', type: result, name, args: [a, b] });
  }

  private pure(name: string, args: readonly Value[], imm?: number | readonly number[]): Value {
    const type = resultType(name, args, this.type);
    return this.push(imm === undefined ? { kind: 'pure', type, name, args } : { kind: 'pure', type, name, args, imm });
  }
  private readonly type = (v: Value): Type => (this.code.ops[v] as { type: Type }).type;

  select(cond: Value, a: Value, b: Value): Value {
    return this.pure('select', [cond, a, b]);
  }

  add(a: Value, b: Value): Value {
    return this.binary('i32.add', a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.binary('i32.sub', a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.binary('i32.mul', a, b);
  }
  and(a: Value, b: Value): Value {
    return this.binary('i32.and', a, b);
  }
  or(a: Value, b: Value): Value {
    return this.binary('i32.or', a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.binary('i32.xor', a, b);
  }
  shl(a: Value, b: Value): Value {
    return this.binary('i32.shl', a, b);
  }
  shr_u(a: Value, b: Value): Value {
    return this.binary('i32.shr_u', a, b);
  }
  shr_s(a: Value, b: Value): Value {
    return this.binary('i32.shr_s', a, b);
  }
  rotl(a: Value, b: Value): Value {
    return this.binary('i32.rotl', a, b);
  }
  rotr(a: Value, b: Value): Value {
    return this.binary('i32.rotr', a, b);
  }
  eq(a: Value, b: Value): Value {
    return this.binary('i32.eq', a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.binary('i32.ne', a, b);
  }
  lt_u(a: Value, b: Value): Value {
    return this.binary('i32.lt_u', a, b);
  }
  lt_s(a: Value, b: Value): Value {
    return this.binary('i32.lt_s', a, b);
  }
  gt_u(a: Value, b: Value): Value {
    return this.binary('i32.gt_u', a, b);
  }
  gt_s(a: Value, b: Value): Value {
    return this.binary('i32.gt_s', a, b);
  }
  le_u(a: Value, b: Value): Value {
    return this.binary('i32.le_u', a, b);
  }
  le_s(a: Value, b: Value): Value {
    return this.binary('i32.le_s', a, b);
  }
  ge_u(a: Value, b: Value): Value {
    return this.binary('i32.ge_u', a, b);
  }
  ge_s(a: Value, b: Value): Value {
    return this.binary('i32.ge_s', a, b);
  }
  eqz(a: Value): Value {
    return this.pure('i32.eqz', [a]);
  }
  clz(a: Value): Value {
    return this.pure('i32.clz', [a]);
  }
  ctz(a: Value): Value {
    return this.pure('i32.ctz', [a]);
  }
  popcnt(a: Value): Value {
    return this.pure('i32.popcnt', [a]);
  }
  extend8_s(a: Value): Value {
    return this.pure('i32.extend8_s', [a]);
  }
  extend16_s(a: Value): Value {
    return this.pure('i32.extend16_s', [a]);
  }
}
