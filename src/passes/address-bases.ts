// Which accesses of a region are likely to stay on one page for a while: those through one base register. In a loop, or where
// there are many, the page is worth locals of its own (see emit/lower/access.ts).
import type { Op } from '../ir/operations.ts';
import type { RegionIr } from '../ir/region.ts';
import type { Structure } from '../ir/structure.ts';
import type { Value } from '../ir/types.ts';
import { Gpr } from '../layout/cpu.ts';
import { PAGE, PAGE_SHIFT } from '../layout/memory.ts';

/**
 * The name of what an address is relative to: a register (with a large displacement, which then is an array's address), or a
 * known page; undefined where it is neither. EBP counts as the stack.
 */
export function addressBase(ops: readonly Op[], address: Value): string | undefined {
  const op = ops[address]!;
  if (op.kind === 'get') return op.reg === Gpr.EBP ? `r${Gpr.ESP}` : `r${op.reg}`;
  if (op.kind === 'const' && op.type === 'i32') return `p${(op.value as number) >>> PAGE_SHIFT}`;
  if (op.kind !== 'pure' || (op.name !== 'i32.add' && op.name !== 'i32.sub' && op.name !== 'i32.shl')) return undefined;
  const base = addressBase(ops, op.args[0]!);
  const by = ops[op.args[1]!]!;
  const far = op.name === 'i32.add' && by.kind === 'const' && Math.abs(by.value as number) >= PAGE;
  return base !== undefined && far ? `${base}+${(by.value as number) >>> PAGE_SHIFT}` : base;
}

/** Weight of an access in a loop, and what a base must weigh to be worth two locals: outside of loops the larger code costs more. */
const LOOP_WEIGHT = 8;
const WORTH = 8;
const MOST = 3;

const STACK = `r${Gpr.ESP}`;

/** Whether a region goes to another stack: ESP becomes something that is no sum with ESP or EBP. */
export function switchesStacks({ blocks }: RegionIr): boolean {
  const stays = (ops: readonly Op[], value: Value): boolean => {
    const op = ops[value]!;
    // An alignment of ESP; else a sum.
    if (op.kind === 'pure' && op.name === 'i32.and') return stays(ops, op.args[0]!);
    return addressBase(ops, value)?.startsWith(STACK) === true;
  };
  for (const { ops } of blocks.values())
    for (const op of ops) if (op.kind === 'set' && op.reg === Gpr.ESP && !stays(ops, op.value)) return true;
  return false;
}

interface Base {
  readonly name: string;
  weight: number;
  writes: boolean;
}

/** The stack alone, if it is worth it. */
export const cachedStack = (ir: RegionIr): Map<string, boolean> => asCached(worthyBases(ir).filter(({ name }) => name === STACK));

/** The bases that are worth it, with whether something is stored through them. */
export const cachedBases = (ir: RegionIr): Map<string, boolean> =>
  asCached(
    worthyBases(ir)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, MOST),
  );

const asCached = (bases: readonly Base[]): Map<string, boolean> => new Map(bases.map(({ name, writes }) => [name, writes]));

function worthyBases({ flow, blocks }: RegionIr): Base[] {
  const depth = loopDepths(flow);
  const bases = new Map<string, Base>();
  for (const n of flow.order) {
    const { ops, cold } = blocks.get(n)!;
    // What is hardly ever run is not worth the locals.
    if (cold) continue;
    const weight = LOOP_WEIGHT ** depth.get(n)!;
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i]!;
      if ((op.kind !== 'load' && op.kind !== 'store') || op.group !== undefined) continue;
      const name = addressBase(ops, op.address);
      if (name === undefined) continue;
      let base = bases.get(name);
      if (base === undefined) bases.set(name, (base = { name, weight: 0, writes: false }));
      base.weight += weight;
      base.writes ||= op.kind === 'store' || op.rmw;
    }
  }
  return [...bases.values()].filter(({ weight }) => weight >= WORTH);
}

/** In how many loops each block is; a block laid out between a loop's head and its last way back counts as inside. */
export function loopDepths(flow: Structure): Map<number, number> {
  const depth = new Map<number, number>();
  for (const n of flow.order) depth.set(n, 0);
  if (flow.loops.size === 0) return depth;
  flow.order.forEach((head, start) => {
    if (!flow.loops.has(head)) return;
    const end = flow.order.findLastIndex((n) => flow.goesBack(n, head));
    for (const n of flow.order.slice(start, end + 1)) depth.set(n, depth.get(n)! + 1);
  });
  return depth;
}
