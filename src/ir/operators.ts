// Operators without effects: those of WebAssembly, by its names, a line for all that have the same types. What the builder can do with
// constants stands here too.
import type { Type, Value } from './types.ts';

export interface Operator {
  readonly name: string;
  readonly values: readonly Type[];
  readonly result: Type;
  /** Numbers that stand in the instruction: a lane, or the sixteen of a shuffle. */
  readonly immediates: 0 | 1 | 16;
  /** What it gives for constants, and which constant makes no difference. */
  readonly fold: ((a: number, b: number) => number) | undefined;
  readonly neutral: Neutral | undefined;
}

/** The constant that as second operand leaves the first as it is; and whether it does so as the first, too. */
export interface Neutral {
  readonly value: number;
  readonly either: boolean;
}

/** What an operator gives for constants. */
const FOLD: Readonly<Record<string, (a: number, b: number) => number>> = {
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

const NEUTRAL: Readonly<Record<string, Neutral>> = {
  'i32.add': { value: 0, either: true },
  'i32.sub': { value: 0, either: false },
  'i32.and': { value: -1, either: true },
  'i32.or': { value: 0, either: true },
  'i32.xor': { value: 0, either: true },
  'i32.shl': { value: 0, either: false },
  'i32.shr_u': { value: 0, either: false },
  'i32.shr_s': { value: 0, either: false },
};

const table = new Map<string, Operator>();

/** `prefix` + each of the names; `types`: "i32 i32 -> i32". */
function declare(prefix: string, types: string, names: string, immediates: 0 | 1 | 16 = 0): void {
  const [from, to] = types.split(' -> ') as [string, Type];
  const values = from.split(' ') as Type[];
  for (const suffix of names.split(' ')) {
    const name = `${prefix}.${suffix}`;
    table.set(name, { name, values, result: to, immediates, fold: FOLD[name], neutral: NEUTRAL[name] });
  }
}

const COMPARE = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
const FLOAT_COMPARE = 'eq ne lt gt le ge';

for (const t of ['i32', 'i64'] as const) {
  declare(t, `${t} ${t} -> ${t}`, 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr');
  declare(t, `${t} ${t} -> i32`, COMPARE);
  declare(t, `${t} -> i32`, 'eqz');
  declare(t, `${t} -> ${t}`, 'clz ctz popcnt extend8_s extend16_s');
  for (const f of ['f32', 'f64']) declare(t, `${f} -> ${t}`, `trunc_${f}_s trunc_${f}_u trunc_sat_${f}_s trunc_sat_${f}_u`);
}
declare('i64', 'i64 -> i64', 'extend32_s');
declare('i64', 'i32 -> i64', 'extend_i32_s extend_i32_u');
declare('i32', 'i64 -> i32', 'wrap_i64');
declare('i32', 'f32 -> i32', 'reinterpret_f32');
declare('i64', 'f64 -> i64', 'reinterpret_f64');
for (const t of ['f32', 'f64'] as const) {
  declare(t, `${t} ${t} -> ${t}`, 'add sub mul div min max copysign');
  declare(t, `${t} ${t} -> i32`, FLOAT_COMPARE);
  declare(t, `${t} -> ${t}`, 'abs neg ceil floor trunc nearest sqrt');
  for (const i of ['i32', 'i64']) declare(t, `${i} -> ${t}`, `convert_${i}_s convert_${i}_u`);
}
declare('f32', 'f64 -> f32', 'demote_f64');
declare('f64', 'f32 -> f64', 'promote_f32');
declare('f32', 'i32 -> f32', 'reinterpret_i32');
declare('f64', 'i64 -> f64', 'reinterpret_i64');

const V1 = 'v128 -> v128';
const V2 = 'v128 v128 -> v128';
const SHIFT = 'v128 i32 -> v128';
declare('v128', V1, 'not');
declare('v128', V2, 'and andnot or xor');
declare('v128', 'v128 v128 v128 -> v128', 'bitselect');
declare('v128', 'v128 -> i32', 'any_true');
declare('i8x16', V2, 'swizzle');
declare('i8x16', V2, 'shuffle', 16);
for (const [shape, lane] of [
  ['i8x16', 'i32'],
  ['i16x8', 'i32'],
  ['i32x4', 'i32'],
  ['i64x2', 'i64'],
  ['f32x4', 'f32'],
  ['f64x2', 'f64'],
] as const) {
  declare(shape, `${lane} -> v128`, 'splat');
  declare(shape, `v128 -> ${lane}`, shape === 'i8x16' || shape === 'i16x8' ? 'extract_lane_s extract_lane_u' : 'extract_lane', 1);
  declare(shape, `v128 ${lane} -> v128`, 'replace_lane', 1);
  declare(shape, V1, 'abs neg');
  declare(shape, V2, 'add sub');
  if (shape.startsWith('f')) continue;
  declare(shape, SHIFT, 'shl shr_s shr_u');
  declare(shape, 'v128 -> i32', 'all_true bitmask');
}
for (const shape of ['i8x16', 'i16x8', 'i32x4']) declare(shape, V2, `${COMPARE} min_s min_u max_s max_u`);
for (const shape of ['i8x16', 'i16x8']) declare(shape, V2, 'add_sat_s add_sat_u sub_sat_s sub_sat_u avgr_u');
for (const [shape, half] of [
  ['i16x8', 'i8x16'],
  ['i32x4', 'i16x8'],
  ['i64x2', 'i32x4'],
]) {
  declare(shape!, V1, `extend_low_${half}_s extend_high_${half}_s extend_low_${half}_u extend_high_${half}_u`);
  declare(shape!, V2, `mul extmul_low_${half}_s extmul_high_${half}_s extmul_low_${half}_u extmul_high_${half}_u`);
}
declare('i8x16', V1, 'popcnt');
declare('i8x16', V2, 'narrow_i16x8_s narrow_i16x8_u');
declare('i16x8', V1, 'extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u');
declare('i16x8', V2, 'narrow_i32x4_s narrow_i32x4_u q15mulr_sat_s');
declare('i32x4', V1, 'extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u');
declare('i32x4', V1, 'trunc_sat_f32x4_s trunc_sat_f32x4_u trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero');
declare('i32x4', V2, 'dot_i16x8_s');
declare('i64x2', V2, 'eq ne lt_s gt_s le_s ge_s');
for (const shape of ['f32x4', 'f64x2']) {
  declare(shape, V1, 'sqrt');
  declare(shape, V2, `${FLOAT_COMPARE} mul div min max pmin pmax`);
}
declare('f32x4', V1, 'convert_i32x4_s convert_i32x4_u demote_f64x2_zero');
declare('f64x2', V1, 'convert_low_i32x4_s convert_low_i32x4_u promote_low_f32x4');

/** By name. `select` is not among them: its type is that of what it selects. */
export const OPERATORS: ReadonlyMap<string, Operator> = table;

export function operatorOf(name: string): Operator {
  const found = table.get(name);
  if (found === undefined) throw new Error(`no operator ${name}`);
  return found;
}

/** Type of what an operator gives for these values. */
export const resultType = (name: string, args: readonly Value[], typeOf: (v: Value) => Type): Type =>
  name === 'select' ? typeOf(args[1]!) : operatorOf(name).result;

/** Types that an operator wants; undefined: of the same type as the result. */
export const wantedTypes = (name: string): readonly (Type | undefined)[] =>
  name === 'select' ? ['i32', undefined, undefined] : (table.get(name)?.values ?? []);
