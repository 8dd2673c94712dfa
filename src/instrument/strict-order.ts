// Loads and stores of guest memory in the order of x86 on a host that keeps a weaker one (docs/memory-model.md).
import type { Instrument } from './instrument.ts';

export const strictOrder: Instrument = {
  name: 'strict-order',
  operation: (op) => (op.kind === 'load' || op.kind === 'store' ? { ...op, ordered: true } : op),
};
