// A region as a graph of lifted blocks: what each leads to, and the unchecked copies of its small loops (passes/fast-loops.ts).
import { type BasicBlock, type BlockId, beside } from '../decode/region.ts';
import { Builder } from '../ir/builder.ts';
import type { Op } from '../ir/operations.ts';
import { Lifter } from '../lift/lifter.ts';
import { RegionLeaves } from '../lift/region-leaves.ts';
import { dropDeadFlags } from '../passes/dead-flags.ts';
import type { FastLoop } from '../passes/fast-loops.ts';
import { dropStateAccesses } from '../passes/state-accesses.ts';
import type { PageCache } from './access.ts';
import { copyOf, guardOf, type LoopCopy, unrolling } from './fast-loops.ts';

export interface LiftedBlock {
  readonly block: BasicBlock;
  readonly ops: Op[];
  readonly terminator: Op | undefined;
  /** In a region with unchecked copies of loops: where an edge to a block really leads. */
  readonly route?: (to: BlockId) => BlockId;
  /** The copy that this block belongs to, or is the guard of. */
  readonly copy?: LoopCopy;
  readonly isGuard?: boolean;
  /** The operations that need no check, with their groups. */
  readonly unchecked?: ReadonlyMap<number, number> | undefined;
  /** It has an unchecked copy, so that it is hardly ever run. */
  readonly cold?: boolean;
}

/** Blocks that the end of a block leads to, so far as they can be in the region. */
export function successors(l: LiftedBlock): BlockId[] {
  if (l.isGuard) return [l.copy!.head, l.copy!.loop.head];
  const to = targets(l).map((id) => l.route?.(id) ?? id);
  // The end of a pass through a copy leads to the next one, or back to the guard.
  return l.copy !== undefined && to.includes(l.copy.head) ? [...to, l.copy.guard] : to;
}

/** Whether a way out of the block leads out of the region; `keeps`: a way to another block of it is part of it. */
export function mayLeave(l: LiftedBlock, keeps: (to: BlockId) => boolean): boolean {
  if (l.isGuard) return false;
  const kind = l.terminator?.kind;
  if (kind === 'indirect' || kind === 'leave' || kind === 'next') return true;
  const to = targets(l);
  return to.length === 0 || to.some((id) => !keeps(l.route?.(id) ?? id));
}

function targets({ block, terminator }: LiftedBlock): BlockId[] {
  const last = block.instructions.at(-1)!;
  const known = (id: BlockId | undefined) => (id === undefined ? [] : [id]);
  switch (terminator?.kind) {
    case undefined:
      return [beside(block, block.end)];
    case 'jump':
      return last.form.mnemonic === 'call' ? known(block.callee) : [beside(block, last.target!)];
    case 'branch':
      return [...new Set([last.target!, last.next])].map((eip) => beside(block, eip));
    case 'indirect':
      return known(block.returnPoint);
    default:
      return [];
  }
}

/** The helper that stands for a call which comes back: its argument, if any, is the callee's EIP. Emitted by emit/native-calls.ts. */
export const NATIVE_CALL = 'nativeCall';

/** The call at the block's end as an operation in its middle that may do anything. (A far call stays as it is.) */
function callInside(ops: Op[]): void {
  const last = ops.at(-1)!;
  if (last.kind !== 'jump' && last.kind !== 'indirect') return;
  const args = last.kind === 'jump' ? [] : [last.eip];
  ops[ops.length - 1] = {
    kind: 'helper',
    type: undefined,
    name: NATIVE_CALL,
    args,
    effects: { reads: 'all', writes: 'all', flags: 'rw', stores: true },
  };
}

/** Lifts a block to IR. */
export function liftBlock(block: BasicBlock): LiftedBlock {
  const b = new Builder();
  for (const x of block.instructions) {
    b.push({ kind: 'insn', eip: x.eip, next: x.next });
    const lifter = new Lifter(b, x.form, new RegionLeaves(b, x));
    x.spec!.lift(lifter);
    if (!lifter.ended && x.spec!.alone) lifter.next();
  }
  const { ops } = b.code;
  if (block.comesBack) callInside(ops);
  dropStateAccesses(ops);
  dropDeadFlags(ops);
  const last = ops.at(-1);
  const terminator = last !== undefined && ['jump', 'branch', 'indirect', 'leave', 'next'].includes(last.kind) ? last : undefined;
  return { block, ops, terminator };
}

/**
 * Adds unchecked copies of loops, and their guards, to which all ways in lead from then on; `cache` gives new locals of a page, `local` an i32 local.
 * Returns where a way to a block leads now.
 */
export function copyLoops(
  loops: readonly FastLoop[],
  lifted: Map<BlockId, LiftedBlock>,
  local: () => number,
  cache: (writes: boolean) => PageCache,
): (to: BlockId) => BlockId {
  const guards = new Map(loops.map(({ head }, k) => [head, guardOf(head, k)]));
  const route = (to: BlockId) => guards.get(to) ?? to;
  for (const [id, l] of lifted) lifted.set(id, { ...l, route });
  const passes = local();
  const groups = Math.max(...loops.map(({ strides }) => strides.groups.length));
  const caches = Array.from({ length: groups }, (_, k) => cache(loops.some(({ strides }) => strides.groups[k]?.writes === true)));
  loops.forEach((loop, k) => {
    const guard = guardOf(loop.head, k);
    const unrolled = unrolling(
      loop,
      loop.blocks.reduce((sum, id) => sum + lifted.get(id)!.ops.length, 0),
    );
    const copy: LoopCopy = { loop, head: copyOf(loop.head, k, 0), guard, passes, unrolled, caches };
    const inside = new Set(loop.blocks);
    for (const id of loop.blocks) {
      const l = lifted.get(id)!;
      lifted.set(id, { ...l, cold: true });
      for (let pass = 0; pass < unrolled; pass++) {
        const here = copyOf(0, k, pass);
        const moved = (to: BlockId | undefined) => (to === undefined ? undefined : to + here);
        const nextHead = copyOf(loop.head, k, (pass + 1) % unrolled);
        lifted.set(id + here, {
          ...l,
          block: { ...l.block, id: id + here, callee: moved(l.block.callee), returnPoint: moved(l.block.returnPoint) },
          copy,
          unchecked: loop.strides.accesses.get(id),
          route: (to) => (to - here === loop.head ? nextHead : inside.has(to - here) ? to : route(to - here)),
        });
      }
    }
    const { block } = lifted.get(loop.head)!;
    lifted.set(guard, { block: { ...block, id: guard, instructions: [] }, ops: [], terminator: undefined, copy, isGuard: true });
  });
  return route;
}
