// Comparisons into masks (CMPPS ...) and into EFLAGS (COMISS ...).
import type { Lift, LiftTable } from './lifter.ts';
import { ARITHMETIC, double, single, sseCheck, vector } from './sse-common.ts';

/** CMPPS, CMPPD xmm1, xmm2/m128, imm8: lanes of ones where the predicate in bits 0..2 holds. */
const compare =
  (name: string): Lift =>
  (x) => {
    sseCheck(x);
    const b = vector(x, 1);
    x.write(0, x.helper(name, [x.read(0), b, x.b.and(x.imm(2), x.b.const(7))], { ...ARITHMETIC, result: 'v128' }));
  };

/** CMPSS, CMPSD: the lowest lane. */
const compareScalar =
  (name: string, wide: boolean): Lift =>
  (x) => {
    sseCheck(x);
    const b = wide ? double(x, 1) : single(x, 1);
    const predicate = x.b.and(x.imm(2), x.b.const(7));
    const old = x.read(0);
    const a = x.b.op(wide ? 'f64x2.extract_lane' : 'f32x4.extract_lane', old, { imm: 0 });
    const r = x.helper(name, [a, b, predicate], { ...ARITHMETIC, result: wide ? 'i64' : 'i32' });
    x.write(0, x.b.op(wide ? 'i64x2.replace_lane' : 'i32x4.replace_lane', old, r, { imm: 0 }));
  };
export const cmpsd = compareScalar('sseCmpsd', true);

/** COMISS and its like: ZF PF CF say how, the other arithmetic flags are 0. */
const compareFlags =
  (name: string, wide: boolean): Lift =>
  (x) => {
    sseCheck(x);
    const b = wide ? double(x, 1) : single(x, 1);
    const a = wide ? double(x, 0) : single(x, 0);
    x.setArith(x.helper(name, [a, b], { ...ARITHMETIC, result: 'i32' }));
  };

export const lifts: LiftTable = {
  cmpps: compare('sseCmpps'),
  cmppd: compare('sseCmppd'),
  cmpss: compareScalar('sseCmpss', false),
  comiss: compareFlags('sseComiss', false),
  comisd: compareFlags('sseComisd', true),
  ucomiss: compareFlags('sseUcomiss', false),
  ucomisd: compareFlags('sseUcomisd', true),
};
