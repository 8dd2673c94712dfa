// Floating-point arithmetic of SSE, SSE2 and SSE3. One helper each (wasm/sse), since MXCSR decides how: it knows when WebAssembly's own
// arithmetic gives the processor's result and flags. Approximations raise nothing.
import { type RuntimeFunction, runtime } from '../runtime/abi.ts';
import type { Lift, LiftTable } from './lifter.ts';
import { double, single, sseCheck, vector } from './sse-common.ts';

/** op xmm1, xmm2/m128 */
const packed =
  (f: RuntimeFunction): Lift =>
  (x) => {
    sseCheck(x);
    const b = vector(x, 1);
    x.write(0, x.helper(f, [x.read(0), b]));
  };
/** op xmm1, xmm2/m128, of the source alone */
const packedUnary =
  (f: RuntimeFunction): Lift =>
  (x) => {
    sseCheck(x);
    x.write(0, x.helper(f, [vector(x, 1)]));
  };

/** The lowest lane of xmm1 op= xmm2/m32 (or m64); the others stay. */
const scalar =
  (type: 'f32' | 'f64', f: RuntimeFunction, unary = false): Lift =>
  (x) => {
    sseCheck(x);
    const read = type === 'f32' ? single : double;
    const b = read(x, 1);
    const old = x.read(0);
    const lanes = type === 'f32' ? 'f32x4' : 'f64x2';
    const args = unary ? [b] : [x.b.op(`${lanes}.extract_lane`, old, { imm: 0 }), b];
    const r = x.helper(f, args);
    x.write(0, x.b.op(`${lanes}.replace_lane`, old, r, { imm: 0 }));
  };

export const lifts: LiftTable = {
  addps: packed(runtime.sseAddps),
  addpd: packed(runtime.sseAddpd),
  addss: scalar('f32', runtime.sseAddss),
  addsd: scalar('f64', runtime.sseAddsd),
  subps: packed(runtime.sseSubps),
  subpd: packed(runtime.sseSubpd),
  subss: scalar('f32', runtime.sseSubss),
  subsd: scalar('f64', runtime.sseSubsd),
  mulps: packed(runtime.sseMulps),
  mulpd: packed(runtime.sseMulpd),
  mulss: scalar('f32', runtime.sseMulss),
  mulsd: scalar('f64', runtime.sseMulsd),
  divps: packed(runtime.sseDivps),
  divpd: packed(runtime.sseDivpd),
  divss: scalar('f32', runtime.sseDivss),
  divsd: scalar('f64', runtime.sseDivsd),
  minps: packed(runtime.sseMinps),
  minpd: packed(runtime.sseMinpd),
  minss: scalar('f32', runtime.sseMinss),
  minsd: scalar('f64', runtime.sseMinsd),
  maxps: packed(runtime.sseMaxps),
  maxpd: packed(runtime.sseMaxpd),
  maxss: scalar('f32', runtime.sseMaxss),
  maxsd: scalar('f64', runtime.sseMaxsd),
  sqrtps: packedUnary(runtime.sseSqrtps),
  sqrtpd: packedUnary(runtime.sseSqrtpd),
  sqrtss: scalar('f32', runtime.sseSqrtss, true),
  sqrtsd: scalar('f64', runtime.sseSqrtsd, true),
  rcpps: packedUnary(runtime.sseRcpps),
  rsqrtps: packedUnary(runtime.sseRsqrtps),
  rcpss: scalar('f32', runtime.sseRcpss, true),
  rsqrtss: scalar('f32', runtime.sseRsqrtss, true),
  addsubps: packed(runtime.sseAddsubps),
  addsubpd: packed(runtime.sseAddsubpd),
  haddps: packed(runtime.sseHaddps),
  haddpd: packed(runtime.sseHaddpd),
  hsubps: packed(runtime.sseHsubps),
  hsubpd: packed(runtime.sseHsubpd),
};
