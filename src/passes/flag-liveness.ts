// Backward data flow over a region's blocks: where the flags matter that a block finds. They do not where they are set anew before
// anybody looks: a condition, the frame of a fault or of an interrupt at a loop's end, code outside the region.
import { effectsOf, keepsCarry } from '../ir/operations.ts';
import type { ConditionCode } from '../ir/types.ts';
import { mayLeave, type RegionBlock, type RegionIr } from '../translate/graph.ts';
import { readsFlags } from './dead-flags.ts';

const READS_CARRY: ReadonlySet<ConditionCode> = new Set(['b', 'ae', 'be', 'a']);

/** What the operations say: the flags are read, or all set; undefined: neither (INC and DEC, which keep CF, may have set the others). */
function verdict({ ops }: RegionBlock): boolean | undefined {
  let carryOnly = false;
  for (const op of ops) {
    if (op.kind === 'flags' && keepsCarry(op.flag)) carryOnly = true;
    else if (op.kind === 'cond' && carryOnly && !READS_CARRY.has(op.cc)) continue;
    else if (readsFlags(op)) return true;
    else {
      const { stores, eip, flags } = effectsOf(op);
      if (stores || eip) return true;
      if (flags === 'w') return false;
    }
  }
  return undefined;
}

/** Blocks at whose start the flags matter. */
export function liveFlags({ flow, blocks }: RegionIr): ReadonlySet<number> {
  const live = new Set<number>();
  const verdicts = new Map(flow.order.map((n) => [n, verdict(blocks.get(n)!)]));
  const backwards = [...flow.order].reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of backwards) {
      if (live.has(n)) continue;
      const block = blocks.get(n)!;
      // At a way back the pending word is looked at: an interrupt's frame may show the flags.
      const behind = () => mayLeave(block, flow) || block.next.some((to) => !flow.keeps(n, to) || flow.isBack(n, to) || live.has(to));
      if (!(verdicts.get(n) ?? behind())) continue;
      live.add(n);
      changed = true;
    }
  }
  return live;
}
