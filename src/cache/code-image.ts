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

/** A piece of a page as one number: pieces are ordered as their starts are. */
const PIECE = 2 * PAGE;
export const pieceOf = (start: number, end: number): number => start * PIECE + end;

/** The image of pieces of a page (each of which code was made from), which may overlap. */
export function imageOf(page: Uint8Array, pieces: Iterable<number>): CodeImage {
  const ranges: number[] = [];
  for (const piece of Int32Array.from(pieces).sort()) {
    const end = piece % PIECE;
    const start = (piece - end) / PIECE;
    const last = ranges.length - 1;
    if (last < 0 || start > ranges[last]!) ranges.push(start, end);
    else if (end > ranges[last]!) ranges[last] = end;
  }
  const bytes = new Uint8Array(lengthOf(ranges));
  for (let i = 0, at = 0; i < ranges.length; i += 2) {
    bytes.set(page.subarray(ranges[i], ranges[i + 1]), at);
    at += ranges[i + 1]! - ranges[i]!;
  }
  return { ranges, bytes };
}

/** Writes an image into its page. */
export function putImage(page: Uint8Array, { ranges, bytes }: CodeImage): void {
  for (let i = 0, at = 0; i < ranges.length; at += ranges[i + 1]! - ranges[i]!, i += 2)
    page.set(bytes.subarray(at, at + ranges[i + 1]! - ranges[i]!), ranges[i]!);
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
