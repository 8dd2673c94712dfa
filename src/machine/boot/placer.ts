// Hands out guest memory for what a loader puts beside a kernel.
import { DragomanError } from '../../api/errors.ts';
import { alignUp, hex, overlaps, type Range } from './bytes.ts';
import { HIGH_MEMORY, LOW_MEMORY_END } from './e820.ts';

const PAGE = 4096;

export class Placer {
  readonly #taken: Range[];
  readonly #ramBytes: number;
  constructor(taken: readonly Range[], ramBytes: number) {
    this.#taken = [...taken];
    this.#ramBytes = ramBytes;
  }

  /** Whole pages (one at least) above 1 MiB: behind all that is taken so far, or else in the first gap that is large enough. Throws OUT_OF_MEMORY. */
  high(bytes: number, what: string): number {
    const ends = this.#taken.map((range) => range.end).sort((a, b) => a - b);
    const behind = Math.max(HIGH_MEMORY, ...ends);
    for (const from of [behind, HIGH_MEMORY, ...ends]) {
      const range = { start: alignUp(from, PAGE), end: alignUp(from, PAGE) + Math.max(bytes, 1) };
      if (from < HIGH_MEMORY || range.end > this.#ramBytes || this.#taken.some((taken) => overlaps(taken, range))) continue;
      this.#taken.push(range);
      return range.start;
    }
    throw new DragomanError(
      'OUT_OF_MEMORY',
      `${bytes} bytes do not fit between ${hex(alignUp(behind, PAGE))} and the end of memory ${hex(this.#ramBytes)}`,
      what,
    );
  }

  /** `start`, in low memory, if nobody else uses that, else like high(). */
  low(start: number, bytes: number, what: string): number {
    const range = { start, end: start + bytes };
    if (range.end > LOW_MEMORY_END || this.#taken.some((taken) => overlaps(taken, range))) return this.high(bytes, what);
    this.#taken.push(range);
    return start;
  }
}
