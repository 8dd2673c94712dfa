// Instructions that put lanes of one or two registers in another order, chosen by an immediate or fixed.
// In a region the immediate is known and becomes a constant shuffle; a handler computes the indices of a swizzle from it.
import type { Value } from '../ir/types.ts';
import type { Lift, Lifter, LiftTable } from './lifter.ts';
import { bytes16, dwords4, fromLow64, half, mmxCheck, mmxEnter, sseCheck, vector, words8, writeMmx } from './sse-common.ts';
import { lanes32 } from './sse-move.ts';

const IDENTITY = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const field = (imm: number, i: number): number => (imm >> (2 * i)) & 3;

/** Four selectors of two bits in each 16-bit lane, twice: lane i (and 4 + i) holds bits 2i and 2i + 1 of the immediate. */
function selectors16(x: Lifter, imm: Value): Value {
  const { b } = x;
  const spread = b.op('i16x8.mul', b.op('i16x8.splat', b.and(imm, b.const(0xff))), words8(x, [64, 16, 4, 1, 64, 16, 4, 1]));
  return b.op('v128.and', b.op('i16x8.shr_u', spread, b.const(6)), words8(x, Array(8).fill(3)));
}
/** The same in 32-bit lanes. */
function selectors32(x: Lifter, imm: Value): Value {
  const { b } = x;
  const spread = b.op('i32x4.mul', b.op('i32x4.splat', b.and(imm, b.const(0xff))), dwords4(x, [64, 16, 4, 1]));
  return b.op('v128.and', b.op('i32x4.shr_u', spread, b.const(6)), dwords4(x, Array(4).fill(3)));
}
function indices32(x: Lifter, imm: Value): Value {
  const { b } = x;
  return b.op(
    'i32x4.add',
    b.op('i32x4.mul', selectors32(x, imm), dwords4(x, Array(4).fill(0x04040404))),
    dwords4(x, Array(4).fill(0x03020100)),
  );
}
function indices16(x: Lifter, imm: Value, first: 0 | 8): Value {
  const { b } = x;
  const base = 0x0100 + first * 0x0101;
  return b.op('i16x8.add', b.op('i16x8.mul', selectors16(x, imm), words8(x, Array(8).fill(0x0202))), words8(x, Array(8).fill(base)));
}

/** PSHUFD xmm1, xmm2/m128, imm8 */
const pshufd: Lift = (x) => {
  sseCheck(x);
  const v = vector(x, 1);
  const imm = x.b.known(x.imm(2));
  if (imm === undefined) return x.write(0, x.b.op('i8x16.swizzle', v, indices32(x, x.imm(2))));
  const lanes = lanes32(field(imm, 0), field(imm, 1), field(imm, 2), field(imm, 3));
  x.write(0, x.b.op('i8x16.shuffle', v, v, { imm: lanes }));
};

/** Byte numbers of four 16-bit lanes chosen by an immediate, from the one at byte `first` on. */
const words = (imm: number, first: number): number[] =>
  [0, 1, 2, 3].flatMap((i) => [first + 2 * field(imm, i), first + 2 * field(imm, i) + 1]);

/** PSHUFLW, PSHUFHW xmm1, xmm2/m128, imm8: the other half stays. */
const pshufHalf =
  (first: 0 | 8): Lift =>
  (x) => {
    sseCheck(x);
    const { b } = x;
    const v = vector(x, 1);
    const imm = b.known(x.imm(2));
    if (imm === undefined) {
      const mask = bytes16(x, first ? [...Array(8).fill(0), ...Array(8).fill(255)] : [...Array(8).fill(255), ...Array(8).fill(0)]);
      return x.write(0, b.op('i8x16.swizzle', v, b.op('v128.bitselect', indices16(x, x.imm(2), first), bytes16(x, IDENTITY), mask)));
    }
    const half = words(imm, first);
    const lanes = first ? [...IDENTITY.slice(0, 8), ...half] : [...half, ...IDENTITY.slice(8)];
    x.write(0, b.op('i8x16.shuffle', v, v, { imm: lanes }));
  };

/** PSHUFW mm1, mm2/m64, imm8 */
const pshufw: Lift = (x) => {
  mmxCheck(x);
  const v = fromLow64(x, x.read(1));
  mmxEnter(x);
  writeMmx(x, 0, half(x, x.b.op('i8x16.swizzle', v, indices16(x, x.imm(2), 0))));
};

/** SHUFPS xmm1, xmm2/m128, imm8: two lanes of the first operand, then two of the second. */
const shufps: Lift = (x) => {
  sseCheck(x);
  const { b } = x;
  const second = vector(x, 1);
  const first = x.read(0);
  const imm = b.known(x.imm(2));
  if (imm === undefined) {
    const at = indices32(x, x.imm(2));
    const [low, high] = [b.op('i8x16.swizzle', first, at), b.op('i8x16.swizzle', second, at)];
    return x.write(0, b.op('i8x16.shuffle', low, high, { imm: lanes32(0, 1, 6, 7) }));
  }
  x.write(0, b.op('i8x16.shuffle', first, second, { imm: lanes32(field(imm, 0), field(imm, 1), 4 + field(imm, 2), 4 + field(imm, 3)) }));
};

/** SHUFPD xmm1, xmm2/m128, imm8 */
const shufpd: Lift = (x) => {
  sseCheck(x);
  const { b } = x;
  const second = vector(x, 1);
  const first = x.read(0);
  const imm = x.imm(2);
  const pick = (v: Value, bit: number) => b.select(b.and(imm, b.const(bit)), half(x, v, 1), half(x, v, 0));
  x.write(0, b.op('i64x2.replace_lane', b.op('i64x2.splat', pick(first, 1)), pick(second, 2), { imm: 1 }));
};

/** UNPCKLPS and its like: fixed lanes of both operands. */
const unpack =
  (lanes: readonly number[]): Lift =>
  (x) => {
    sseCheck(x);
    const second = vector(x, 1);
    x.write(0, x.b.op('i8x16.shuffle', x.read(0), second, { imm: lanes }));
  };

/** PINSRW mm/xmm, r32/m16, imm8 */
const pinsrw: Lift = (x) => {
  const { b } = x;
  const mmx = x.op(0).kind === 'mm';
  if (mmx) mmxCheck(x);
  else sseCheck(x);
  const v = b.op('i16x8.splat', x.read(1));
  const lane = b.op('i16x8.splat', b.and(x.imm(2), b.const(mmx ? 3 : 7)));
  const mask = b.op('i16x8.eq', lane, words8(x, [0, 1, 2, 3, 4, 5, 6, 7]));
  const old = mmx ? fromLow64(x, x.read(0)) : x.read(0);
  const r = b.op('v128.bitselect', v, old, mask);
  if (!mmx) return x.write(0, r);
  mmxEnter(x);
  writeMmx(x, 0, half(x, r));
};

/** PEXTRW r32, mm/xmm, imm8 */
const pextrw: Lift = (x) => {
  const { b } = x;
  const mmx = x.op(1).kind === 'mm';
  if (mmx) mmxCheck(x);
  else sseCheck(x);
  const byte = b.shl(b.and(x.imm(2), b.const(mmx ? 3 : 7)), b.const(1));
  const v = x.stateAt('i32', 2, b.add(x.regAddress(1), byte), 0);
  if (mmx) mmxEnter(x);
  x.write(0, v);
};

export const lifts: LiftTable = {
  pshufd,
  pshuflw: pshufHalf(0),
  pshufhw: pshufHalf(8),
  pshufw,
  shufps,
  shufpd,
  unpcklps: unpack(lanes32(0, 4, 1, 5)),
  unpckhps: unpack(lanes32(2, 6, 3, 7)),
  unpcklpd: unpack(lanes32(0, 1, 4, 5)),
  unpckhpd: unpack(lanes32(2, 3, 6, 7)),
  pinsrw,
  pextrw,
};
