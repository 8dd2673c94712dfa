// Checks a region: each block is good IR with one terminator, at its end, and leads where that says.
import { type BlockId, printBlock } from '../ir/blocks.ts';
import { isTerminator, targets } from '../ir/operations.ts';
import { printOp } from '../ir/print.ts';
import type { RegionBlock, RegionIr } from '../ir/region.ts';
import { problems } from '../ir/verify.ts';

function blockProblems(block: RegionBlock, ir: RegionIr): string[] {
  const ops = [...block.ops];
  const found = problems({ ops });
  const end = ops.at(-1);
  if (end === undefined || !isTerminator(end)) return [...found, 'no terminator at the end'];
  ops.slice(0, -1).forEach((op, i) => {
    if (isTerminator(op)) found.push(`%${i} ${printOp(ops, op)}: in the middle of the block`);
  });
  const undefinedTarget = end.kind !== 'ret' && targets(end).some((to) => to === undefined);
  if (undefinedTarget) found.push(`${printOp(ops, end)}: leads nowhere`);
  const latch = block.copy === undefined ? undefined : ir.loops[block.copy];
  const next: readonly BlockId[] =
    latch !== undefined && targets(end).includes(latch.head) && end.kind !== 'guard' ? [...targets(end), latch.guard] : targets(end);
  if (next.join() !== block.next.join()) found.push(`leads to ${next.map(printBlock)}, but says ${block.next.map(printBlock)}`);
  return found;
}

/** Everything that is wrong, a line each; empty where all is well. */
export function regionProblems(ir: RegionIr): string[] {
  const found: string[] = [];
  for (const [id, block] of ir.blocks) {
    const wrong = blockProblems(block, ir);
    if (block.id !== id) wrong.push(`is called ${printBlock(block.id)}`);
    found.push(...wrong.map((what) => `${printBlock(id)}: ${what}`));
  }
  if (!ir.blocks.has(ir.entry)) found.push(`no block ${printBlock(ir.entry)} to begin with`);
  return found;
}

/** Throws if anything is wrong behind `pass`. */
export function verifyRegion(ir: RegionIr, pass: string): void {
  const found = regionProblems(ir);
  if (found.length > 0) throw new Error(`bad IR behind ${pass}:\n${found.join('\n')}`);
}
