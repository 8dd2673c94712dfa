// Forward data flow over a region's blocks: the registers (general ones, and xmm registers that it has in locals) that may differ from memory at the start of each block. Only they
// are stored where the region is left.
import { effectsOf, isCall, type Op } from '../ir/operations.ts';
import type { RegionIr } from '../ir/region.ts';
import { CODE_GPRS } from '../layout/cpu.ts';

/** Whether registers and memory agree behind a call: all were stored before, and loaded again. */
export function synchronizes(op: Op): boolean {
  const { reads, writes } = effectsOf(op);
  return reads === 'all' && writes === 'all';
}

/** Bit of an xmm register, behind those of the general ones. */
export const vectorBit = (xmm: number): number => 1 << (CODE_GPRS + xmm);

/** What a block does to the set (a bit for each register) that it is entered with: keeps it or not, and adds to it. */
interface Change {
  readonly keeps: boolean;
  readonly adds: number;
}

function changeOf(ops: readonly Op[]): Change {
  let keeps = true;
  let adds = 0;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    if (op.kind === 'set') adds |= 1 << op.reg;
    else if (op.kind === 'setx') adds |= vectorBit(op.xmm);
    else if (isCall(op) && synchronizes(op)) {
      keeps = false;
      adds = 0;
    }
  }
  return { keeps, adds };
}

export function dirtyRegisters({ flow, blocks }: RegionIr): ReadonlyMap<number, number> {
  const { order } = flow;
  const dirty = new Map<number, number>();
  for (const n of order) dirty.set(n, 0);
  const changes = order.map((n) => changeOf(blocks.get(n)!.ops));
  for (let changed = true; changed; ) {
    changed = false;
    for (let k = 0; k < order.length; k++) {
      const n = order[k]!;
      const { keeps, adds } = changes[k]!;
      const out = keeps ? dirty.get(n)! | adds : adds;
      for (const to of blocks.get(n)!.next) {
        if (!flow.keeps(n, to)) continue;
        const before = dirty.get(to)!;
        if ((before | out) === before) continue;
        dirty.set(to, before | out);
        // Those that come behind are looked at in this round.
        changed ||= flow.isBack(n, to);
      }
    }
  }
  return dirty;
}
