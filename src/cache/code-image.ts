// What code was made from: which bytes of a page, and what was there. A translation carries it, so that whoever is to install the code, or hears of a store to
// the page, can compare.
import { PAGE } from '../layout/memory.ts';

/** Bytes of a page that code was made from: from where to where, in order of their offsets, and what was there. */
export interface CodeImage {
  /** Pairs of offsets in the page: first byte, first byte behind. */
  readonly ranges: readonly number[];
  /** The bytes of all ranges. */
  readonly bytes: Uint8Array;
}

/** The image of what `used` marks (1: a byte that code was made from) in a page. */
export function imageOf(page: Uint8Array, used: Uint8Array): CodeImage {
  const ranges: number[] = [];
  for (let at = used.indexOf(1); at >= 0; ) {
    let end = used.indexOf(0, at);
    if (end < 0) end = PAGE;
    ranges.push(at, end);
    at = used.indexOf(1, end);
  }
  return { ranges, bytes: page.filter((_, offset) => used[offset] === 1) };
}

/** Bytes in ranges. */
export const lengthOf = (ranges: readonly number[]): number => ranges.reduce((sum, x, i) => sum + (i & 1 ? x : -x), 0);

/** Whether an image has a byte in [start, end) of its page. */
export function touches({ ranges }: CodeImage, start: number, end: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) if (ranges[i]! < end && ranges[i + 1]! > start) return true;
  return false;
}

/** Whether the page whose bytes start at `host` in `u8` still holds an image. */
export function holds(u8: Uint8Array, host: number, { ranges, bytes }: CodeImage): boolean {
  for (let i = 0, at = 0; i < ranges.length; i += 2)
    for (let k = ranges[i]!; k < ranges[i + 1]!; k++) if (u8[host + k] !== bytes[at++]) return false;
  return true;
}
