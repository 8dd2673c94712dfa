// Forward data flow over a region's blocks: the general registers that may differ from memory at the start of each block. Only they
// are stored where the region is left.
import { effectsOf, type Op } from '../ir/operations.ts';
import type { RegionIr } from '../translate/graph.ts';

/** Whether registers and memory agree behind an operation: all were stored before, and loaded again. */
export function synchronizes(op: Op): boolean {
  const { reads, writes } = effectsOf(op);
  return reads === 'all' && writes === 'all';
}

/** The set (a bit for each register) behind a block that is entered with `dirty`. */
function after(ops: readonly Op[], dirty: number): number {
  for (const op of ops) {
    if (op.kind === 'set') dirty |= 1 << op.reg;
    else if (synchronizes(op)) dirty = 0;
  }
  return dirty;
}

export function dirtyRegisters({ flow, blocks }: RegionIr): ReadonlyMap<number, number> {
  const dirty = new Map(flow.order.map((n) => [n, 0]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of flow.order) {
      const { ops, next } = blocks.get(n)!;
      const out = after(ops, dirty.get(n)!);
      for (const to of next) {
        if (!flow.keeps(n, to)) continue;
        const before = dirty.get(to)!;
        if ((before | out) === before) continue;
        dirty.set(to, before | out);
        changed = true;
      }
    }
  }
  return dirty;
}
