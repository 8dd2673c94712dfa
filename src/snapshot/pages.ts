// The pages of a machine's RAM in a snapshot: those that are not all zeros, and, where there is a base, those that are not as they are there.
import { PAGE } from '../layout/memory.ts';

/** What there is of a page: it is all zeros; its bytes; nothing, as it is what it is in the base. */
export const PageKind = { ZERO: 0, HERE: 1, BASE: 2 } as const;
export const WORDS = PAGE / 4;
/** Pages of a piece. */
const PIECE = 256;

/** Copies of pages, in pieces that stay where they are. */
export class PageStore {
  readonly pieces: Uint8Array[] = [];
  count = 0;

  /** Room for the next page. */
  next(): Uint8Array {
    if (this.count % PIECE === 0) this.pieces.push(new Uint8Array(PIECE * PAGE));
    return this.at(this.count++);
  }

  at(n: number): Uint8Array {
    const from = (n % PIECE) * PAGE;
    return this.pieces[Math.floor(n / PIECE)]!.subarray(from, from + PAGE);
  }

  /** All of them, one behind the other. */
  *bytes(): Generator<Uint8Array> {
    const last = this.count % PIECE || PIECE;
    for (const [n, piece] of this.pieces.entries()) yield n === this.pieces.length - 1 ? piece.subarray(0, last * PAGE) : piece;
  }
}

/** The RAM of a snapshot that others are saved against. */
export interface BasePages {
  /** SHA-256 of the snapshot's bytes. */
  readonly id: string;
  /** PageKind by page: none is BASE. */
  readonly kinds: Uint8Array;
  /** Which of the store's pages each is that is HERE. */
  readonly places: Uint32Array;
  readonly store: PageStore;
}

export interface SavedPages {
  readonly kinds: Uint8Array;
  readonly store: PageStore;
}

/** Places of pages in their store, by their kinds. */
export function placesOf(kinds: Uint8Array): Uint32Array {
  const places = new Uint32Array(kinds.length);
  let count = 0;
  kinds.forEach((kind, page) => {
    places[page] = count;
    if (kind === PageKind.HERE) count++;
  });
  return places;
}

/** Whether the page at `word` is all zeros. */
export function isZero(words: Int32Array, word: number): boolean {
  for (let at = word, end = word + WORDS; at < end; at += 8) {
    const any =
      words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]! | words[at + 4]! | words[at + 5]! | words[at + 6]! | words[at + 7]!;
    if (any !== 0) return false;
  }
  return true;
}

export function isSame(words: Int32Array, word: number, page: Uint8Array): boolean {
  const others = new Int32Array(page.buffer, page.byteOffset, WORDS);
  for (let n = 0; n < WORDS; n++) if (words[word + n] !== others[n]) return false;
  return true;
}

/** Copies what is to be saved of `ram`, in one go. */
export function savePages(ram: Uint8Array, base: BasePages | undefined): SavedPages {
  const words = new Int32Array(ram.buffer, ram.byteOffset, ram.length / 4);
  const kinds = new Uint8Array(ram.length / PAGE);
  const store = new PageStore();
  for (let page = 0; page < kinds.length; page++) {
    if (isZero(words, page * WORDS)) continue;
    if (base?.kinds[page] === PageKind.HERE && isSame(words, page * WORDS, base.store.at(base.places[page]!))) {
      kinds[page] = PageKind.BASE;
      continue;
    }
    kinds[page] = PageKind.HERE;
    store.next().set(ram.subarray(page * PAGE, (page + 1) * PAGE));
  }
  return { kinds, store };
}

/** Stretches of pages of one kind: [first, behind the last]. */
export function* stretchesOf(kinds: Uint8Array, kind: number): Generator<readonly [first: number, end: number]> {
  for (let first = kinds.indexOf(kind); first >= 0; ) {
    let end = first + 1;
    while (end < kinds.length && kinds[end] === kind) end++;
    yield [first, end];
    first = kinds.indexOf(kind, end);
  }
}
