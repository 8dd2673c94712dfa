// Forward data flow over a region's blocks: in which form the flags arrive at each of them. Where the ways in end with the
// same kind of operation, it goes on to be known, and the flag words are only made where somebody looks; else the words are
// carried. Inputs and result of the operation that are in a register, or constant, need no local of their own.
import { effectsOf, isCall, keepsCarry, type Op, type OpOf } from '../ir/operations.ts';
import type { RegionIr } from '../ir/region.ts';
import type { FlagKind, Value } from '../ir/types.ts';

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

/** What a block does to the flags: makes a shape of its own, or leaves what they were but for the registers that it writes (a bit for each). */
type Change = { readonly shape: Shape } | { readonly written: number };

/** All general registers, or some of them, as bits. */
const bits = (regs: readonly number[] | 'all' | undefined): number =>
  regs === 'all' ? ~0 : (regs ?? []).reduce((all, reg) => all | (1 << reg), 0);

function changeOf(ops: readonly Op[]): Change {
  let written = 0;
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i]!;
    if (op.kind === 'flags') return { shape: shapeOf(op, ops) };
    if (op.kind === 'setRX') return { shape: 'words' };
    if (op.kind === 'set') written |= 1 << op.reg;
    else if (isCall(op)) {
      const { writes, flags } = effectsOf(op);
      if (flags !== undefined) return { shape: 'words' };
      written |= bits(writes);
    }
  }
  return { written };
}

/** The shape that an operation which sets the flags leaves at the end of its block. */
function shapeOf({ flag, width, a, b, r }: OpOf<'flags'>, ops: readonly Op[]): FlagShape {
  /** Which register holds which value, the one first that held one first. */
  const holds = new Map<number, Value>();
  /** What a register was found to hold, by the later one of two equal values. */
  const same = new Map<Value, Value>();
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    if (op.kind === 'get') {
      const held = holds.get(op.reg);
      if (held === undefined) holds.set(op.reg, i);
      else same.set(i, held);
    } else if (op.kind === 'set') holds.set(op.reg, same.get(op.value) ?? op.value);
    else if (isCall(op)) {
      const { writes } = effectsOf(op);
      if (writes === 'all') holds.clear();
      else if (writes !== undefined) for (const reg of writes) holds.delete(reg);
    }
  }
  const source = (v: Value): Source | undefined => {
    const op = ops[v]!;
    if (op.kind === 'const') return { value: op.value as number };
    const held = same.get(v) ?? v;
    for (const [reg, value] of holds) if (value === held) return { reg };
    return undefined;
  };
  return { flag, width, maybe: false, a: source(a), b: source(b), r: source(r) };
}

/** The shape behind a block that the flags enter as `shape`. */
function after(change: Change, shape: Shape): Shape {
  if ('shape' in change) return change.shape;
  const { written } = change;
  if (typeof shape === 'string' || written === 0) return shape;
  const kept = (s: Source | undefined) => (s !== undefined && 'reg' in s && (written & (1 << s.reg)) !== 0 ? undefined : s);
  return { ...shape, a: kept(shape.a), b: kept(shape.b), r: kept(shape.r) };
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

/** Of each block: the shape of the flags at its start, and behind it. */
export interface Shapes {
  readonly before: ReadonlyMap<number, Shape>;
  readonly behind: ReadonlyMap<number, Shape>;
}

/**
 * The entry comes with the words. At the head of a loop the ways back
 * decide; a way in that brings something else makes the words there. `live`: blocks at whose start the flags matter at all.
 */
export function flagShapes({ entry, flow, blocks }: RegionIr, live: ReadonlySet<number>): Shapes {
  const { order } = flow;
  const ways = new Map<number, number[]>();
  for (const n of order) ways.set(n, []);
  const changes = new Map<number, Change>();
  for (const n of order) {
    const { ops, next } = blocks.get(n)!;
    changes.set(n, changeOf(ops));
    for (let k = 0; k < next.length; k++) if (next.indexOf(next[k]!) === k && flow.keeps(n, next[k]!)) ways.get(next[k]!)!.push(n);
  }
  const before = new Map<number, Shape>();
  const behind = new Map<number, Shape>();
  const shapeAt = (n: number): Shape => {
    if (!live.has(n)) return 'dead';
    const forward: Shape[] = [];
    let loop: Shape | undefined;
    for (const p of ways.get(n)!) {
      const out = behind.get(p);
      if (out === undefined) continue;
      if (!flow.isBack(p, n)) forward.push(out);
      else loop = loop === undefined ? out : meet(loop, out);
    }
    if (n === entry) forward.push('words');
    if (loop === undefined) return forward.length === 1 ? forward[0]! : forward.reduce(meet);
    if (typeof loop === 'string') return loop;
    const wanted = loop;
    return forward.every((out) => agrees(out, wanted)) ? wanted : { ...wanted, maybe: true };
  };
  for (let round = 0; round < ROUNDS; round++) {
    let changed = false;
    for (const n of order) {
      const shape = shapeAt(n);
      if (equal(before.get(n), shape)) continue;
      before.set(n, shape);
      behind.set(n, after(changes.get(n)!, shape));
      changed = true;
    }
    if (!changed) return { before, behind };
  }
  for (const n of order) {
    before.set(n, 'words');
    behind.set(n, after(changes.get(n)!, 'words'));
  }
  return { before, behind };
}
