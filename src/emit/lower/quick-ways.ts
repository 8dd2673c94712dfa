// Functions of the runtime whose common case regions compute in place: WebAssembly's own arithmetic, and conditions under which it gives what the function
// would give and nothing else happens. Where one of these is not 0 the function is asked, which knows all cases (wasm/sse).
import { Cpu } from '../../layout/cpu.ts';
import { pure, wasm } from '../module/expressions.ts';
import type { Expr } from '../module.ts';
import type { FunctionCode } from './function.ts';

export interface QuickWay {
  /** MXCSR must be as it usually is (isUnusual). */
  readonly usual?: boolean;
  /** All expressions may be used any number of times. */
  result(args: readonly Expr[]): Expr;
  /** Conditions (i32), none of which may hold. */
  odd(args: readonly Expr[], result: Expr): readonly Expr[];
  /** Where the last of them holds, but this as well, all is right nevertheless. */
  fine?(args: readonly Expr[], result: Expr): Expr;
}

const PE = 0x20;
const UM = 0x800;
const PM = 0x1000;
const RC = 0x6000;
const FTZ = 0x8000;

const { i32, i64 } = wasm;

/** 0 where rounding is to nearest, and nobody sees that a result is inexact, or tiny and exact. Once it is, it stays so until MXCSR is loaded: operations only add flags. */
export const isUnusual = (mxcsr: Expr): Expr => i32.xor(i32.and(mxcsr, i32.const(FTZ | RC | PM | UM | PE)), i32.const(PM | UM | PE));

/** The lowest lane, or both or all four. */
interface Format {
  /** Names: of its operators; of its bits as an integer. */
  readonly type: 'f32' | 'f64';
  /** Conditions. No operand may be a denormal; the result of a sum must be finite, that of a product no tiny number, nor one that was rounded up from it, nor 0. */
  denormal(v: Expr): Expr;
  infinite(r: Expr): Expr;
  extreme(r: Expr): Expr;
  nan(v: Expr): Expr;
}

/** Magnitude times 2. */
const double = (v: Expr): Expr => i64.shl(pure('i64.reinterpret_f64', [v]), i64.const(1n));
const single = (v: Expr): Expr => i32.shl(pure('i32.reinterpret_f32', [v]), i32.const(1));

const DOUBLE: Format = {
  type: 'f64',
  // 0 - 1 is the greatest of all.
  denormal: (v) => i64.lt_u(i64.sub(double(v), i64.const(1n)), i64.const(0x1f_ffff_ffff_ffffn)),
  infinite: (r) => i64.ge_u(double(r), i64.const(-0x20_0000_0000_0000n)),
  extreme: (r) => i64.ge_u(i64.sub(double(r), i64.const(0x20_0000_0000_0002n)), i64.const(-0x40_0000_0000_0002n)),
  nan: (v) => i64.gt_u(double(v), i64.const(-0x20_0000_0000_0000n)),
};
const SINGLE: Format = {
  type: 'f32',
  denormal: (v) => i32.lt_u(i32.sub(single(v), i32.const(1)), i32.const(0xff_ffff)),
  infinite: (r) => i32.ge_u(single(r), i32.const(-0x100_0000)),
  extreme: (r) => i32.ge_u(i32.sub(single(r), i32.const(0x100_0002)), i32.const(-0x200_0002)),
  nan: (v) => i32.gt_u(single(v), i32.const(-0x100_0000)),
};

const sum = ({ type, denormal, infinite }: Format, name: 'add' | 'sub'): QuickWay => ({
  usual: true,
  result: ([a, b]) => pure(`${type}.${name}`, [a!, b!]),
  odd: ([a, b], r) => [denormal(a!), denormal(b!), infinite(r)],
});
const product = ({ type, denormal, extreme }: Format, name: 'mul' | 'div'): QuickWay => {
  const isZero = (v: Expr) => pure(`${type}.eq`, [v, wasm[type].const(0)]);
  return {
    usual: true,
    result: ([a, b]) => pure(`${type}.${name}`, [a!, b!]),
    odd: ([a, b], r) => [denormal(a!), denormal(b!), extreme(r)],
    // Zeros are not tiny where an operand is zero.
    fine: ([a, b], r) => i32.and(isZero(r), name === 'div' ? isZero(a!) : i32.or(isZero(a!), isZero(b!))),
  };
};
const root = ({ type, denormal, infinite }: Format): QuickWay => ({
  usual: true,
  result: ([b]) => pure(`${type}.sqrt`, [b!]),
  odd: ([b], r) => [denormal(b!), infinite(r)],
});
/** The second operand where they are equal (zeros). */
const extremum = ({ type, denormal, nan }: Format, name: 'lt' | 'gt'): QuickWay => ({
  result: ([a, b]) => pure('select', [pure(`${type}.${name}`, [a!, b!]), a!, b!]),
  odd: ([a, b]) => [denormal(a!), denormal(b!), nan(a!), nan(b!)],
});
/** ZF PF CF at their places in EFLAGS. */
const comparison = ({ type, denormal, nan }: Format): QuickWay => ({
  result: ([a, b]) => i32.or(pure(`${type}.lt`, [a!, b!]), i32.shl(pure(`${type}.eq`, [a!, b!]), i32.const(6))),
  odd: ([a, b]) => [denormal(a!), denormal(b!), nan(a!), nan(b!)],
});
/** To an integer, cut. The least integer is left to the function, as are all that are none. */
const truncation = ({ type }: Format): QuickWay => ({
  usual: true,
  result: ([a]) => pure(`i32.trunc_sat_${type}_s`, [a!]),
  odd: ([a]) => [i32.eqz(pure(`${type}.lt`, [pure(`${type}.abs`, [a!]), wasm[type].const(2 ** 31)]))],
});

// Vectors -------------------------------------------------------------------------------------------------------------
const lanes64 = (n: bigint): Expr => wasm.v128.const([...new Uint8Array(BigInt64Array.of(n, n).buffer)]);
const lanes32 = (n: number): Expr => wasm.v128.const([...new Uint8Array(Int32Array.of(n, n, n, n).buffer)]);
const v128 = (name: string, a: Expr, b: Expr): Expr => pure(`v128.${name}`, [a, b]);
const any = (...conditions: readonly Expr[]): Expr => pure('v128.any_true', [conditions.reduce((all, one) => v128('or', all, one))]);

interface Lanes {
  readonly shape: 'f32x4' | 'f64x2';
  denormal(v: Expr): Expr;
  infinite(r: Expr): Expr;
  extreme(r: Expr): Expr;
}
const MAGNITUDE64 = lanes64(0x7fff_ffff_ffff_ffffn);
const abs64 = (v: Expr): Expr => v128('and', v, MAGNITUDE64);
const LARGEST64 = lanes64(0x7fef_ffff_ffff_ffffn);
const DOUBLES: Lanes = {
  shape: 'f64x2',
  // Magnitude - 1 with its top bit flipped: there are no unsigned comparisons of such lanes.
  denormal: (v) => pure('i64x2.lt_s', [pure('i64x2.add', [abs64(v), MAGNITUDE64]), lanes64(-0x7ff0_0000_0000_0001n)]),
  infinite: (r) => pure('i64x2.gt_s', [abs64(r), LARGEST64]),
  extreme: (r) => v128('or', pure('i64x2.gt_s', [abs64(r), LARGEST64]), pure('i64x2.lt_s', [abs64(r), lanes64(0x10_0000_0000_0001n)])),
};
const MAGNITUDE32 = lanes32(0x7fff_ffff);
const abs32 = (v: Expr): Expr => v128('and', v, MAGNITUDE32);
const LARGEST32 = lanes32(0x7f7f_ffff);
const SINGLES: Lanes = {
  shape: 'f32x4',
  denormal: (v) => pure('i32x4.lt_s', [pure('i32x4.add', [abs32(v), MAGNITUDE32]), lanes32(0x7fffff + -0x8000_0000)]),
  infinite: (r) => pure('i32x4.gt_s', [abs32(r), LARGEST32]),
  extreme: (r) => v128('or', pure('i32x4.gt_s', [abs32(r), LARGEST32]), pure('i32x4.lt_s', [abs32(r), lanes32(0x80_0001)])),
};
const packed = ({ shape, denormal, infinite, extreme }: Lanes, name: 'add' | 'sub' | 'mul' | 'div'): QuickWay => {
  const out = name === 'add' || name === 'sub' ? infinite : extreme;
  return {
    usual: true,
    result: ([a, b]) => pure(`${shape}.${name}`, [a!, b!]),
    odd: ([a, b], r) => [any(denormal(a!), denormal(b!), out(r))],
  };
};

const BY_NAME: Readonly<Record<string, QuickWay>> = {
  sseAddsd: sum(DOUBLE, 'add'),
  sseSubsd: sum(DOUBLE, 'sub'),
  sseMulsd: product(DOUBLE, 'mul'),
  sseDivsd: product(DOUBLE, 'div'),
  sseSqrtsd: root(DOUBLE),
  sseMinsd: extremum(DOUBLE, 'lt'),
  sseMaxsd: extremum(DOUBLE, 'gt'),
  sseComisd: comparison(DOUBLE),
  sseUcomisd: comparison(DOUBLE),
  sseCvttsd2si: truncation(DOUBLE),
  sseAddss: sum(SINGLE, 'add'),
  sseSubss: sum(SINGLE, 'sub'),
  sseMulss: product(SINGLE, 'mul'),
  sseDivss: product(SINGLE, 'div'),
  sseSqrtss: root(SINGLE),
  sseMinss: extremum(SINGLE, 'lt'),
  sseMaxss: extremum(SINGLE, 'gt'),
  sseComiss: comparison(SINGLE),
  sseUcomiss: comparison(SINGLE),
  sseCvttss2si: truncation(SINGLE),
  sseCvtss2sd: {
    result: ([a]) => pure('f64.promote_f32', [a!]),
    odd: ([a]) => [SINGLE.denormal(a!), SINGLE.nan(a!)],
  },
  sseCvtsd2ss: {
    usual: true,
    result: ([a]) => pure('f32.demote_f64', [a!]),
    // From a normal number: no denormal becomes one.
    odd: (_, r) => [SINGLE.extreme(r)],
  },
  sseCvtsi2ss: {
    usual: true,
    result: ([a]) => pure('f32.convert_i32_s', [a!]),
    odd: () => [],
  },
  sseAddpd: packed(DOUBLES, 'add'),
  sseSubpd: packed(DOUBLES, 'sub'),
  sseMulpd: packed(DOUBLES, 'mul'),
  sseDivpd: packed(DOUBLES, 'div'),
  sseAddps: packed(SINGLES, 'add'),
  sseSubps: packed(SINGLES, 'sub'),
  sseMulps: packed(SINGLES, 'mul'),
  sseDivps: packed(SINGLES, 'div'),
};

// Loads on the x87's stack ----------------------------------------------------------------------------------------------
/** What is done where nothing is odd. */
export interface QuickDeed {
  readonly odd: readonly Expr[];
  readonly code: readonly Expr[];
}
/** Gives it for a call's arguments; `keep` puts a value into a local. */
type Deed = (f: FunctionCode, args: readonly Expr[], keep: (v: Expr) => Expr) => QuickDeed;

const C1 = 0x200;
const REGISTER = Cpu.at.fpr;
const inUse = (f: FunctionCode, register: Expr): Expr => i32.and(i32.shr_u(f.loadCpu(Cpu.at.ftw), register), i32.const(1));
const registerAt = (f: FunctionCode, register: Expr): Expr => i32.add(f.cpu(), i32.shl(register, i32.const(4)));
const nextTop = (f: FunctionCode, by: Expr): Expr => i32.and(i32.add(f.loadCpu(Cpu.at.ftop), by), i32.const(7));

/** A push where the register is empty and nothing of `odd` holds. */
function push(f: FunctionCode, keep: (v: Expr) => Expr, odd: readonly Expr[], significand: Expr, signExponent: Expr): QuickDeed {
  const top = keep(nextTop(f, i32.const(-1)));
  return {
    odd: [...odd, inUse(f, top)],
    code: [
      f.rawStore(8, REGISTER, registerAt(f, top), significand, 'i64'),
      f.rawStore(2, REGISTER + 8, registerAt(f, top), signExponent, 'i32'),
      f.storeCpu(Cpu.at.ftop, top),
      f.storeCpu(Cpu.at.ftw, i32.or(f.loadCpu(Cpu.at.ftw), i32.shl(i32.const(1), top))),
      f.storeCpu(Cpu.at.fsw, i32.and(f.loadCpu(Cpu.at.fsw), i32.const(~C1))),
    ],
  };
}
/** Of a normal number. */
const loadReal =
  (wide: boolean): Deed =>
  (f, [bits], keep) => {
    const [fraction, greatest, bias] = wide ? [52, 0x7ff, 0x3c00] : [23, 0xff, 0x3f80];
    const from = (n: number): Expr => (wide ? i32.wrap(i64.shr_u(bits!, i64.const(BigInt(n)))) : i32.shr_u(bits!, i32.const(n)));
    const exponent = keep(i32.and(from(fraction), i32.const(greatest)));
    const whole = wide ? bits! : i64.extend_u(bits!);
    const significand = i64.or(i64.shl(whole, i64.const(BigInt(63 - fraction))), i64.const(-(1n << 63n)));
    const sign = i32.and(from(wide ? 48 : 16), i32.const(0x8000));
    const odd = i32.ge_u(i32.sub(exponent, i32.const(1)), i32.const(greatest - 1));
    return push(f, keep, [odd], significand, i32.or(sign, i32.add(exponent, i32.const(bias))));
  };
const DEEDS: Readonly<Record<string, Deed>> = { fpuLoadF32: loadReal(false), fpuLoadF64: loadReal(true) };

/** What is done in place of the function of this name, which gives nothing. */
export const quickDeed = (name: string): Deed | undefined => DEEDS[name];

/** The quick way of the function of this name, if it has one. */
export const quickWay = (name: string): QuickWay | undefined => BY_NAME[name];
