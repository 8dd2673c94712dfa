// Which lines of a region's text it has not when it is made otherwise: compared by instruction, and without the numbers of values and locals, which are others as soon as one is missing.
import type { RegionCode, RegionLine } from '../../../src/api/index.ts';

type Text = 'ir' | 'wasm';

const shapeOf = ({ instructions }: RegionCode, { text, instruction }: RegionLine): string =>
  `${instruction === undefined ? '' : instructions[instruction]!.address} ${text.trim().replace(/[%$]\d+/g, '_')}`;

/** Indices of the lines of `code` that `other` has not. */
export function linesBeside(code: RegionCode, other: RegionCode, of: Text): Set<number> {
  const left = new Map<string, number>();
  for (const line of other[of]) {
    const shape = shapeOf(other, line);
    left.set(shape, (left.get(shape) ?? 0) + 1);
  }
  const found = new Set<number>();
  code[of].forEach((line, n) => {
    const shape = shapeOf(code, line);
    const count = left.get(shape) ?? 0;
    if (count > 0) left.set(shape, count - 1);
    else found.add(n);
  });
  return found;
}
