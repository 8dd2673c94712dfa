// Drops checks of the CPU's state (whether SSE or the x87 may be used) that were passed on every way to a block, as long as nothing changed what they ask.
// What a block itself asked before is known to state-accesses.ts.
import { isCall, type Op, type OpOf } from '../ir/operations.ts';
import type { RegionBlock, RegionIr } from '../ir/region.ts';
import { overlap, type Place, type Value } from '../ir/types.ts';
import { placeOf } from './state-accesses.ts';

/** A word of the CPU's state, of which some bits must be 0. */
interface Check extends Place {
  readonly key: string;
}

function checkOf(ops: readonly Op[], { cond, vector }: OpOf<'raise'>): Check | undefined {
  if (cond === undefined) return undefined;
  const load = (v: Value) => {
    const op = ops[v]!;
    return op.kind === 'ldstate' && op.type === 'i32' && op.address === undefined ? op : undefined;
  };
  const op = ops[cond]!;
  const whole = load(cond);
  if (whole !== undefined) return check(whole, 'all', vector);
  if (op.kind !== 'pure' || op.name !== 'i32.and') return undefined;
  const [word, mask] = [load(op.args[0]!), ops[op.args[1]!]!];
  return word !== undefined && mask.kind === 'const' ? check(word, String(mask.value), vector) : undefined;
}
const check = ({ offset, bytes }: OpOf<'ldstate'>, mask: string, vector: number): Check => ({
  key: `${offset}:${bytes}:${mask}:${vector}`,
  at: offset,
  end: offset + bytes,
});

/** By key. */
type Passed = ReadonlyMap<string, Check>;
const NONE: Passed = new Map();

/** What of the CPU's state an operation may change: places, or all of it. */
function changesOf(op: Op, ops: readonly Op[]): readonly Place[] | 'all' | undefined {
  if (isCall(op)) return op.kind === 'helper' ? (op.effects.changes ?? 'all') : 'all';
  if (op.kind !== 'ststate') return undefined;
  const at = placeOf(ops, op);
  return at === undefined ? (op.within ?? 'all') : [{ at, end: at + op.bytes }];
}

/** The checks that are passed behind a block's operations; `known` is told of each that was before. */
function behind(ops: readonly Op[], before: Passed, known?: (i: number) => void): Passed {
  let now: Map<string, Check> | undefined;
  const own = () => (now ??= new Map(before));
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    if (op.kind === 'raise') {
      const one = checkOf(ops, op);
      if (one === undefined) continue;
      if ((now ?? before).has(one.key)) known?.(i);
      else own().set(one.key, one);
      continue;
    }
    const changed = changesOf(op, ops);
    if (changed === undefined || (now ?? before).size === 0) continue;
    if (changed === 'all') now = new Map();
    else for (const check of [...(now ?? before).values()]) if (changed.some((place) => overlap(place, check))) own().delete(check.key);
  }
  return now ?? before;
}

const hasCheck = ({ ops }: RegionBlock): boolean => ops.some((op) => op.kind === 'raise' && checkOf(ops, op) !== undefined);

export function dropPassedChecks(ir: RegionIr): RegionIr {
  const { flow, blocks, entry } = ir;
  const checking = flow.order.filter((n) => hasCheck(blocks.get(n)!));
  if (checking.length === 0 || flow.order.length === 1) return ir;
  // undefined: no way there is known yet.
  const before = new Map<number, Passed>([[entry, NONE]]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of flow.order) {
      const start = before.get(n);
      if (start === undefined) continue;
      const block = blocks.get(n)!;
      const end = behind(block.ops, start);
      for (const to of block.next) {
        if (!flow.keeps(n, to) || to === entry) continue;
        const was = before.get(to);
        const meet = was === undefined ? end : new Map([...was].filter(([key]) => end.has(key)));
        if (was !== undefined && meet.size === was.size) continue;
        before.set(to, meet);
        changed = true;
      }
    }
  }
  const out = new Map(blocks);
  for (const n of checking) {
    const block = blocks.get(n)!;
    let ops: Op[] | undefined;
    behind(block.ops, before.get(n) ?? NONE, (i) => {
      (ops ??= block.ops.slice())[i] = { kind: 'const', type: 'i32', value: 0 };
    });
    if (ops !== undefined) out.set(n, { ...block, ops });
  }
  return { ...ir, blocks: out };
}
