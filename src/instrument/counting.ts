// Counts guest instructions, by block and engine (Cpu.countInterpreted, Cpu.countTranslated): one that a fault leaves counts whole.
import { Cpu } from '../layout/cpu.ts';
import type { Instrument } from './instrument.ts';

export const counting: Instrument = {
  name: 'counting',
  repeats: true,
  block(b, { engine, instructions }) {
    const offset = engine === 'region' ? Cpu.at.countTranslated : Cpu.at.countInterpreted;
    const count = b.push({ kind: 'ldstate', type: 'i64', bytes: 8, signed: false, offset });
    b.push({ kind: 'ststate', bytes: 8, offset, value: b.op('i64.add', count, b.op('i64.extend_i32_u', instructions())) });
  },
};
