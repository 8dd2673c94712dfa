// Conversions between integers, singles and doubles (SDM vol. 1, 11.4.1.6). Those that cannot be inexact are done in place.
import type { Value } from '../ir/types.ts';
import type { Lift, Lifter, LiftTable } from './lifter.ts';
import { x87Pending } from './shared.ts';
import { ARITHMETIC, double, fromLow64, half, low32, low64, mmxEnter, single, sseCheck, vector, writeMmx } from './sse-common.ts';

type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';
const call = (x: Lifter, name: string, arg: Value, result: Type): Value => x.helper(name, [arg], { ...ARITHMETIC, result });

/** CVTSS2SI r32, xmm/m32 and its like */
const toInteger =
  (name: string, read: (x: Lifter, k: number) => Value): Lift =>
  (x) => {
    sseCheck(x);
    x.write(0, call(x, name, read(x, 1), 'i32'));
  };

/** xmm1 = whole conversion of a vector */
const whole =
  (name: string): Lift =>
  (x) => {
    sseCheck(x);
    x.write(0, call(x, name, vector(x, 1), 'v128'));
  };

/** The lowest lane of xmm1; the rest stays. */
const intoLane =
  (lanes: 'f32x4' | 'f64x2', value: (x: Lifter) => Value): Lift =>
  (x) => {
    sseCheck(x);
    const v = value(x);
    x.write(0, x.b.op(`${lanes}.replace_lane`, x.read(0), v, { imm: 0 }));
  };

/** Two 32-bit integers to two doubles: exact. */
const doubles = (x: Lifter, v: Value): Value => x.b.op('f64x2.convert_low_i32x4_s', fromLow64(x, v));

/** CVTPS2PI mm, xmm/m64 and its like: an mm destination. The x87 state changes even where #XM follows. */
const toMmx =
  (read: (x: Lifter, k: number) => Value, value: (x: Lifter, v: Value) => Value): Lift =>
  (x) => {
    sseCheck(x);
    x87Pending(x);
    const from = read(x, 1);
    mmxEnter(x);
    writeMmx(x, 0, value(x, from));
  };

/** Two integers from mm or memory. With memory they have nothing to do with MMX: so the SDM says of CVTPI2PD, and processors do for both. */
const fromMmx =
  (value: (x: Lifter, v: Value) => Value): Lift =>
  (x) => {
    const mmx = x.op(1).kind === 'mm';
    sseCheck(x);
    if (mmx) x87Pending(x);
    const from = x.read(1);
    if (mmx) mmxEnter(x);
    x.write(0, value(x, from));
  };

export const lifts: LiftTable = {
  cvtss2si: toInteger('sseCvtss2si', single),
  cvttss2si: toInteger('sseCvttss2si', single),
  cvtsd2si: toInteger('sseCvtsd2si', double),
  cvttsd2si: toInteger('sseCvttsd2si', double),
  cvtps2dq: whole('sseCvtps2dq'),
  cvttps2dq: whole('sseCvttps2dq'),
  cvtpd2dq: whole('sseCvtpd2dq'),
  cvttpd2dq: whole('sseCvttpd2dq'),
  cvtdq2ps: whole('sseCvtdq2ps'),
  cvtpd2ps: whole('sseCvtpd2ps'),
  cvtps2pd: (x) => {
    sseCheck(x);
    x.write(0, call(x, 'sseCvtps2pd', low64(x, 1), 'v128'));
  },
  cvtdq2pd: (x) => {
    sseCheck(x);
    x.write(0, doubles(x, low64(x, 1)));
  },
  cvtsi2ss: intoLane('f32x4', (x) => call(x, 'sseCvtsi2ss', low32(x, 1), 'f32')),
  cvtsi2sd: intoLane('f64x2', (x) => x.b.op('f64.convert_i32_s', low32(x, 1))),
  cvtss2sd: intoLane('f64x2', (x) => call(x, 'sseCvtss2sd', single(x, 1), 'f64')),
  cvtsd2ss: intoLane('f32x4', (x) => call(x, 'sseCvtsd2ss', double(x, 1), 'f32')),
  cvtps2pi: toMmx(low64, (x, v) => call(x, 'sseCvtps2pi', v, 'i64')),
  cvttps2pi: toMmx(low64, (x, v) => call(x, 'sseCvttps2pi', v, 'i64')),
  cvtpd2pi: toMmx(vector, (x, v) => half(x, call(x, 'sseCvtpd2dq', v, 'v128'))),
  cvttpd2pi: toMmx(vector, (x, v) => half(x, call(x, 'sseCvttpd2dq', v, 'v128'))),
  /** CVTPI2PS xmm, mm/m64: the high half stays. */
  cvtpi2ps: fromMmx((x, v) => x.b.op('i64x2.replace_lane', x.read(0), call(x, 'sseCvtpi2ps', v, 'i64'), { imm: 0 })),
  /** CVTPI2PD xmm, mm/m64 */
  cvtpi2pd: fromMmx(doubles),
};
