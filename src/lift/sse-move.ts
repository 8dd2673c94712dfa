// Moves of SSE, SSE2 and SSE3 that change no bits (SDM vol. 1, 10.4.1, 11.4.1).
import type { Value } from '../ir/types.ts';
import { Gpr } from '../layout/cpu.ts';
import { type RuntimeFunction, runtime } from '../runtime/abi.ts';
import type { Lift, Lifter, LiftTable } from './lifter.ts';
import { x87Pending } from './shared.ts';
import {
  aligned,
  double,
  fromLow32,
  fromLow64,
  half,
  low32,
  low64,
  mmxCheck,
  mmxEnter,
  single,
  sseCheck,
  writeMmx,
  zeroExtended,
} from './sse-common.ts';

/** MOVAPS xmm1, xmm2/m128 and back: memory on its boundary. */
const moveAligned: Lift = (x) => {
  sseCheck(x);
  if (x.op(0).kind === 'm') aligned(x, 0, true);
  if (x.op(1).kind === 'm') aligned(x, 1, false);
  x.write(0, x.read(1));
};

/** MOVUPS xmm1, xmm2/m128 and back. */
const moveUnaligned: Lift = (x) => {
  sseCheck(x);
  x.write(0, x.read(1));
};

/** MOVSS, MOVSD: a load clears the rest of the register, a move between registers keeps it. */
const moveScalar =
  (bytes: 4 | 8): Lift =>
  (x) => {
    sseCheck(x);
    if (x.op(0).kind === 'm') x.write(0, bytes === 4 ? low32(x, 1) : low64(x, 1));
    else if (x.op(1).kind === 'm') x.write(0, zeroExtended(x, 1, bytes));
    else if (bytes === 4) x.write(0, x.b.op('f32x4.replace_lane', x.read(0), single(x, 1), { imm: 0 }));
    else x.write(0, x.b.op('f64x2.replace_lane', x.read(0), double(x, 1), { imm: 0 }));
  };
export const movsd = moveScalar(8);

/** MOVLPS, MOVHPS and their like: one half of the register to or from memory. */
const moveHalf =
  (lane: 0 | 1): Lift =>
  (x) => {
    sseCheck(x);
    if (x.op(0).kind === 'm') x.write(0, half(x, x.read(1), lane));
    else x.write(0, x.b.op('i64x2.replace_lane', x.read(0), x.read(1), { imm: lane }));
  };

/** Lanes of 32 bits of the first (0..3) and second (4..7) operand. */
export const lanes32 = (a: number, b: number, c: number, d: number): number[] =>
  [a, b, c, d].flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]);

const shuffled =
  (lanes: readonly number[]): Lift =>
  (x) => {
    sseCheck(x);
    x.write(0, x.b.op('i8x16.shuffle', x.read(0), x.read(1), { imm: lanes }));
  };
/** MOVSHDUP, MOVSLDUP: the memory operand is on its boundary. */
const duplicated =
  (lanes: readonly number[]): Lift =>
  (x) => {
    sseCheck(x);
    if (x.op(1).kind === 'm') aligned(x, 1, false);
    const v = x.read(1);
    x.write(0, x.b.op('i8x16.shuffle', v, v, { imm: lanes }));
  };

/** MOVMSKPS, MOVMSKPD, PMOVMSKB: the signs of the lanes. */
const signs =
  (shape: string): Lift =>
  (x) => {
    const mmx = x.op(1).kind === 'mm';
    if (mmx) mmxCheck(x);
    else sseCheck(x);
    const v = mmx ? fromLow64(x, x.read(1)) : x.read(1);
    if (mmx) mmxEnter(x);
    x.write(0, x.b.op(`${shape}.bitmask`, v));
  };

/** MOVD, either way. A write of the register clears what is above. */
const movd: Lift = (x) => {
  const [to, from] = [x.op(0).kind, x.op(1).kind];
  const mmx = to === 'mm' || from === 'mm';
  if (mmx) mmxCheck(x);
  else sseCheck(x);
  if (to === 'xmm' && from === 'm') return x.write(0, zeroExtended(x, 1, 4));
  const v = low32(x, 1);
  if (to === 'xmm') return x.write(0, fromLow32(x, v));
  if (to === 'm') x.write(0, v);
  if (mmx) mmxEnter(x);
  if (to === 'mm') writeMmx(x, 0, x.b.op('i64.extend_i32_u', v));
  else if (to === 'r') x.write(0, v);
};

/** MOVQ between mm, xmm and memory; an xmm destination is cleared above. */
const movq: Lift = (x) => {
  const [to, from] = [x.op(0).kind, x.op(1).kind];
  const mmx = to === 'mm' || from === 'mm';
  if (mmx) mmxCheck(x);
  else sseCheck(x);
  if (to === 'xmm' && from === 'm') return x.write(0, zeroExtended(x, 1, 8));
  const v = low64(x, 1);
  if (to === 'xmm') return x.write(0, fromLow64(x, v));
  if (to === 'm') x.write(0, v);
  if (mmx) mmxEnter(x);
  if (to === 'mm') writeMmx(x, 0, v);
};

/** MOVNTI: SSE2, but it touches no register of SSE: no check. */
const movnti: Lift = (x) => x.write(0, x.read(1));

/** MASKMOVQ mm1, mm2 and MASKMOVDQU xmm1, xmm2: bytes with a mask bit to [seg:EDI]. The segment check is for all of them. */
const masked =
  (f: RuntimeFunction, bytes: 8 | 16): Lift =>
  (x) => {
    const mmx = bytes === 8;
    if (mmx) mmxCheck(x);
    else sseCheck(x);
    const to = x.inSegment(x.segment(), x.b.and(x.get(Gpr.EDI), x.addressMask()), bytes, true);
    x.helper(f, [to, x.read(1), x.read(2)]);
    if (mmx) mmxEnter(x);
  };

const bitwise =
  (op: (x: Lifter, a: Value, b: Value) => Value): Lift =>
  (x) => {
    sseCheck(x);
    if (x.op(1).kind === 'm') aligned(x, 1, false);
    const b = x.read(1);
    x.write(0, op(x, x.read(0), b));
  };
const and = bitwise((x, a, b) => x.b.op('v128.and', a, b));
const andn = bitwise((x, a, b) => x.b.op('v128.andnot', b, a));
const or = bitwise((x, a, b) => x.b.op('v128.or', a, b));
const xor = bitwise((x, a, b) => x.b.op('v128.xor', a, b));

export const lifts: LiftTable = {
  movaps: moveAligned,
  movapd: moveAligned,
  movdqa: moveAligned,
  movntps: moveAligned,
  movntpd: moveAligned,
  movntdq: moveAligned,
  movups: moveUnaligned,
  movupd: moveUnaligned,
  movdqu: moveUnaligned,
  lddqu: moveUnaligned,
  movss: moveScalar(4),
  movlps: moveHalf(0),
  movlpd: moveHalf(0),
  movhps: moveHalf(1),
  movhpd: moveHalf(1),
  movhlps: shuffled(lanes32(6, 7, 2, 3)),
  movlhps: shuffled(lanes32(0, 1, 4, 5)),
  movsldup: duplicated(lanes32(0, 0, 2, 2)),
  movshdup: duplicated(lanes32(1, 1, 3, 3)),
  movddup: (x) => {
    sseCheck(x);
    x.write(0, x.b.op('i64x2.splat', low64(x, 1)));
  },
  movmskps: signs('i32x4'),
  movmskpd: signs('i64x2'),
  pmovmskb: signs('i8x16'),
  movd,
  movq,
  movntq: movq,
  movnti,
  movq2dq: (x) => {
    sseCheck(x);
    x87Pending(x);
    const v = x.read(1);
    mmxEnter(x);
    x.write(0, fromLow64(x, v));
  },
  movdq2q: (x) => {
    sseCheck(x);
    x87Pending(x);
    const v = low64(x, 1);
    mmxEnter(x);
    writeMmx(x, 0, v);
  },
  maskmovq: { lift: masked(runtime.sseMaskmovq, 8), string: true },
  maskmovdqu: { lift: masked(runtime.sseMaskmovdqu, 16), string: true },
  andps: and,
  andpd: and,
  andnps: andn,
  andnpd: andn,
  orps: or,
  orpd: or,
  xorps: xor,
  xorpd: xor,
};
