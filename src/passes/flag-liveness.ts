// Backward data flow over a region's blocks: where the flags matter that a block finds. They do not where they are set anew before
// anybody looks: a condition, the frame of a fault or of an interrupt at a loop's end, code outside the region.
import { keepsCarry, type Op } from '../ir/operations.ts';
import type { ConditionCode } from '../ir/types.ts';
import { readsFlags, setsFlags } from './dead-flags.ts';
import type { Structure } from './structure.ts';

const READS_CARRY: ReadonlySet<ConditionCode> = new Set(['b', 'ae', 'be', 'a']);

export interface FlagsBlock {
  readonly ops: readonly Op[];
  readonly next: readonly number[];
  /** It may go on outside of the region. */
  readonly leaves: boolean;
  /** Accesses that cannot fault, by their place among the operations. */
  readonly unchecked?: ReadonlyMap<number, number> | undefined;
}

/** What the operations say: the flags are read, or all set; undefined: neither (INC and DEC, which keep CF, may have set the others). */
function verdict({ ops, unchecked }: FlagsBlock): boolean | undefined {
  let carryOnly = false;
  for (const [at, op] of ops.entries()) {
    if (op.kind === 'flags' && keepsCarry(op.flag)) carryOnly = true;
    else if (op.kind === 'cond' && carryOnly && !READS_CARRY.has(op.cc)) continue;
    else if (op.kind === 'helper' && (op.effects.stores || op.effects.eip)) return true;
    else if (readsFlags(op)) {
      if (!unchecked?.has(at)) return true;
    } else if (setsFlags(op)) return false;
  }
  return undefined;
}

/** Blocks at whose start the flags matter. */
export function liveFlags(flow: Structure, blocks: ReadonlyMap<number, FlagsBlock>): ReadonlySet<number> {
  const live = new Set<number>();
  const verdicts = new Map(flow.order.map((n) => [n, verdict(blocks.get(n)!)]));
  const backwards = [...flow.order].reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of backwards) {
      if (live.has(n)) continue;
      const { next, leaves } = blocks.get(n)!;
      // At a way back the pending word is looked at: an interrupt's frame may show the flags.
      const behind = () => leaves || next.some((to) => !flow.keeps(n, to) || flow.isBack(n, to) || live.has(to));
      if (!(verdicts.get(n) ?? behind())) continue;
      live.add(n);
      changed = true;
    }
  }
  return live;
}
