// Which loops are worth an unchecked copy (translate/loops.ts): small ones, in which addresses move evenly.
import type { Strides } from '../ir/loop-copy.ts';
import { effectsOf, isCall, type Op } from '../ir/operations.ts';
import type { RegionIr } from '../ir/region.ts';
import type { Structure } from '../ir/structure.ts';
import type { Effects } from '../ir/types.ts';
import { strides } from './strides.ts';

/** Operations in a loop that is worth a copy, and copies in a region, at the most. */
const LARGEST = 200;
const MOST = 6;

export interface FastLoop {
  readonly head: number;
  /** The loop's blocks, in an order in which each comes behind those that lead to it. */
  readonly blocks: readonly number[];
  readonly strides: Strides;
}

/** Operations of a block, but for a jump to what follows it, which is no code. */
export const codeLength = (ops: readonly Op[]): number =>
  ops.at(-1)!.kind === 'jump' && ops.at(-2)?.kind !== 'insn' ? ops.length - 1 : ops.length;

/** Loops that have no loop inside, cannot change the TLB, and have accesses that move evenly. */
export function fastLoops({ flow, blocks }: RegionIr): FastLoop[] {
  const found: FastLoop[] = [];
  for (const head of flow.loops) {
    if (found.length === MOST) break;
    const body = loopBody(head, flow, blocks);
    if (body.some((n) => n !== head && flow.loops.has(n))) continue;
    const ops = body.map((n) => blocks.get(n)!.ops);
    if (ops.reduce((sum, list) => sum + codeLength(list), 0) > LARGEST || ops.some((list) => list.some(disturbs))) continue;
    const inside = new Set(body);
    const moving = strides(new Map(body.map((n) => [n, blocks.get(n)!.ops])), (n) =>
      [...new Set(blocks.get(n)!.next)].filter((to) => inside.has(to) && flow.keeps(n, to)),
    );
    if (moving !== undefined) found.push({ head, blocks: body, strides: moving });
  }
  return found;
}

const mayFlush = ({ changes, stores, mayFault, eip }: Effects): boolean => changes === undefined && (stores || mayFault || eip) === true;
/** Whether an operation may take entries out of the TLB, or does not come back to the loop. */
const disturbs = (op: Op): boolean =>
  (isCall(op) && mayFlush(effectsOf(op))) ||
  op.kind === 'repeat' ||
  op.kind === 'nextIf' ||
  // Another CPU may take entries away while a locked access waits for it.
  (op.kind === 'load' && op.locked === true);

/** Blocks from which a way leads back to the head without passing it, the head first. */
function loopBody(head: number, flow: Structure, blocks: ReadonlyMap<number, { readonly next: readonly number[] }>): number[] {
  const before = new Map<number, number[]>();
  for (const n of flow.order) for (const to of blocks.get(n)!.next) if (flow.keeps(n, to)) before.set(to, [...(before.get(to) ?? []), n]);
  const body = new Set([head]);
  const work = flow.order.filter((n) => flow.goesBack(n, head));
  while (work.length > 0) {
    const n = work.pop()!;
    if (body.has(n)) continue;
    body.add(n);
    work.push(...(before.get(n) ?? []));
  }
  return flow.order.filter((n) => body.has(n));
}
