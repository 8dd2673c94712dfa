// Comparisons into masks (CMPPS ...) and into EFLAGS (COMISS ...).
import { type RuntimeFunction, runtime } from '../runtime/abi.ts';
import type { Lift, LiftTable } from './lifter.ts';
import { double, single, sseCheck, vector } from './sse-common.ts';

/** CMPPS, CMPPD xmm1, xmm2/m128, imm8: lanes of ones where the predicate in bits 0..2 holds. */
const compare =
  (f: RuntimeFunction): Lift =>
  (x) => {
    sseCheck(x);
    const b = vector(x, 1);
    x.write(0, x.helper(f, [x.read(0), b, x.b.and(x.imm(2), x.b.const(7))]));
  };

/** CMPSS, CMPSD: the lowest lane. */
const compareScalar =
  (f: RuntimeFunction, wide: boolean): Lift =>
  (x) => {
    sseCheck(x);
    const b = wide ? double(x, 1) : single(x, 1);
    const predicate = x.b.and(x.imm(2), x.b.const(7));
    const old = x.read(0);
    const a = x.b.op(wide ? 'f64x2.extract_lane' : 'f32x4.extract_lane', old, { imm: 0 });
    const r = x.helper(f, [a, b, predicate]);
    x.write(0, x.b.op(wide ? 'i64x2.replace_lane' : 'i32x4.replace_lane', old, r, { imm: 0 }));
  };
export const cmpsd = compareScalar(runtime.sseCmpsd, true);

/** COMISS and its like: ZF PF CF say how, the other arithmetic flags are 0. */
const compareFlags =
  (f: RuntimeFunction, wide: boolean): Lift =>
  (x) => {
    sseCheck(x);
    const b = wide ? double(x, 1) : single(x, 1);
    const a = wide ? double(x, 0) : single(x, 0);
    x.setArith(x.helper(f, [a, b]));
  };

export const lifts: LiftTable = {
  cmpps: compare(runtime.sseCmpps),
  cmppd: compare(runtime.sseCmppd),
  cmpss: compareScalar(runtime.sseCmpss, false),
  comiss: compareFlags(runtime.sseComiss, false),
  comisd: compareFlags(runtime.sseComisd, true),
  ucomiss: compareFlags(runtime.sseUcomiss, false),
  ucomisd: compareFlags(runtime.sseUcomisd, true),
};
