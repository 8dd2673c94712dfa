// WebAssembly's operators without immediates (but lanes), by their names: their encoding and the type of their result.
import { f32, f64, i32, i64, type ValueType, v128 } from './types.ts';

/** Opcode, or (prefix << 16 | opcode) of an operator with a prefix; `lanes`: bytes of immediates. */
export interface Operator {
  readonly name: string;
  readonly code: number;
  readonly type: ValueType;
  readonly lanes: number;
}

const SIMD = 0xfd;
const MISC = 0xfc;
const table = new Map<string, Operator>();

function add(name: string, code: number, type: ValueType, lanes = 0): void {
  table.set(name, { name, code, type, lanes });
}

/** Names in the order of their opcodes from `first` on. */
function run(first: number, type: ValueType, prefix: string, names: string): void {
  names.split(' ').forEach((name, k) => {
    add(`${prefix}.${name}`, first + k, type);
  });
}

const COMPARE = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
const INTEGER = 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr';
const FLOAT_COMPARE = 'eq ne lt gt le ge';
const FLOAT = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign';

run(0x45, i32, 'i32', `eqz ${COMPARE}`);
run(0x50, i32, 'i64', `eqz ${COMPARE}`);
run(0x5b, i32, 'f32', FLOAT_COMPARE);
run(0x61, i32, 'f64', FLOAT_COMPARE);
run(0x67, i32, 'i32', INTEGER);
run(0x79, i64, 'i64', INTEGER);
run(0x8b, f32, 'f32', FLOAT);
run(0x99, f64, 'f64', FLOAT);
run(0xa7, i32, 'i32', 'wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u');
run(0xac, i64, 'i64', 'extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u');
run(0xb2, f32, 'f32', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64');
run(0xb7, f64, 'f64', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32');
run(0xbc, i32, 'i32', 'reinterpret_f32');
run(0xbd, i64, 'i64', 'reinterpret_f64');
run(0xbe, f32, 'f32', 'reinterpret_i32');
run(0xbf, f64, 'f64', 'reinterpret_i64');
run(0xc0, i32, 'i32', 'extend8_s extend16_s');
run(0xc2, i64, 'i64', 'extend8_s extend16_s extend32_s');
const SATURATING = 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u';
run(MISC << 16, i32, 'i32', SATURATING);
run((MISC << 16) | 4, i64, 'i64', SATURATING);

const simd = (code: number, names: string, prefix: string, type: ValueType = v128) => run((SIMD << 16) | code, type, prefix, names);
add('i8x16.shuffle', (SIMD << 16) | 0x0d, v128, 16);
simd(0x0e, 'swizzle', 'i8x16');
['i8x16', 'i16x8', 'i32x4', 'i64x2', 'f32x4', 'f64x2'].forEach((shape, k) => {
  simd(0x0f + k, 'splat', shape);
});
const lanes = (code: number, name: string, type: ValueType) => add(name, (SIMD << 16) | code, type, 1);
lanes(0x15, 'i8x16.extract_lane_s', i32);
lanes(0x16, 'i8x16.extract_lane_u', i32);
lanes(0x17, 'i8x16.replace_lane', v128);
lanes(0x18, 'i16x8.extract_lane_s', i32);
lanes(0x19, 'i16x8.extract_lane_u', i32);
lanes(0x1a, 'i16x8.replace_lane', v128);
lanes(0x1b, 'i32x4.extract_lane', i32);
lanes(0x1c, 'i32x4.replace_lane', v128);
lanes(0x1d, 'i64x2.extract_lane', i64);
lanes(0x1e, 'i64x2.replace_lane', v128);
lanes(0x1f, 'f32x4.extract_lane', f32);
lanes(0x20, 'f32x4.replace_lane', v128);
lanes(0x21, 'f64x2.extract_lane', f64);
lanes(0x22, 'f64x2.replace_lane', v128);
simd(0x23, COMPARE, 'i8x16');
simd(0x2d, COMPARE, 'i16x8');
simd(0x37, COMPARE, 'i32x4');
simd(0x41, FLOAT_COMPARE, 'f32x4');
simd(0x47, FLOAT_COMPARE, 'f64x2');
simd(0x4d, 'not and andnot or xor bitselect', 'v128');
simd(0x53, 'any_true', 'v128', i32);
simd(0x5e, 'demote_f64x2_zero', 'f32x4');
simd(0x5f, 'promote_low_f32x4', 'f64x2');
simd(0x60, 'abs neg popcnt', 'i8x16');
simd(0x63, 'all_true bitmask', 'i8x16', i32);
simd(0x65, 'narrow_i16x8_s narrow_i16x8_u', 'i8x16');
simd(0x6b, 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u', 'i8x16');
simd(0x76, 'min_s min_u max_s max_u', 'i8x16');
simd(0x7b, 'avgr_u', 'i8x16');
simd(0x7c, 'extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u', 'i16x8');
simd(0x7e, 'extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u', 'i32x4');
simd(0x80, 'abs neg q15mulr_sat_s', 'i16x8');
simd(0x83, 'all_true bitmask', 'i16x8', i32);
simd(
  0x85,
  'narrow_i32x4_s narrow_i32x4_u extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u',
  'i16x8',
);
simd(0x95, 'mul min_s min_u max_s max_u', 'i16x8');
simd(0x9b, 'avgr_u extmul_low_i8x16_s extmul_high_i8x16_s extmul_low_i8x16_u extmul_high_i8x16_u', 'i16x8');
simd(0xa0, 'abs neg', 'i32x4');
simd(0xa3, 'all_true bitmask', 'i32x4', i32);
simd(0xa7, 'extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u shl shr_s shr_u add', 'i32x4');
simd(0xb1, 'sub', 'i32x4');
simd(0xb5, 'mul min_s min_u max_s max_u dot_i16x8_s', 'i32x4');
simd(0xbc, 'extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u', 'i32x4');
simd(0xc0, 'abs neg', 'i64x2');
simd(0xc3, 'all_true bitmask', 'i64x2', i32);
simd(0xc7, 'extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u shl shr_s shr_u add', 'i64x2');
simd(0xd1, 'sub', 'i64x2');
simd(0xd5, 'mul eq ne lt_s gt_s le_s ge_s', 'i64x2');
simd(0xdc, 'extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u', 'i64x2');
simd(0xe0, 'abs neg', 'f32x4');
simd(0xe3, 'sqrt add sub mul div min max pmin pmax', 'f32x4');
simd(0xec, 'abs neg', 'f64x2');
simd(0xef, 'sqrt add sub mul div min max pmin pmax', 'f64x2');
simd(0xf8, 'trunc_sat_f32x4_s trunc_sat_f32x4_u', 'i32x4');
simd(0xfa, 'convert_i32x4_s convert_i32x4_u', 'f32x4');
simd(0xfc, 'trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero', 'i32x4');
simd(0xfe, 'convert_low_i32x4_s convert_low_i32x4_u', 'f64x2');

export const OPERATORS: ReadonlyMap<string, Operator> = table;
