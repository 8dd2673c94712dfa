// Forward data flow over a region's blocks: in which form the flags arrive at each of them. Where the ways in end with the
// same kind of operation, it goes on to be known, and the flag words are only made where somebody looks; else the words are
// carried. Inputs and result of the operation that are in a register, or constant, need no local of their own.
import { effectsOf, isCall, keepsCarry, type Op, type OpOf } from '../ir/operations.ts';
import type { FlagKind, Value } from '../ir/types.ts';
import type { RegionIr } from '../translate/graph.ts';

/** Where an input or the result of the operation can be found: in a general register, or it is a constant. */
export type Source = { readonly reg: number } | { readonly value: number };

export interface FlagShape {
  readonly flag: FlagKind;
  readonly width: 8 | 16 | 32;
  /** Some way in brings the words instead: a local says at run time which of the two it is. */
  readonly maybe: boolean;
  readonly a: Source | undefined;
  readonly b: Source | undefined;
  readonly r: Source | undefined;
}

/** 'words': the flag words are current. (INC and DEC find their CF in the words in any case.) 'dead': nobody looks before they are set. */
export type Shape = FlagShape | 'words' | 'dead';

/** How to get at a, b and r of a shape: a source, a local that is carried, or from the other two. */
export type Place = Source | 'local' | 'derived' | 'unused';
export type Places = Readonly<Record<'a' | 'b' | 'r', Place>>;

export function placesOf({ flag, a, b, r }: FlagShape): Places {
  if (flag === 'logic' || keepsCarry(flag)) return { a: 'unused', b: 'unused', r: r ?? 'local' };
  if (flag === 'adc' || flag === 'sbb') return { a: a ?? 'local', b: b ?? 'local', r: r ?? 'local' };
  // Two of the three are enough.
  if (a && b) return { a, b, r: r ?? 'derived' };
  if (a) return { a, b: 'derived', r: r ?? 'local' };
  if (b) return r ? { a: 'derived', b, r } : { a: 'local', b, r: 'derived' };
  return r ? { a: 'local', b: 'derived', r } : { a: 'local', b: 'local', r: 'derived' };
}

const sameSource = (p: Source | undefined, q: Source | undefined): boolean =>
  p === q || (p !== undefined && q !== undefined && ('reg' in p ? 'reg' in q && p.reg === q.reg : 'value' in q && p.value === q.value));
const sameKind = (p: FlagShape, q: FlagShape): boolean => p.flag === q.flag && p.width === q.width;

/** Whether flags that leave a block as `out` can be handed on as `wanted`, which says less. */
export function agrees(out: Shape, wanted: FlagShape): boolean {
  if (typeof out === 'string' || !sameKind(out, wanted) || (out.maybe && !wanted.maybe)) return false;
  return (['a', 'b', 'r'] as const).every((k) => wanted[k] === undefined || sameSource(out[k], wanted[k]));
}

/** The shape behind a block that the flags enter as `shape`. */
export function shapeAfter(ops: readonly Op[], shape: Shape): Shape {
  const holds = new Map<number, Value>();
  const same = new Map<Value, Value>();
  const written = new Set<number>();
  const canonical = (v: Value) => same.get(v) ?? v;
  let last: OpOf<'flags'> | 'words' | undefined;
  ops.forEach((op, i) => {
    if (op.kind === 'get') {
      const held = holds.get(op.reg);
      if (held === undefined) holds.set(op.reg, i);
      else same.set(i, held);
    } else if (op.kind === 'set') {
      holds.set(op.reg, canonical(op.value));
      written.add(op.reg);
    } else if (isCall(op)) {
      const { writes, flags } = effectsOf(op);
      for (const reg of writes === 'all' ? [0, 1, 2, 3, 4, 5, 6, 7] : (writes ?? [])) {
        holds.delete(reg);
        written.add(reg);
      }
      if (flags !== undefined) last = 'words';
    } else if (op.kind === 'flags') last = op;
    else if (op.kind === 'setRX') last = 'words';
  });
  if (last === 'words') return 'words';
  if (last === undefined) {
    if (typeof shape === 'string') return shape;
    const kept = (s: Source | undefined) => (s !== undefined && 'reg' in s && written.has(s.reg) ? undefined : s);
    return { ...shape, a: kept(shape.a), b: kept(shape.b), r: kept(shape.r) };
  }
  const { flag, width, a, b, r } = last as OpOf<'flags'>;
  const source = (v: Value): Source | undefined => {
    const op = ops[v]!;
    if (op.kind === 'const') return { value: op.value as number };
    for (const [reg, held] of holds) if (held === canonical(v)) return { reg };
    return undefined;
  };
  return { flag, width, maybe: false, a: source(a), b: source(b), r: source(r) };
}

function meet(p: Shape, q: Shape): Shape {
  if (p === 'dead' || q === 'dead') throw new Error('flags that nobody made are wanted');
  if (p === 'words') return q === 'words' ? q : { ...q, maybe: true };
  if (q === 'words') return { ...p, maybe: true };
  if (!sameKind(p, q)) return 'words';
  const both = (k: 'a' | 'b' | 'r') => (sameSource(p[k], q[k]) ? p[k] : undefined);
  return { flag: p.flag, width: p.width, maybe: p.maybe || q.maybe, a: both('a'), b: both('b'), r: both('r') };
}

const equal = (p: Shape | undefined, q: Shape | undefined): boolean =>
  p === q ||
  (p !== undefined &&
    q !== undefined &&
    typeof p !== 'string' &&
    typeof q !== 'string' &&
    p.maybe === q.maybe &&
    agrees(p, q) &&
    agrees(q, p));

/** More rounds than this: the words are carried everywhere. */
const ROUNDS = 12;

/**
 * The shape of the flags at the start of each block. The entry comes with the words. At the head of a loop the ways back
 * decide; a way in that brings something else makes the words there. `live`: blocks at whose start the flags matter at all.
 */
export function flagShapes({ entry, flow, blocks }: RegionIr, live: ReadonlySet<number>): ReadonlyMap<number, Shape> {
  const ways = new Map<number, number[]>(flow.order.map((n) => [n, []]));
  for (const n of flow.order) for (const to of new Set(blocks.get(n)!.next)) if (flow.keeps(n, to)) ways.get(to)!.push(n);
  const shapes = new Map<number, Shape>();
  const outs = new Map<number, Shape>();
  const shapeAt = (n: number): Shape => {
    if (!live.has(n)) return 'dead';
    const from = (list: number[]) => list.map((p) => outs.get(p)).filter((out) => out !== undefined);
    const back = from(ways.get(n)!.filter((p) => flow.isBack(p, n)));
    const forward = from(ways.get(n)!.filter((p) => !flow.isBack(p, n)));
    if (n === entry) forward.push('words');
    if (back.length === 0) return forward.reduce(meet);
    const loop = back.reduce(meet);
    if (typeof loop === 'string') return loop;
    return forward.every((out) => agrees(out, loop)) ? loop : { ...loop, maybe: true };
  };
  for (let round = 0; ; round++) {
    if (round === ROUNDS) return new Map(flow.order.map((n) => [n, 'words']));
    let changed = false;
    for (const n of flow.order) {
      const shape = shapeAt(n);
      if (equal(shapes.get(n), shape)) continue;
      shapes.set(n, shape);
      outs.set(n, shapeAfter(blocks.get(n)!.ops, shape));
      changed = true;
    }
    if (!changed) return shapes;
  }
}
