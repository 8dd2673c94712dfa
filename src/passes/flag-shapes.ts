// Forward data flow over a region's blocks: in which form the flags arrive at each of them. Where every way in ends with
// the same kind of operation, its inputs and result are carried in locals and the flag words are only made where
// somebody looks; else the words are carried.
import type { FlagKind, Op } from '../ir/types.ts';
import type { Structure } from './structure.ts';

export interface FlagShape {
  readonly flag: FlagKind;
  readonly width: 8 | 16 | 32;
  /** Some way in brings the words instead: a local says at run time which of the two it is. */
  readonly maybe: boolean;
}

/** 'words': the flag words are current. */
export type Shape = FlagShape | 'words';

/** Operations whose flags follow from two inputs and the result alone. */
export const isCarried = (flag: FlagKind): boolean => flag !== 'inc' && flag !== 'dec';

/** The shape behind a block that the flags enter as `shape`. */
function after(ops: readonly Op[], shape: Shape): Shape {
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i]!;
    if (op.kind === 'flags') return isCarried(op.flag) ? { flag: op.flag, width: op.width, maybe: false } : 'words';
    if (op.kind === 'setRX') return 'words';
    if (op.kind === 'helper' && op.effects.flags !== undefined) return 'words';
  }
  return shape;
}

function meet(a: Shape, b: Shape): Shape {
  if (a === 'words') return b === 'words' ? b : { ...b, maybe: true };
  if (b === 'words') return { ...a, maybe: true };
  if (a.flag !== b.flag || a.width !== b.width) return 'words';
  return a.maybe ? a : b;
}

const same = (a: Shape | undefined, b: Shape): boolean =>
  a === b || (a !== undefined && a !== 'words' && b !== 'words' && a.flag === b.flag && a.width === b.width && a.maybe === b.maybe);

/** The shape of the flags at the start of each block. The entry comes with the words. */
export function flagShapes(
  entry: number,
  flow: Structure,
  blocks: ReadonlyMap<number, { readonly ops: readonly Op[]; readonly next: readonly number[] }>,
): ReadonlyMap<number, Shape> {
  const shapes = new Map<number, Shape>([[entry, 'words']]);
  const mixed = new Set<number>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of flow.order) {
      const shape = shapes.get(n);
      if (shape === undefined) continue;
      const out = after(blocks.get(n)!.ops, shape);
      for (const to of blocks.get(n)!.next) {
        if (!flow.keeps(n, to) || mixed.has(to)) continue;
        const old = shapes.get(to);
        let shape = old === undefined ? out : meet(old, out);
        // Two kinds met: words for good, so that the iteration ends.
        if (old !== undefined && old !== 'words' && shape === 'words') mixed.add(to);
        else if (to === entry && shape !== 'words') shape = { ...shape, maybe: true };
        if (same(old, shape)) continue;
        shapes.set(to, shape);
        changed = true;
      }
    }
  }
  return shapes;
}
