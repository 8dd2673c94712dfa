// LDMXCSR and STMXCSR.
import { Cpu, Vector } from '../layout/cpu.ts';
import type { LiftTable } from './lifter.ts';
import { sseCheck } from './sse-common.ts';

/** Bits that MXCSR has (MXCSR_MASK of FXSAVE): all of 0..15, DAZ among them. */
const MXCSR_MASK = 0xffff;

export const lifts: LiftTable = {
  ldmxcsr: (x) => {
    sseCheck(x);
    const v = x.read(0);
    x.raiseIf(x.b.and(v, x.b.const(~MXCSR_MASK)), Vector.GP, x.b.const(0));
    x.setState(Cpu.at.mxcsr, v);
  },
  stmxcsr: (x) => {
    sseCheck(x);
    x.write(0, x.state(Cpu.at.mxcsr));
  },
};
