// Conversions between integers, singles and doubles (SDM vol. 1, 11.4.1.6). Those that cannot be inexact are done in place.
import type { Value } from '../ir/types.ts';
import { type RuntimeFunction, runtime } from '../runtime/abi.ts';
import type { Lift, Lifter, LiftTable } from './lifter.ts';
import { x87Pending } from './shared.ts';
import { double, fromLow64, half, low32, low64, mmxEnter, single, sseCheck, vector, writeMmx } from './sse-common.ts';

const call = (x: Lifter, f: RuntimeFunction, arg: Value): Value => x.helper(f, [arg]);

/** CVTSS2SI r32, xmm/m32 and its like */
const toInteger =
  (f: RuntimeFunction, read: (x: Lifter, k: number) => Value): Lift =>
  (x) => {
    sseCheck(x);
    x.write(0, call(x, f, read(x, 1)));
  };

/** xmm1 = whole conversion of a vector */
const whole =
  (f: RuntimeFunction): Lift =>
  (x) => {
    sseCheck(x);
    x.write(0, call(x, f, vector(x, 1)));
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
  cvtss2si: toInteger(runtime.sseCvtss2si, single),
  cvttss2si: toInteger(runtime.sseCvttss2si, single),
  cvtsd2si: toInteger(runtime.sseCvtsd2si, double),
  cvttsd2si: toInteger(runtime.sseCvttsd2si, double),
  cvtps2dq: whole(runtime.sseCvtps2dq),
  cvttps2dq: whole(runtime.sseCvttps2dq),
  cvtpd2dq: whole(runtime.sseCvtpd2dq),
  cvttpd2dq: whole(runtime.sseCvttpd2dq),
  cvtdq2ps: whole(runtime.sseCvtdq2ps),
  cvtpd2ps: whole(runtime.sseCvtpd2ps),
  cvtps2pd: (x) => {
    sseCheck(x);
    x.write(0, call(x, runtime.sseCvtps2pd, low64(x, 1)));
  },
  cvtdq2pd: (x) => {
    sseCheck(x);
    x.write(0, doubles(x, low64(x, 1)));
  },
  cvtsi2ss: intoLane('f32x4', (x) => call(x, runtime.sseCvtsi2ss, low32(x, 1))),
  cvtsi2sd: intoLane('f64x2', (x) => x.b.op('f64.convert_i32_s', low32(x, 1))),
  cvtss2sd: intoLane('f64x2', (x) => call(x, runtime.sseCvtss2sd, single(x, 1))),
  cvtsd2ss: intoLane('f32x4', (x) => call(x, runtime.sseCvtsd2ss, double(x, 1))),
  cvtps2pi: toMmx(low64, (x, v) => call(x, runtime.sseCvtps2pi, v)),
  cvttps2pi: toMmx(low64, (x, v) => call(x, runtime.sseCvttps2pi, v)),
  cvtpd2pi: toMmx(vector, (x, v) => half(x, call(x, runtime.sseCvtpd2dq, v))),
  cvttpd2pi: toMmx(vector, (x, v) => half(x, call(x, runtime.sseCvttpd2dq, v))),
  /** CVTPI2PS xmm, mm/m64: the high half stays. */
  cvtpi2ps: fromMmx((x, v) => x.b.op('i64x2.replace_lane', x.read(0), call(x, runtime.sseCvtpi2ps, v), { imm: 0 })),
  /** CVTPI2PD xmm, mm/m64 */
  cvtpi2pd: fromMmx(doubles),
};
