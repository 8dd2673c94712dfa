// Floating-point arithmetic of SSE, SSE2 and SSE3. One helper each (wasm/sse), since MXCSR decides how: it knows when WebAssembly's own
// arithmetic gives the processor's result and flags. Approximations raise nothing.
import type { Lift, Lifter, LiftTable } from './lifter.ts';
import { ARITHMETIC, double, single, sseCheck, vector } from './sse-common.ts';

const helperName = (x: Lifter): string => `sse${x.form.mnemonic[0]!.toUpperCase()}${x.form.mnemonic.slice(1)}`;

/** op xmm1, xmm2/m128 */
const packed: Lift = (x) => {
  sseCheck(x);
  const b = vector(x, 1);
  x.write(0, x.helper(helperName(x), [x.read(0), b], { ...ARITHMETIC, result: 'v128' }));
};
/** op xmm1, xmm2/m128, of the source alone */
const packedUnary: Lift = (x) => {
  sseCheck(x);
  x.write(0, x.helper(helperName(x), [vector(x, 1)], { ...ARITHMETIC, result: 'v128' }));
};
const packedApproximation: Lift = (x) => {
  sseCheck(x);
  x.write(0, x.helper(helperName(x), [vector(x, 1)], { result: 'v128' }));
};

/** The lowest lane of xmm1 op= xmm2/m32 (or m64); the others stay. */
const scalar =
  (type: 'f32' | 'f64', unary = false, effects: typeof ARITHMETIC | object = ARITHMETIC): Lift =>
  (x) => {
    sseCheck(x);
    const read = type === 'f32' ? single : double;
    const b = read(x, 1);
    const old = x.read(0);
    const lanes = type === 'f32' ? 'f32x4' : 'f64x2';
    const args = unary ? [b] : [x.b.op(`${lanes}.extract_lane`, old, { imm: 0 }), b];
    const r = x.helper(helperName(x), args, { ...effects, result: type });
    x.write(0, x.b.op(`${lanes}.replace_lane`, old, r, { imm: 0 }));
  };

const binary = (name: string): LiftTable => ({
  [`${name}ps`]: packed,
  [`${name}pd`]: packed,
  [`${name}ss`]: scalar('f32'),
  [`${name}sd`]: scalar('f64'),
});

export const lifts: LiftTable = {
  ...binary('add'),
  ...binary('sub'),
  ...binary('mul'),
  ...binary('div'),
  ...binary('min'),
  ...binary('max'),
  sqrtps: packedUnary,
  sqrtpd: packedUnary,
  sqrtss: scalar('f32', true),
  sqrtsd: scalar('f64', true),
  rcpps: packedApproximation,
  rsqrtps: packedApproximation,
  rcpss: scalar('f32', true, {}),
  rsqrtss: scalar('f32', true, {}),
  addsubps: packed,
  addsubpd: packed,
  haddps: packed,
  haddpd: packed,
  hsubps: packed,
  hsubpd: packed,
};
