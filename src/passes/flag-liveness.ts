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
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    if (op.kind === 'flags' && keepsCarry(op.flag)) carryOnly = true;
    else if (op.kind === 'cond' && carryOnly && !READS_CARRY.has(op.cc)) continue;
    else {
      const effects = effectsOf(op);
      if (readsFlags(effects) || effects.stores || effects.eip) return true;
      if (effects.flags === 'w') return false;
    }
  }
  return undefined;
}

/** Blocks at whose start the flags matter. */
export function liveFlags({ flow, blocks }: RegionIr): ReadonlySet<number> {
  const live = new Set<number>();
  const { order } = flow;
  const verdicts = order.map((n) => verdict(blocks.get(n)!));
  // What is behind a block comes behind it in the order, but for ways back, which are looked at anyway: one round from the end finds all.
  for (let k = order.length - 1; k >= 0; k--) {
    const n = order[k]!;
    const block = blocks.get(n)!;
    // At a way back the pending word is looked at: an interrupt's frame may show the flags.
    const behind = () => mayLeave(block, flow) || block.next.some((to) => !flow.keeps(n, to) || flow.isBack(n, to) || live.has(to));
    if (verdicts[k] ?? behind()) live.add(n);
  }
  return live;
}
