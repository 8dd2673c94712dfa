// Marks at addresses of guest code, of several kinds: bits in a client's room that all CPUs share, for the pages where some code has been run. A page's bits are given to it by a call, the first time;
// from then on a mark that is set costs two loads and two comparisons.

import type { Value } from '../ir/types.ts';
import type { ClientBuilder } from './builder.ts';
import type { Call } from './client.ts';
import type { ClientView } from './view.ts';

const PAGE_SHIFT = 12;
const PAGES = 1 << (32 - PAGE_SHIFT);
/** Of one kind for a page: a bit for each byte of code. */
const KIND_BYTES = (1 << PAGE_SHIFT) / 8;
/** Number of the call that gives a page its bits. */
const GIVE = 0;
/** How many pages have asked, in front of a number (u16) for each page: 0 for none yet. */
const TABLE = 64;
const BITS = TABLE + PAGES * 2;

/** Which bits are set of a kind. */
export interface Marks {
  /** Addresses, in order. */
  of(kind: number): number[];
  readonly pages: number;
  /** Pages of code that came when all bits were given away. */
  readonly lostPages: number;
}

export class CodeMarks {
  readonly #kinds: number;
  readonly #pages: number;

  /** `pages`: of code, at most 65,533. */
  constructor(kinds: number, pages: number) {
    this.#kinds = kinds;
    this.#pages = pages;
  }
  get #pageBytes(): number {
    return this.#kinds * KIND_BYTES;
  }
  /** Bytes of the shared room, from its start on. Number 0 is that of pages that have none, the last one that of those that get none. */
  get bytes(): number {
    return BITS + (this.#pages + 2) * this.#pageBytes;
  }
  /** Marks an address, with a kind that is a number or a value (i32). */
  mark(b: ClientBuilder, eip: Value, kind: number | Value, isValue = false): void {
    const which = isValue ? kind : b.const(kind);
    const page = b.loadShared(2, b.shl(b.shr_u(eip, b.const(PAGE_SHIFT)), b.const(1)), TABLE);
    b.callIf(b.eqz(page), GIVE, eip, which);
    const byte = b.and(b.shr_u(eip, b.const(3)), b.const(KIND_BYTES - 1));
    const ofKind = b.add(b.mul(page, b.const(this.#pageBytes)), b.mul(which, b.const(KIND_BYTES)));
    b.mark(b.add(ofKind, byte), b.shl(b.const(1), b.and(eip, b.const(7))), BITS);
  }

  /** To be called by the client's called(). */
  called(view: ClientView, { number, values: [eip, kind] }: Call): void {
    if (number !== GIVE) return;
    const { buffer, byteOffset } = view.sharedRoom;
    const asked = new Int32Array(buffer, byteOffset, 1);
    const table = new Uint16Array(buffer, byteOffset + TABLE, PAGES);
    const page = eip >>> PAGE_SHIFT;
    if (Atomics.load(table, page) === 0) {
      const given = Math.min(Atomics.add(asked, 0, 1) + 1, this.#pages + 1);
      Atomics.compareExchange(table, page, 0, given);
    }
    const at = BITS + table[page]! * this.#pageBytes + kind * KIND_BYTES + ((eip >>> 3) & (KIND_BYTES - 1));
    Atomics.or(view.sharedRoom, at, 1 << (eip & 7));
  }

  read({ sharedRoom }: ClientView): Marks {
    const table = new Uint16Array(sharedRoom.buffer, sharedRoom.byteOffset + TABLE, PAGES);
    const used = [...table.keys()].filter((page) => table[page] !== 0);
    const kept = used.filter((page) => table[page]! <= this.#pages);
    const of = (kind: number): number[] =>
      kept.flatMap((page) => {
        const from = BITS + table[page]! * this.#pageBytes + kind * KIND_BYTES;
        return bitsOf(sharedRoom.subarray(from, from + KIND_BYTES), page * (1 << PAGE_SHIFT));
      });
    return { of, pages: kept.length, lostPages: used.length - kept.length };
  }

  /** Takes all marks away; pages keep their bits. */
  clear({ sharedRoom }: ClientView): void {
    const given = Math.min(new Int32Array(sharedRoom.buffer, sharedRoom.byteOffset, 1)[0]!, this.#pages);
    sharedRoom.fill(0, BITS, BITS + (given + 1) * this.#pageBytes);
  }
}

function bitsOf(bytes: Uint8Array, origin: number): number[] {
  const found: number[] = [];
  bytes.forEach((bits, n) => {
    for (let bit = 0; bits >> bit !== 0; bit++) if (((bits >> bit) & 1) !== 0) found.push(origin + n * 8 + bit);
  });
  return found;
}
