// What is MMX alone. Instructions that exist for mm and xmm registers are in sse-integer.ts, sse-move.ts and sse-shuffle.ts.
import { Cpu } from '../layout/cpu.ts';
import type { LiftTable } from './lifter.ts';
import { mmxCheck } from './sse-common.ts';

export const lifts: LiftTable = {
  /** EMMS: all x87 registers are free again. */
  emms: (x) => {
    mmxCheck(x);
    x.setState(Cpu.at.ftop, x.b.const(0));
    x.setState(Cpu.at.ftw, x.b.const(0));
  },
};
