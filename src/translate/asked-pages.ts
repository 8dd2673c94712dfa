// A region of a kernel's direct map goes on to pages beside its own. Whether such a page still is where it was, is asked on each way that leads to it from another one: by a block of its own, which
// goes on where it is, and leaves the region where it is not.
import { type BlockId, COPY, eipOf } from '../ir/blocks.ts';
import { Builder } from '../ir/builder.ts';
import { mapTargets } from '../ir/operations.ts';
import { type RegionBlock, regionBlock } from '../ir/region.ts';
import type { Value } from '../ir/types.ts';
import { Cpu } from '../layout/cpu.ts';
import { PAGE } from '../layout/memory.ts';
import type { Region } from './grow.ts';

/** Ids of the blocks that ask, and of those that no region has, in front of those of copied loops (loops.ts) and behind those of callees. */
const ASKING = COPY * 512;
const NOWHERE = COPY * 513;

/** 1 where the CPU has what it knows of the kernel's code (Cpu.codeFrom) at the page at an EIP. */
export function isKnown(b: Builder, page: number): Value {
  const word = (offset: number) => b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, offset });
  return b.lt_u(b.sub(b.const(page), word(Cpu.at.codeFrom)), word(Cpu.at.codeBytes));
}

/** The lifted blocks of a region, with those that ask. */
export function askPages({ entry, phys, blocks }: Region, lifted: ReadonlyMap<BlockId, RegionBlock>): Map<BlockId, RegionBlock> {
  const start = (entry - (phys & (PAGE - 1))) | 0;
  /** How far the page of an EIP is from the region's own. */
  const pageOf = (eip: number): number => (eip - start) & -PAGE;
  const asking = new Map<BlockId, RegionBlock>();

  /** Where a way leads that comes from code on page `from`: to a block of the region's own code, or first to one that asks for its pages. */
  const by = (to: BlockId, from: number): BlockId => {
    const block = to < COPY ? blocks.get(to) : undefined;
    if (block === undefined) return to;
    const wanted = [...new Set([pageOf(to), pageOf(block.instructions[0]!.next - 1)])].filter((page) => page !== 0);
    if (wanted.every((page) => page === from)) return to;
    const id = to + ASKING;
    if (!asking.has(id)) {
      const b = new Builder();
      const cond = wanted.map((page) => isKnown(b, (start + page) >>> 0)).reduce((all, one) => b.and(all, one));
      b.push({ kind: 'branch', cond, likely: true, to, next: to + NOWHERE });
      asking.set(id, regionBlock({ id, instructions: 0, ops: b.code.ops }));
    }
    return id;
  };

  const out = new Map<BlockId, RegionBlock>();
  for (const [id, block] of lifted) {
    const { end } = blocks.get(id)!;
    // A callee comes back behind the call, whose own page was asked for.
    const from = (to: BlockId) => pageOf(id < COPY ? end - 1 : eipOf(to) - 1);
    const ops = block.ops.slice();
    ops.push(mapTargets(ops.pop()!, (to) => by(to, from(to))));
    out.set(id, regionBlock({ ...block, ops }));
  }
  for (const [id, block] of asking) out.set(id, block);
  return out;
}
