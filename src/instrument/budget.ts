// Lockstep: a CPU runs for so many instructions (Cpu.budget), of which each block takes its own; one that is more than what is left is not
// begun.
import { Cpu, Exit } from '../layout/cpu.ts';
import type { Instrument } from './instrument.ts';

export const budget: Instrument = {
  name: 'budget',
  block(b, start) {
    const has = b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, offset: Cpu.at.budget });
    const left = b.sub(has, start.instructions());
    b.push({ kind: 'yield', exit: Exit.SLICE, cond: b.lt_s(left, b.const(0)) });
    b.push({ kind: 'ststate', bytes: 4, offset: Cpu.at.budget, value: left });
  },
  stops: true,
};
