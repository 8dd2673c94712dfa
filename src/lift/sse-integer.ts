// Packed integer arithmetic of MMX and SSE2: one definition for both widths. An mm operand goes through the low half of a vector.
import type { Value } from '../ir/types.ts';
import type { Lift, Lifter, LiftTable } from './lifter.ts';
import { aligned, dwords4, fromLow64, half, low64, mmxCheck, mmxEnter, sseCheck, vector, writeMmx, zero } from './sse-common.ts';

type Operation = (x: Lifter, a: Value, b: Value) => Value;
const low: (x: Lifter, r: Value) => Value = (x, r) => half(x, r, 0);

/** op mm1, mm2/m64 and op xmm1, xmm2/m128. `part` takes the mm result out of the vector. */
function packed(op: Operation, part = low): Lift {
  return (x) => {
    if (x.op(0).kind === 'mm') {
      mmxCheck(x);
      // The unpack instructions load 32 bits only (SDM vol. 2, PUNPCKLBW).
      const second = x.op(1).size === 4 ? x.b.op('i64.extend_i32_u', x.read(1)) : x.read(1);
      const r = part(x, op(x, fromLow64(x, x.read(0)), fromLow64(x, second)));
      mmxEnter(x);
      writeMmx(x, 0, r);
    } else {
      sseCheck(x);
      const second = vector(x, 1);
      x.write(0, op(x, x.read(0), second));
    }
  };
}
/** A single Wasm operator. */
const operator = (name: string): Lift => packed((x, a, b) => x.b.op(name, a, b));

/** An operator over the lanes of both operands in a row: for mm that is one vector, [a, b]. */
const narrowing =
  (name: string): Lift =>
  (x) => {
    if (x.op(0).kind === 'xmm') return operator(name)(x);
    mmxCheck(x);
    const second = x.read(1);
    const both = x.b.op('i64x2.replace_lane', fromLow64(x, x.read(0)), second, { imm: 1 });
    mmxEnter(x);
    writeMmx(x, 0, half(x, x.b.op(name, both, both)));
  };

/** Byte numbers that interleave lanes of `size` bytes from byte `from` on. */
function interleaved(size: number, from: number): number[] {
  const lanes: number[] = [];
  for (let at = from; at < from + 8; at += size) for (const base of [0, 16]) for (let i = 0; i < size; i++) lanes.push(base + at + i);
  return lanes;
}
const shuffle =
  (lanes: readonly number[]): Operation =>
  (x, a, b) =>
    x.b.op('i8x16.shuffle', a, b, { imm: lanes });
const unpackLow = (size: number): Lift => packed(shuffle(interleaved(size, 0)));
/** The high lanes of an mm register are interleaved in the upper half of what the low lanes of a vector give. */
const unpackHigh =
  (size: number): Lift =>
  (x) =>
    x.op(0).kind === 'mm' ? packed(shuffle(interleaved(size, 0)), (y, r) => half(y, r, 1))(x) : packed(shuffle(interleaved(size, 8)))(x);

/** The high halves of products of 16-bit lanes. */
const highProducts = (sign: 's' | 'u'): Lift =>
  packed((x, a, b) => {
    const [l, h] = [x.b.op(`i32x4.extmul_low_i16x8_${sign}`, a, b), x.b.op(`i32x4.extmul_high_i16x8_${sign}`, a, b)];
    return x.b.op('i8x16.shuffle', l, h, { imm: [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31] });
  });

/** PMULUDQ: products of the even 32-bit lanes. */
const pmuludq: Operation = (x, a, b) => {
  const even = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];
  const of = (v: Value) => x.b.op('i8x16.shuffle', v, v, { imm: even });
  return x.b.op('i64x2.extmul_low_i32x4_u', of(a), of(b));
};

/** PSADBW: the sum of absolute differences of each eight bytes. */
const psadbw: Operation = (x, a, b) => {
  const { b: o } = x;
  const differences = o.op('i8x16.sub', o.op('i8x16.max_u', a, b), o.op('i8x16.min_u', a, b));
  const sums = o.op('i32x4.extadd_pairwise_i16x8_u', o.op('i16x8.extadd_pairwise_i8x16_u', differences));
  const total = o.op('i64x2.add', sums, o.op('i64x2.shr_u', sums, o.const(32)));
  return o.op('v128.and', total, dwords4(x, [0xffff, 0, 0xffff, 0]));
};

/** Shift counts are 64 bits wide, and 8 as an immediate; counts beyond the lane give zeros, or signs for the arithmetic ones. */
function shift(lanes: 'i16x8' | 'i32x4' | 'i64x2', operation: 'shl' | 'shr_u' | 'shr_s'): Lift {
  const bits = { i16x8: 16, i32x4: 32, i64x2: 64 }[lanes];
  return (x) => {
    const { b } = x;
    const mmx = x.op(0).kind === 'mm';
    if (mmx) mmxCheck(x);
    else sseCheck(x);
    let count: Value;
    let beyond: Value;
    if (x.op(1).kind === 'i') {
      count = b.and(x.imm(1), b.const(0xff));
      beyond = b.gt_u(count, b.const(bits - 1));
    } else {
      if (x.op(1).size === 16 && x.op(1).kind === 'm') aligned(x, 1, false);
      const wide = x.op(1).kind === 'm' && x.op(1).size === 16 ? half(x, x.read(1)) : low64(x, 1);
      count = b.op('i32.wrap_i64', wide);
      beyond = b.op('i64.gt_u', wide, b.const64(BigInt(bits - 1)));
    }
    const v = mmx ? fromLow64(x, x.read(0)) : x.read(0);
    const r =
      operation === 'shr_s'
        ? b.op(`${lanes}.shr_s`, v, b.select(beyond, b.const(bits - 1), count))
        : b.select(beyond, zero(x), b.op(`${lanes}.${operation}`, v, count));
    if (!mmx) return x.write(0, r);
    mmxEnter(x);
    writeMmx(x, 0, half(x, r));
  };
}

/** PSLLDQ, PSRLDQ: the whole register by bytes. Indices of a swizzle that are out of range give zeros. */
const shiftBytes =
  (direction: 'add' | 'sub'): Lift =>
  (x) => {
    sseCheck(x);
    const { b } = x;
    const imm = b.and(x.imm(1), b.const(0xff));
    const count = b.select(b.gt_u(imm, b.const(15)), b.const(16), imm);
    const identity = b.constV128(Uint8Array.from({ length: 16 }, (_, i) => i));
    x.write(0, b.op('i8x16.swizzle', x.read(0), b.op(`i8x16.${direction}`, identity, b.op('i8x16.splat', count))));
  };

export const lifts: LiftTable = {
  paddb: operator('i8x16.add'),
  paddw: operator('i16x8.add'),
  paddd: operator('i32x4.add'),
  paddq: operator('i64x2.add'),
  paddsb: operator('i8x16.add_sat_s'),
  paddsw: operator('i16x8.add_sat_s'),
  paddusb: operator('i8x16.add_sat_u'),
  paddusw: operator('i16x8.add_sat_u'),
  psubb: operator('i8x16.sub'),
  psubw: operator('i16x8.sub'),
  psubd: operator('i32x4.sub'),
  psubq: operator('i64x2.sub'),
  psubsb: operator('i8x16.sub_sat_s'),
  psubsw: operator('i16x8.sub_sat_s'),
  psubusb: operator('i8x16.sub_sat_u'),
  psubusw: operator('i16x8.sub_sat_u'),
  pmullw: operator('i16x8.mul'),
  pmulhw: highProducts('s'),
  pmulhuw: highProducts('u'),
  pmuludq: packed(pmuludq),
  pmaddwd: operator('i32x4.dot_i16x8_s'),
  psadbw: packed(psadbw),
  pavgb: operator('i8x16.avgr_u'),
  pavgw: operator('i16x8.avgr_u'),
  pminub: operator('i8x16.min_u'),
  pmaxub: operator('i8x16.max_u'),
  pminsw: operator('i16x8.min_s'),
  pmaxsw: operator('i16x8.max_s'),
  pcmpeqb: operator('i8x16.eq'),
  pcmpeqw: operator('i16x8.eq'),
  pcmpeqd: operator('i32x4.eq'),
  pcmpgtb: operator('i8x16.gt_s'),
  pcmpgtw: operator('i16x8.gt_s'),
  pcmpgtd: operator('i32x4.gt_s'),
  pand: operator('v128.and'),
  pandn: packed((x, a, b) => x.b.op('v128.andnot', b, a)),
  por: operator('v128.or'),
  pxor: operator('v128.xor'),
  packsswb: narrowing('i8x16.narrow_i16x8_s'),
  packssdw: narrowing('i16x8.narrow_i32x4_s'),
  packuswb: narrowing('i8x16.narrow_i16x8_u'),
  punpcklbw: unpackLow(1),
  punpcklwd: unpackLow(2),
  punpckldq: unpackLow(4),
  punpcklqdq: unpackLow(8),
  punpckhbw: unpackHigh(1),
  punpckhwd: unpackHigh(2),
  punpckhdq: unpackHigh(4),
  punpckhqdq: unpackHigh(8),
  psllw: shift('i16x8', 'shl'),
  pslld: shift('i32x4', 'shl'),
  psllq: shift('i64x2', 'shl'),
  psrlw: shift('i16x8', 'shr_u'),
  psrld: shift('i32x4', 'shr_u'),
  psrlq: shift('i64x2', 'shr_u'),
  psraw: shift('i16x8', 'shr_s'),
  psrad: shift('i32x4', 'shr_s'),
  pslldq: shiftBytes('sub'),
  psrldq: shiftBytes('add'),
};
