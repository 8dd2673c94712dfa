// The RAM of a checkpoint: a copy of each page that is not all zeros. A page that is as it was in the checkpoint before shares that one's copy, so a checkpoint costs what has changed since.
import { PAGE } from '../layout/memory.ts';
import { isSame, isZero, WORDS } from '../snapshot/pages.ts';

/** By page; undefined: all zeros. */
export type Pages = readonly (Uint8Array | undefined)[];

/** Copies `ram`. `before`: pages whose copies can be shared. */
export function copyPages(ram: Uint8Array, before: Pages | undefined): Pages {
  const words = new Int32Array(ram.buffer, ram.byteOffset, ram.length / 4);
  return Array.from({ length: ram.length / PAGE }, (_, page) => {
    const there = before?.[page];
    if (there !== undefined && isSame(words, page * WORDS, there)) return there;
    if (isZero(words, page * WORDS)) return undefined;
    const copy = new Uint8Array(PAGE);
    copy.set(ram.subarray(page * PAGE, (page + 1) * PAGE));
    return copy;
  });
}

export function putPages(ram: Uint8Array, pages: Pages): void {
  for (const [page, copy] of pages.entries()) {
    if (copy !== undefined) ram.set(copy, page * PAGE);
    else ram.fill(0, page * PAGE, (page + 1) * PAGE);
  }
}

/** Bytes of copies that are neither `before`'s nor `behind`'s. */
export function ownBytes(pages: Pages, before: Pages | undefined, behind: Pages | undefined): number {
  let count = 0;
  pages.forEach((copy, page) => {
    if (copy !== undefined && copy !== before?.[page] && copy !== behind?.[page]) count++;
  });
  return count * PAGE;
}
