// The client prof (docs/clients.md): counts guest instructions by privilege level, by block, where they begin. What it counts of transfers is emitted with these (emit/lower/transfer-counts.ts).
import type { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';
import { Cpu, Mode } from '../layout/cpu.ts';
import { CpuArea } from '../layout/memory.ts';
import { ProfCounts } from '../layout/prof.ts';
import type { Instrument } from './instrument.ts';

/** How far the counts of a mode's privilege level are from the kernel's. */
export const levelOf = (mode: number): number => (mode & Mode.USER ? ProfCounts.size : 0);

/** The CPU's address, and as far behind it: for code of any mode. */
function levelNow(b: Builder): Value {
  const mode = b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, offset: Cpu.at.mode });
  const level = b.op('i32.mul', b.and(mode, b.const(Mode.USER)), b.const(ProfCounts.size / Mode.USER));
  return b.add(b.push({ kind: 'cpu', type: 'i32' }), level);
}

export const prof: Instrument = {
  name: 'prof',
  repeats: true,
  transfers: true,
  block(b, { mode, instructions }) {
    const address = mode === undefined ? levelNow(b) : undefined;
    const offset = CpuArea.at.prof + levelOf(mode ?? 0) + ProfCounts.at.instructions;
    const count = b.push({ kind: 'ldstate', type: 'i64', bytes: 8, signed: false, address, offset });
    b.push({ kind: 'ststate', bytes: 8, address, offset, value: b.op('i64.add', count, b.op('i64.extend_i32_u', instructions())) });
  },
};
