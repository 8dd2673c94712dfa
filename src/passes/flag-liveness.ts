// Backward data flow over a region's blocks: where the flags matter that a block finds. They do not where they are set anew before
// anybody looks: a condition, the frame of a fault (where faults are precise) or of an interrupt at a loop's end, code outside the region.
import { effectsOf, keepsCarry, type Op } from '../ir/operations.ts';
import { mayLeave, type RegionBlock, type RegionIr } from '../ir/region.ts';
import type { Structure } from '../ir/structure.ts';
import type { ConditionCode } from '../ir/types.ts';
import { readsFlags } from './dead-flags.ts';

const READS_CARRY: ReadonlySet<ConditionCode> = new Set(['b', 'ae', 'be', 'a']);

/** What the operations say: the flags are read, or all set; undefined: neither (INC and DEC, which keep CF, may have set the others). */
function verdict({ ops }: RegionBlock, precise: boolean): boolean | undefined {
  let carryOnly = false;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    if (op.kind === 'flags' && keepsCarry(op.flag)) carryOnly = true;
    else if (op.kind === 'cond' && carryOnly && !READS_CARRY.has(op.cc)) continue;
    else {
      const effects = effectsOf(op);
      if (readsFlags(effects, precise) || effects.stores || effects.eip) return true;
      if (effects.flags === 'w') return false;
    }
  }
  return undefined;
}

/** Whether the flags matter behind a block. At a way back the pending word is looked at: an interrupt's frame may show them. */
const liveBehind = (block: RegionBlock, flow: Structure, live: ReadonlySet<number>): boolean =>
  mayLeave(block, flow) || block.next.some((to) => !flow.keeps(block.id, to) || flow.isBack(block.id, to) || live.has(to));

/** Blocks at whose start the flags matter. */
export function liveFlags({ flow, blocks }: RegionIr, precise = true): ReadonlySet<number> {
  const live = new Set<number>();
  const { order } = flow;
  const verdicts = order.map((n) => verdict(blocks.get(n)!, precise));
  // What is behind a block comes behind it in the order, but for ways back, which are looked at anyway: one round from the end finds all.
  for (let k = order.length - 1; k >= 0; k--) {
    const n = order[k]!;
    const block = blocks.get(n)!;
    if (verdicts[k] ?? liveBehind(block, flow, live)) live.add(n);
  }
  return live;
}

/** Instructions (their `insn`) at whose start the flags do not matter, if nobody looks at the frame of a fault. `live`: the blocks at whose start they do. */
export function deadAtInstructions({ flow, blocks }: RegionIr, live: ReadonlySet<number>): ReadonlySet<Op> {
  const dead = new Set<Op>();
  for (const n of flow.order) {
    const block = blocks.get(n)!;
    let lives = liveBehind(block, flow, live);
    for (let i = block.ops.length - 1; i >= 0; i--) {
      const op = block.ops[i]!;
      if (op.kind === 'insn') {
        if (!lives) dead.add(op);
        continue;
      }
      const effects = effectsOf(op);
      if (readsFlags(effects, false)) lives = true;
      else if (effects.flags === 'w') lives = false;
    }
  }
  return dead;
}
