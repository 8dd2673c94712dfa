// Which bytes of a page of RAM the CPUs hold code of, and how stores to them are noticed. The other half is wasm/memory/codepage.ts.
//
// A page's flag (PAGE_HAS_CODE) says that some CPU holds code of it: no TLB gives a right to write there then, so every store takes a slow path, which looks at
// the page's code map, a bit for each byte. A store beside all code is done and that was it. One that hits code is done as well (a region leaves it to the
// interpreter), and then the CPU drops the blocks and regions that were made from other bytes than are there now, and tells the others (drop.ts) to look at theirs.
//
// Who sets what:
// * The flag is set by `markCode` (wasm/memory/exclusive.ts) while all other CPUs are parked, so no store is on its way that was looked up before. It gives the page an empty map first. Where no
//   map is free, every byte counts as code.
// * Bits of the map are set by whoever decodes or installs, *before* it compares the bytes it has with those in RAM. A store is done *before* the look at the map. Both orders
//   are of sequentially consistent accesses: so either the one sees the new bytes, or the other sees the bit and tells. That is all that keeps code and bytes together; nobody
//   has to park for a bit.
// * Small loops and locked instructions look at the map first and store later, up to their next poll, with no look behind it. They say so in the map (STORES_BESIDE in wasm/memory/codepage.ts), and who enters
//   bits in such a map parks all others before it compares (`settleStores`).
// * Bits are cleared by a machine's only CPU, which knows what it holds, and by the clearing of the flag.
// * The flag is cleared (drop.ts) when stores hit code several times and nobody decoded in between: all CPUs drop all they have of the page, and it is data from then on.
import type { SharedMemory } from '../cpu/state.ts';
import { PAGE, PAGE_SHIFT, PageMeta } from '../layout/memory.ts';

/** Calls `each` with every word of its page's code map that `bytes` bytes at `phys`, all in one page, have bits in, and those bits; false where it has no map. */
function eachWord(
  { i32, plan }: SharedMemory,
  phys: number,
  bytes: number,
  each: (index: number, mask: number, offset: number) => void,
): boolean {
  const map = i32[(plan.pageMeta + (phys >>> PAGE_SHIFT) * PageMeta.size + PageMeta.at.codeMap) >> 2]!;
  if (map === 0) return false;
  const first = phys & (PAGE - 1);
  const last = first + bytes - 1;
  for (let word = first >>> 5; word <= last >>> 5; word++) {
    let mask = -1;
    if (word === first >>> 5) mask <<= first & 31;
    if (word === last >>> 5) mask &= -1 >>> (31 - (last & 31));
    each((map >> 2) + word, mask, word << 5);
  }
  return true;
}

/** Enters `bytes` bytes at `phys`, all in one page. */
export function enterCode(shared: SharedMemory, phys: number, bytes: number): void {
  eachWord(shared, phys, bytes, (index, mask) => void Atomics.or(shared.i32, index, mask));
}

/** Whether `bytes` bytes at `phys`, all in one page that has code, touch what some CPU may hold code of. */
export function hitsCode(shared: SharedMemory, phys: number, bytes: number): boolean {
  let hits = false;
  const mapped = eachWord(shared, phys, bytes, (index, mask) => {
    if ((Atomics.load(shared.i32, index) & mask) !== 0) hits = true;
  });
  return hits || !mapped;
}

/** Takes out those of `bytes` bytes at `phys`, all in one page, that are held no more. Only for a machine's only CPU. */
export function leaveCode(shared: SharedMemory, phys: number, bytes: number, holds: (phys: number, bytes: number) => boolean): void {
  const page = phys & -PAGE;
  eachWord(shared, phys, bytes, (index, mask, offset) => {
    let gone = 0;
    for (let bit = 0; bit < 32; bit++) if ((mask >>> bit) & 1 && !holds(page + offset + bit, 1)) gone |= 1 << bit;
    if (gone !== 0) Atomics.and(shared.i32, index, ~gone);
  });
}

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
