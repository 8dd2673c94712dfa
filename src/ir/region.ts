// A region as IR: a graph of blocks, each a list of operations whose last one says where it leads. Its shape is worked out once, and
// again only where a pass changes it.
import type { BlockId } from './blocks.ts';
import type { LoopCopy } from './loop-copy.ts';
import { type Op, type OpOf, targets } from './operations.ts';
import { type Structure, structure } from './structure.ts';

export interface RegionBlock {
  readonly id: BlockId;
  /** Guest instructions. */
  readonly instructions: number;
  /** The last one, and no other, is a terminator. */
  readonly ops: readonly Op[];
  /** Blocks that it leads to, so far as they can be in the region. */
  readonly next: readonly BlockId[];
  /** The loop, by its place in RegionIr.loops, of whose unchecked copy this is a block: a way to the copy's head begins another pass, or
   * where none is left goes to the guard. */
  readonly copy?: number;
  /** It is hardly ever run: it has an unchecked copy. */
  readonly cold?: boolean;
}

export interface RegionIr {
  /** Guest PC of the region's start; physical address; Mode bits. */
  readonly eip: number;
  readonly phys: number;
  readonly mode: number;
  /** The block where it begins: that at `eip`, or the guard in front of it. */
  readonly entry: BlockId;
  readonly blocks: ReadonlyMap<BlockId, RegionBlock>;
  /** Blocks in an order, loops, which edges are part of them. */
  readonly flow: Structure;
  /** Loops with an unchecked copy. */
  readonly loops: readonly LoopCopy[];
  /** What is known of stacks when it begins. */
  readonly reaches?: readonly OpOf<'reach'>[];
}

/** A block whose last operation is its terminator. */
export function regionBlock(block: Omit<RegionBlock, 'next'>, latch?: BlockId): RegionBlock {
  const to = targets(block.ops.at(-1)!);
  return { ...block, next: latch === undefined ? to : [...to, latch] };
}

/** `ir` with other blocks, or another entry: its shape is worked out anew. */
export function reshaped(ir: Omit<RegionIr, 'flow'>): RegionIr {
  return { ...ir, flow: structure(ir.entry, ir.blocks) };
}

/** `ir` with other operations in its blocks, which lead where they led; itself where nothing changes. */
export function mapBlocks(ir: RegionIr, f: (ops: readonly Op[]) => readonly Op[]): RegionIr {
  let blocks: Map<BlockId, RegionBlock> | undefined;
  for (const [id, block] of ir.blocks) {
    const ops = f(block.ops);
    if (ops !== block.ops) (blocks ??= new Map(ir.blocks)).set(id, { ...block, ops });
  }
  return blocks === undefined ? ir : { ...ir, blocks };
}

/** Whether a way out of the block leads out of the region. */
export function mayLeave({ id, ops }: RegionBlock, flow: Structure): boolean {
  const end = ops.at(-1)!;
  if (end.kind === 'guard') return false;
  return end.kind !== 'jump' && end.kind !== 'branch' ? true : targets(end).some((to) => !flow.keeps(id, to));
}
