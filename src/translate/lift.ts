// Lifts a region: each of its blocks becomes a list of operations that ends with a terminator.
import { type BlockId, eipOf } from '../ir/blocks.ts';
import { Builder } from '../ir/builder.ts';
import { isTerminator, type Op } from '../ir/operations.ts';
import { type RegionBlock, type RegionIr, regionBlock, reshaped } from '../ir/region.ts';
import { floats } from '../layout/cpu.ts';
import { Lifter } from '../lift/lifter.ts';
import { RegionLeaves } from '../lift/region-leaves.ts';
import { askPages, isKnown } from './asked-pages.ts';
import type { BasicBlock, Region } from './grow.ts';

/** What a block ends with whose instructions came to what is in `b`: these, with the last changed or a jump behind it. `has`: whether a block is in the region. */
function end(b: Builder, block: BasicBlock, has: (id: BlockId) => boolean): void {
  const { ops } = b.code;
  const last = ops.at(-1)!;
  const { callee, calleePage, comesBack, returnPoint } = block;
  const onwards: Op = { kind: 'jump', to: block.id - block.eip + block.end };
  if (last.kind === 'call' || last.kind === 'callIndirect') {
    if (comesBack) ops.push(onwards);
    else {
      ops.pop();
      if (last.kind === 'callIndirect') ops.push({ kind: 'indirect', eip: last.eip });
      // A call that is not inlined leaves the region: its return comes back through the return point's own slot.
      else if (callee === undefined) ops.push({ kind: 'exit', to: last.to! });
      else if (calleePage === undefined) ops.push({ kind: 'jump', to: callee });
      else ops.push({ kind: 'branch', cond: isKnown(b, calleePage), likely: true, to: callee, next: last.to! });
    }
  } else if (last.kind === 'ret') ops[ops.length - 1] = { ...last, to: returnPoint };
  else if (returnPoint !== undefined && (last.kind === 'indirect' || (last.kind === 'jump' && !has(last.to!)))) {
    // An inlined callee goes on elsewhere, which is to return in its place.
    const back = eipOf(returnPoint);
    ops[ops.length - 1] =
      last.kind === 'indirect' ? { kind: 'callIndirect', eip: last.eip, back } : { kind: 'call', to: eipOf(last.to!), back };
    ops.push({ kind: 'jump', to: returnPoint });
  } else if (!isTerminator(last)) ops.push(onwards);
}

function liftBlock(block: BasicBlock, has: (id: BlockId) => boolean, mode: number): RegionBlock {
  const b = new Builder();
  for (const x of block.instructions) {
    b.push({ kind: 'insn', eip: x.eip, next: x.next });
    const lifter = new Lifter(b, x.form, new RegionLeaves(b, x, block.id - eipOf(block.id), floats(mode)));
    x.spec!.lift(lifter);
    if (!lifter.ended && x.spec!.dispatches) lifter.next();
  }
  end(b, block, has);
  return regionBlock({ id: block.id, instructions: block.instructions.length, ops: b.code.ops });
}

export function liftRegion(region: Region): RegionIr {
  const { entry, phys, mode, blocks } = region;
  const lifted = new Map<BlockId, RegionBlock>();
  const has = (id: BlockId) => blocks.has(id);
  for (const [id, block] of blocks) lifted.set(id, liftBlock(block, has, mode));
  return reshaped({ eip: entry, phys, mode, entry, blocks: askPages(region, lifted), loops: [] });
}
