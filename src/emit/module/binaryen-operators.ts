// Which function of Binaryen's C API makes which of our operators, with the number that Binaryen gives the operator.
import type { Binaryen } from './binaryen-api.ts';
import { OPERATORS } from './opcodes.ts';

export const Shape = { UNARY: 0, BINARY: 1, EXTRACT: 2, REPLACE: 3, SHUFFLE: 4, TERNARY: 5, SHIFT: 6 } as const;
export type Shape = (typeof Shape)[keyof typeof Shape];
export interface BinaryenOperator {
  readonly shape: Shape;
  readonly op: number;
}

const TYPES: Readonly<Record<string, string>> = { i32: 'int32', i64: 'int64', f32: 'float32', f64: 'float64', v128: 'vec128' };
const typeName = (name: string) => TYPES[name] ?? `vec${name}`;
const VECTOR = /^([if]\d+x\d+|v128)\./;
const UNARY =
  /\.(eqz|clz|ctz|popcnt|abs|neg|ceil|floor|trunc|nearest|sqrt|not|splat|any_true|all_true|bitmask|wrap|promote|demote|reinterpret|convert|trunc_|extend|extadd)/;

function shapeOf(name: string): Shape {
  if (/extract_lane/.test(name)) return Shape.EXTRACT;
  if (/replace_lane/.test(name)) return Shape.REPLACE;
  if (/shuffle/.test(name)) return Shape.SHUFFLE;
  if (/bitselect/.test(name)) return Shape.TERNARY;
  if (VECTOR.test(name) && /\.sh[lr]/.test(name)) return Shape.SHIFT;
  return UNARY.test(name) ? Shape.UNARY : Shape.BINARY;
}

/** Binaryen's names of an operator, of which one exists, in small letters: words, then the sign, then the types. */
function candidates(name: string): string[] {
  const [shape, words] = name.split('.') as [string, string];
  const parts = words.split('_');
  const from = parts.find((part) => /^[if]\d/.test(part));
  const sign = parts.find((part) => part === 's' || part === 'u') ?? '';
  const plain = parts.filter((part) => part !== from && part !== 's' && part !== 'u');
  const base = plain.join('') + sign;
  const to = typeName(shape);
  const narrow = /^extend(8|16|32)$/.exec(plain[0]!);
  if (narrow) return [`extend${sign}${narrow[1]}${to}`];
  if (from === undefined) return [base + to];
  // A product of lanes is named by the type that it gives, every other operator that is named by one of two types by the one that it takes.
  const one = plain[0] === 'extmul' ? to : typeName(from);
  return [`${base}${typeName(from)}to${to}`, `${base}${typeName(from)}to${shape}`, base + one];
}

/** By our opcode. */
export function binaryenOperators(binaryen: Binaryen): ReadonlyMap<number, BinaryenOperator> {
  const numbers = new Map(
    Object.entries(binaryen).flatMap(([key, value]) => (typeof value === 'number' ? [[key.toLowerCase(), value] as const] : [])),
  );
  return new Map(
    [...OPERATORS.values()].map(({ name, code }) => {
      const shape = shapeOf(name);
      const op = shape === Shape.SHUFFLE ? 0 : candidates(name).flatMap((key) => numbers.get(key) ?? [])[0];
      if (op === undefined) throw new Error(`Binaryen has no operator ${name}`);
      return [code, { shape, op }];
    }),
  );
}
