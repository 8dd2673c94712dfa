// What code was made from: which bytes of which pages, and what was there. A translation carries it, so that whoever is to install the code, or hears of a store to
// one of the pages, can compare.
import { PAGE, PAGE_SHIFT } from '../layout/memory.ts';

/** Bytes that code was made from: from where to where, in order of their offsets, and what was there. */
export interface CodeImage {
  /** Pairs of offsets from the start of the code's own page (below 0, or PAGE and above: on others), in linear and in physical memory: first byte, first byte behind; each on one page. */
  readonly ranges: readonly number[];
  /** The bytes of all ranges. */
  readonly bytes: Uint8Array;
}

/** A piece of a page: offsets as in CodeImage. */
export type Piece = readonly [start: number, end: number];

/** Gives the bytes of the page that is so far from a code's own one. */
export type PageAt = (by: number) => Uint8Array;
const pageOf = (offset: number): number => offset & -PAGE;

/** The image of pieces of pages (each of which code was made from), which may overlap. */
export function imageOf(pageAt: PageAt, pieces: Iterable<Piece>): CodeImage {
  const ranges: number[] = [];
  for (const [start, end] of [...pieces].sort(([a], [b]) => a - b)) {
    const last = ranges.length - 1;
    if (last < 0 || start > ranges[last]! || (start === ranges[last] && start === pageOf(start))) ranges.push(start, end);
    else if (end > ranges[last]!) ranges[last] = end;
  }
  const bytes = new Uint8Array(lengthOf(ranges));
  eachRange(ranges, (start, end, at) => {
    const by = pageOf(start);
    bytes.set(pageAt(by).subarray(start - by, end - by), at);
  });
  return { ranges, bytes };
}

/** Calls `each` with every range, and where its bytes are in the image. */
function eachRange(ranges: readonly number[], each: (start: number, end: number, at: number) => void): void {
  for (let i = 0, at = 0; i < ranges.length; i += 2) {
    each(ranges[i]!, ranges[i + 1]!, at);
    at += ranges[i + 1]! - ranges[i]!;
  }
}

/** Writes an image into its pages. */
export function putImage(pageAt: PageAt, { ranges, bytes }: CodeImage): void {
  eachRange(ranges, (start, end, at) => pageAt(pageOf(start)).set(bytes.subarray(at, at + end - start), start - pageOf(start)));
}

/** Numbers of the physical pages of an image whose own page has number `own`, each once. */
export const pagesOf = (own: number, { ranges }: CodeImage): number[] => [
  ...new Set([own, ...ranges.filter((_, k) => k % 2 === 0).map((start) => own + (start >> PAGE_SHIFT))]),
];

/** Bytes in ranges. */
export const lengthOf = (ranges: readonly number[]): number => ranges.reduce((sum, x, i) => sum + (i & 1 ? x : -x), 0);

/** Whether an image has a byte in [start, end), as its ranges are. */
export function touches({ ranges }: CodeImage, start: number, end: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) if (ranges[i]! < end && ranges[i + 1]! > start) return true;
  return false;
}

/** Whether the bytes around the page that starts at `host` in `u8` are still those of an image. */
export function holds(u8: Uint8Array, host: number, { ranges, bytes }: CodeImage): boolean {
  for (let i = 0, at = 0; i < ranges.length; i += 2)
    for (let k = ranges[i]!; k < ranges[i + 1]!; k++) if (u8[host + k] !== bytes[at++]) return false;
  return true;
}
