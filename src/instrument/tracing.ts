// The execution trace: a record of the CPU's state at the start of each block (wasm/engine/trace.ts).
import { runtime } from '../runtime/abi.ts';
import type { Instrument } from './instrument.ts';

export const tracing: Instrument = {
  name: 'tracing',
  block(b, { engine, eip }) {
    const { name, effects } = engine === 'region' ? runtime.traceTranslated : runtime.traceInterpreted;
    b.push({ kind: 'helper', type: undefined, name, args: [eip()], effects });
  },
};
