// Small loops get a second copy in which the addresses that move evenly are not checked: a guard in front of both looks them up
// once for as many passes as stay on their pages. The graph becomes
//
//   (ways in) -> guard -> head of the copy .. -> head of the copy (passes left) or guard
//                     `-> head (a pass that runs into another page, or is slow) .. -> guard
//
// The copy is a few passes one behind the other; what a guard is in Wasm says emit/region/guards.ts.
import { type BlockId, COPY } from '../ir/blocks.ts';
import type { LoopCopy } from '../ir/loop-copy.ts';
import { mapTargets, type Op } from '../ir/operations.ts';
import { type RegionBlock, type RegionIr, regionBlock, reshaped } from '../ir/region.ts';
import { PAGE } from '../layout/memory.ts';
import { codeLength, type FastLoop, fastLoops } from '../passes/fast-loops.ts';

/** A copy is so many passes one behind the other, and the passes that are left are counted once in all of them. */
const MOST_UNROLLED = 4;
/** Operations in all passes of a copy together, at the most; and the part of a page that they may use up. */
const MOST_OPS = 300;
const MOST_BYTES = PAGE / 16;

function unrolling({ strides }: FastLoop, ops: number): number {
  const widest = Math.max(...strides.groups.map((g) => Math.abs(g.step)));
  let times = MOST_UNROLLED;
  while (times > 1 && (times * ops > MOST_OPS || times * widest > MOST_BYTES)) times /= 2;
  return times;
}

/** Ids that belong to loop `k` of a region: its blocks in pass `pass` of the copy, and its guard, behind those of all inlined callees. */
const FIRST_COPY = 1024;
const IDS_OF_LOOP = MOST_UNROLLED + 1;
const copyOf = (id: BlockId, k: number, pass: number): BlockId => id + COPY * FIRST_COPY * (IDS_OF_LOOP * k + 1 + pass);
const guardOf = (head: BlockId, k: number): BlockId => copyOf(head, k, MOST_UNROLLED);

/** A block's operations with the accesses that need no check, by their place, and another end. */
function copied(ops: readonly Op[], groups: ReadonlyMap<number, number> | undefined, end: Op): Op[] {
  const out = ops.slice();
  for (const [at, group] of groups ?? []) out[at] = { ...(ops[at] as Extract<Op, { kind: 'load' | 'store' }>), group };
  out[ops.length - 1] = end;
  return out;
}

/** Adds unchecked copies of loops, and their guards, to which all ways in lead from then on. */
export function copyLoops(ir: RegionIr): RegionIr {
  const loops = fastLoops(ir);
  if (loops.length === 0) return ir;
  const guards = new Map(loops.map(({ head }, k) => [head, guardOf(head, k)]));
  const route = (to: BlockId) => guards.get(to) ?? to;
  const blocks = new Map<BlockId, RegionBlock>();
  for (const [id, block] of ir.blocks) {
    const end = mapTargets(block.ops.at(-1)!, route);
    blocks.set(id, regionBlock({ ...block, ops: copied(block.ops, undefined, end) }));
  }
  const made = loops.map((loop, k): LoopCopy => {
    const length = loop.blocks.reduce((sum, id) => sum + codeLength(blocks.get(id)!.ops), 0);
    const unrolled = unrolling(loop, length);
    return { original: loop.head, head: copyOf(loop.head, k, 0), guard: guardOf(loop.head, k), unrolled, strides: loop.strides };
  });
  loops.forEach((loop, k) => {
    const { unrolled, head, guard } = made[k]!;
    const inside = new Set(loop.blocks);
    for (const id of loop.blocks) {
      const block = ir.blocks.get(id)!;
      blocks.set(id, { ...blocks.get(id)!, cold: true });
      for (let pass = 0; pass < unrolled; pass++) {
        const nextHead = copyOf(loop.head, k, (pass + 1) % unrolled);
        const to = (was: BlockId) => (was === loop.head ? nextHead : inside.has(was) ? copyOf(was, k, pass) : route(was));
        const end = mapTargets(block.ops.at(-1)!, to);
        const ops = copied(block.ops, loop.strides.accesses.get(id), end);
        const { instructions } = block;
        const copy = regionBlock({ id: copyOf(id, k, pass), instructions, ops, copy: k });
        // The end of a pass through the copy leads to the next one, or back to the guard.
        blocks.set(copy.id, copy.next.includes(head) ? { ...copy, next: [...copy.next, guard] } : copy);
      }
    }
    const choice: Op = { kind: 'guard', loop: k, to: head, next: loop.head };
    blocks.set(guard, regionBlock({ id: guard, instructions: 0, ops: [choice], copy: k }));
  });
  return reshaped({ ...ir, entry: route(ir.entry), blocks, loops: made });
}
