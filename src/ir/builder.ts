// Builds IR: appends operations and folds constants on the way, so that lifts can be written plainly.
import type { Code, Op, Type, Value } from './types.ts';

/** Result type of a Wasm operator, from its name. */
export function resultType(name: string): Type {
  const [space, operator] = name.split('.') as [string, string];
  if (space === 'i32' || space === 'i64' || space === 'f32' || space === 'f64') {
    if (/^(eq|eqz|ne|lt|gt|le|ge)(_[su])?$/.test(operator)) return 'i32';
    return space;
  }
  if (/^extract_lane/.test(operator)) return space === 'i64x2' ? 'i64' : space === 'f32x4' ? 'f32' : space === 'f64x2' ? 'f64' : 'i32';
  if (/^(any_true|all_true|bitmask)$/.test(operator)) return 'i32';
  return 'v128';
}

const FOLD: Record<string, (a: number, b: number) => number> = {
  'i32.add': (a, b) => a + b,
  'i32.sub': (a, b) => a - b,
  'i32.mul': Math.imul,
  'i32.and': (a, b) => a & b,
  'i32.or': (a, b) => a | b,
  'i32.xor': (a, b) => a ^ b,
  'i32.shl': (a, b) => a << (b & 31),
  'i32.shr_u': (a, b) => a >>> (b & 31),
  'i32.shr_s': (a, b) => a >> (b & 31),
  'i32.eq': (a, b) => Number((a | 0) === (b | 0)),
  'i32.ne': (a, b) => Number((a | 0) !== (b | 0)),
};

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

  /** Any Wasm operator without effects; the last argument may be `{imm}` for lane numbers and shuffle masks. */
  op(name: string, ...args: (Value | { imm: number | readonly number[] })[]): Value {
    const last = args.at(-1);
    const imm = typeof last === 'object' ? last.imm : undefined;
    const values = args.filter((a) => typeof a === 'number');
    const fold = values.length === 2 ? FOLD[name] : undefined;
    if (fold) {
      const a = this.known(values[0]!);
      const b = this.known(values[1]!);
      if (a !== undefined && b !== undefined) return this.const(fold(a, b));
      const neutral = name === 'i32.and' ? -1 : 0;
      if (b === neutral && /\.(add|sub|and|or|xor|shl|shr_u|shr_s)$/.test(name)) return values[0]!;
      if (a === neutral && /\.(add|and|or|xor)$/.test(name)) return values[1]!;
    }
    return this.push({ kind: 'pure', type: resultType(name), name, args: values, ...(imm === undefined ? {} : { imm }) });
  }

  select(cond: Value, a: Value, b: Value): Value {
    const type = (this.code.ops[a] as { type: Type }).type;
    return this.push({ kind: 'pure', type, name: 'select', args: [cond, a, b] });
  }

  add(a: Value, b: Value): Value {
    return this.op('i32.add', a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.op('i32.sub', a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.op('i32.mul', a, b);
  }
  and(a: Value, b: Value): Value {
    return this.op('i32.and', a, b);
  }
  or(a: Value, b: Value): Value {
    return this.op('i32.or', a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.op('i32.xor', a, b);
  }
  shl(a: Value, b: Value): Value {
    return this.op('i32.shl', a, b);
  }
  shr_u(a: Value, b: Value): Value {
    return this.op('i32.shr_u', a, b);
  }
  shr_s(a: Value, b: Value): Value {
    return this.op('i32.shr_s', a, b);
  }
  rotl(a: Value, b: Value): Value {
    return this.op('i32.rotl', a, b);
  }
  rotr(a: Value, b: Value): Value {
    return this.op('i32.rotr', a, b);
  }
  eq(a: Value, b: Value): Value {
    return this.op('i32.eq', a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.op('i32.ne', a, b);
  }
  lt_u(a: Value, b: Value): Value {
    return this.op('i32.lt_u', a, b);
  }
  lt_s(a: Value, b: Value): Value {
    return this.op('i32.lt_s', a, b);
  }
  gt_u(a: Value, b: Value): Value {
    return this.op('i32.gt_u', a, b);
  }
  gt_s(a: Value, b: Value): Value {
    return this.op('i32.gt_s', a, b);
  }
  le_u(a: Value, b: Value): Value {
    return this.op('i32.le_u', a, b);
  }
  le_s(a: Value, b: Value): Value {
    return this.op('i32.le_s', a, b);
  }
  ge_u(a: Value, b: Value): Value {
    return this.op('i32.ge_u', a, b);
  }
  ge_s(a: Value, b: Value): Value {
    return this.op('i32.ge_s', a, b);
  }
  eqz(a: Value): Value {
    return this.op('i32.eqz', a);
  }
  clz(a: Value): Value {
    return this.op('i32.clz', a);
  }
  ctz(a: Value): Value {
    return this.op('i32.ctz', a);
  }
  popcnt(a: Value): Value {
    return this.op('i32.popcnt', a);
  }
  extend8_s(a: Value): Value {
    return this.op('i32.extend8_s', a);
  }
  extend16_s(a: Value): Value {
    return this.op('i32.extend16_s', a);
  }
}
