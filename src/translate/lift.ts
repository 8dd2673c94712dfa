// Lifts a region: each of its blocks becomes a list of operations that ends with a terminator.
import { type BlockId, eipOf } from '../ir/blocks.ts';
import { Builder } from '../ir/builder.ts';
import { isTerminator, type Op } from '../ir/operations.ts';
import { Lifter } from '../lift/lifter.ts';
import { RegionLeaves } from '../lift/region-leaves.ts';
import { type RegionBlock, type RegionIr, regionBlock, reshaped } from './graph.ts';
import type { BasicBlock, Region } from './grow.ts';

/** What a block ends with whose instructions came to `ops`: these, with the last changed or a jump behind it. */
function ended(ops: Op[], block: BasicBlock): readonly Op[] {
  const last = ops.at(-1)!;
  const onwards: Op = { kind: 'jump', to: block.id - block.eip + block.end };
  if (last.kind === 'call' || last.kind === 'callIndirect') {
    if (block.comesBack) ops.push(onwards);
    else if (last.kind === 'callIndirect') ops[ops.length - 1] = { kind: 'indirect', eip: last.eip };
    // A call that is not inlined leaves the region: its return comes back through the return point's own slot.
    else if (block.callee === undefined) ops[ops.length - 1] = { kind: 'exit', to: last.to! };
    else ops[ops.length - 1] = { kind: 'jump', to: block.callee };
  } else if (last.kind === 'ret') ops[ops.length - 1] = { ...last, to: block.returnPoint };
  else if (!isTerminator(last)) ops.push(onwards);
  return ops;
}

function liftBlock(block: BasicBlock): RegionBlock {
  const b = new Builder();
  for (const x of block.instructions) {
    b.push({ kind: 'insn', eip: x.eip, next: x.next });
    const lifter = new Lifter(b, x.form, new RegionLeaves(b, x, block.id - eipOf(block.id)));
    x.spec!.lift(lifter);
    if (!lifter.ended && x.spec!.dispatches) lifter.next();
  }
  return regionBlock({ id: block.id, instructions: block.instructions.length, ops: ended(b.code.ops, block) });
}

export function liftRegion({ entry, phys, mode, blocks }: Region): RegionIr {
  const lifted = new Map<BlockId, RegionBlock>();
  for (const [id, block] of blocks) lifted.set(id, liftBlock(block));
  return reshaped({ eip: entry, phys, mode, entry, blocks: lifted, loops: [] });
}
