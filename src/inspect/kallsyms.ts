// The table of names that a Linux kernel of 32 bits carries in its own memory (CONFIG_KALLSYMS): found and read without a file. Written by scripts/kallsyms.c of Linux 4.20 to today, in
// one stretch of read-only data, each part at a multiple of 4:
//   until 6.3: offsets, relative_base (or addresses), num_syms, names, markers, [seqs_of_names, in 6.2 and 6.3], token_table, token_index
//   since 6.4: num_syms, names, markers, token_table, token_index, offsets, relative_base (or addresses), [seqs_of_names]
// A name is its length (since 6.1 of two bytes where the first has its top bit), and as many indices of tokens, texts that names have in common; the first character is the kind, as in
// System.map. A marker is where each 256th name begins. Tokens of characters that names have are those characters: by '0' to '9' the tokens are found, from there all else, and what does
// not fit together to the last byte is none.

/** As System.map has it. */
export interface RawSymbol {
  readonly address: number;
  readonly kind: string;
  readonly name: string;
}

export interface Kallsyms {
  /** In the order of the table, which is that of addresses. */
  readonly symbols: readonly RawSymbol[];
  /** Where in memory the names are. */
  readonly names: number;
  /** A linear address of the kernel's own: what offsets are relative to, or that of the first symbol. */
  readonly anchor: number;
}

const TOKENS = 256;
const ZERO = 0x30;
const NINE = 0x39;
/** '0' to '9' with their ends. */
const DIGITS_BYTES = 2 * (NINE - ZERO + 1);
/** An aligned word in each stretch of so many bytes is looked at: one of the digits' is among them. */
const STRIDE = 16;
/** A kernel has more names than that. */
const NAMES_PER_MARKER = 256;
/** Bytes of a name in the table, on average of 256 names. */
const LONGEST_NAME = 300;
const MOST_SYMBOLS = 4_000_000;
const SEQUENCE_BYTES = 3;
/** Names, words and bytes that are looked at behind what may be digits of tokens: enough for the largest kernel many times, and the end of what a guest may have us do. */
const MOST_STEPS = 100_000_000;
/** Of a kernel's image. */
const LARGEST_KERNEL = 0x20000000;
const LATIN1 = new TextDecoder('latin1');

const align = (at: number) => (at + 3) & ~3;

interface Tokens {
  readonly start: number;
  /** Behind the index. */
  readonly end: number;
  readonly texts: readonly string[];
}

interface Names {
  readonly start: number;
  readonly count: number;
}

interface Addresses {
  /** Where the words are. */
  readonly at: number;
  readonly base: number;
  readonly anchor: number;
}

class Reader {
  readonly #ram: Uint8Array;
  readonly #words: Uint32Array;
  #steps = MOST_STEPS;

  constructor(ram: Uint8Array) {
    this.#ram = ram;
    this.#words = new Uint32Array(ram.buffer, ram.byteOffset, ram.length >> 2);
  }

  /** At a multiple of 4 inside of memory. */
  #word(at: number): number {
    return this.#words[at >> 2]!;
  }
  #half(at: number): number {
    return this.#ram[at]! | (this.#ram[at + 1]! << 8);
  }

  /** Where '0' to '9' stand, each with a 0 behind it. */
  *#digits(): Generator<number> {
    const words = this.#words;
    let last = -1;
    for (let n = 0; n < words.length; n += STRIDE / 4) {
      const word = words[n]!;
      if (word === 0 || ((word & 0xff00ff00) !== 0 && (word & 0x00ff00ff) !== 0)) continue;
      const odd = (word & 0xff) === 0 ? 1 : 0;
      const digit = (word >>> (8 * odd)) & 0xff;
      const start = n * 4 + odd - 2 * (digit - ZERO);
      if (digit < ZERO || digit > NINE || start === last || start < 0 || start + DIGITS_BYTES > this.#ram.length) continue;
      let k = 0;
      while (k < DIGITS_BYTES && this.#ram[start + k] === (k & 1 ? 0 : ZERO + k / 2)) k++;
      if (k < DIGITS_BYTES) continue;
      last = start;
      yield start;
    }
  }

  /** The tokens of which these digits are some, and their index. */
  #tokens(digits: number): Tokens | undefined {
    const ram = this.#ram;
    const most = digits + 0x10000;
    let end = digits + DIGITS_BYTES;
    for (let token = NINE + 1; token < TOKENS; token++) {
      end = ram.indexOf(0, end) + 1;
      if (end === 0 || end > most) return undefined;
    }
    this.#steps -= end - digits;
    const index = align(end);
    if (index + 2 * TOKENS > ram.length) return undefined;
    const start = digits - this.#half(index + 2 * ZERO);
    if (start < 0 || start % 4 !== 0) return undefined;
    const texts: string[] = [];
    for (let token = 0, at = start; token < TOKENS; token++) {
      if (this.#half(index + 2 * token) !== at - start) return undefined;
      const behind = ram.indexOf(0, at);
      texts.push(LATIN1.decode(ram.slice(at, behind)));
      at = behind + 1;
    }
    return { start, end: index + 2 * TOKENS, texts };
  }

  /** Whether the names from `start` on are `count`, with these markers right behind them. */
  #fits(start: number, count: number, markers: number): boolean {
    const ram = this.#ram;
    let at = start;
    for (let n = 0; n < count; n++) {
      if (n % NAMES_PER_MARKER === 0 && at - start !== this.#word(markers + (n / NAMES_PER_MARKER) * 4)) return false;
      let length = ram[at++]!;
      if (length & 0x80) length = (length & 0x7f) | (ram[at++]! << 7);
      at += length;
      if (length === 0 || at > markers || --this.#steps < 0) return false;
    }
    return align(at) === markers;
  }

  /** The names before `many` markers; `count`: how many there are, where that is known. */
  #namesBefore(markers: number, many: number, count?: number): Names | undefined {
    const last = markers - this.#word(markers + (many - 1) * 4);
    const lowest = Math.max(4, last - NAMES_PER_MARKER * LONGEST_NAME);
    for (let start = (last - 1) & ~3; start >= lowest; start -= 4) {
      this.#steps--;
      const found = this.#word(start - 4);
      if (Math.ceil(found / NAMES_PER_MARKER) !== many || found > MOST_SYMBOLS || (count !== undefined && found !== count)) continue;
      if (this.#fits(start, found, markers)) return { start, count: found };
    }
    return undefined;
  }

  /** The names whose markers, and maybe the order by name, are in front of the tokens. */
  #names(end: number): Names | undefined {
    let markers = end - 4;
    while (markers > 0 && this.#word(markers) !== 0 && this.#word(markers - 4) < this.#word(markers)) markers -= 4;
    const plain = markers > 0 && this.#word(markers) === 0 ? this.#namesBefore(markers, (end - markers) / 4) : undefined;
    if (plain !== undefined) return plain;
    // Between the two the sequence numbers may be, of 3 bytes each: how many there are follows from where the markers are.
    const lowest = Math.max(4, end - MOST_SYMBOLS * (SEQUENCE_BYTES + 1));
    for (markers = end - 8; markers >= lowest; markers -= 4) {
      if (--this.#steps < 0) break;
      const second = this.#word(markers + 4);
      if (this.#word(markers) !== 0 || second < 2 * NAMES_PER_MARKER || second > LONGEST_NAME * NAMES_PER_MARKER) continue;
      const bytes = end - markers;
      const about = Math.floor(bytes / (SEQUENCE_BYTES + 4 / NAMES_PER_MARKER));
      for (let count = Math.max(NAMES_PER_MARKER + 1, about - 4); count <= about; count++) {
        const many = Math.ceil(count / NAMES_PER_MARKER);
        if (many * 4 + align(count * SEQUENCE_BYTES) !== bytes) continue;
        const found = this.#namesBefore(markers, many, count);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  #ascends(at: number, count: number): boolean {
    if (at < 0 || at + 4 * count > this.#ram.length) return false;
    for (let n = 1; n < count; n++) if (this.#word(at + 4 * n) < this.#word(at + 4 * n - 4)) return false;
    return this.#word(at) < this.#word(at + 4 * count - 4);
  }

  /** Offsets with their base behind them. */
  #relative(at: number, count: number): Addresses | undefined {
    const behind = at + 4 * count;
    if (!this.#ascends(at, count) || behind + 4 > this.#ram.length) return undefined;
    const [base, largest] = [this.#word(behind), this.#word(behind - 4)];
    return base !== 0 && largest < LARGEST_KERNEL && base + largest < 2 ** 32 ? { at, base, anchor: base } : undefined;
  }
  #absolute(at: number, count: number): Addresses | undefined {
    if (!this.#ascends(at, count) || this.#word(at) < LARGEST_KERNEL) return undefined;
    return { at, base: 0, anchor: this.#word(at) };
  }

  /** Before the number of symbols, or behind the tokens. */
  #addresses({ start, count }: Names, end: number): Addresses | undefined {
    const number = start - 4;
    return (
      this.#relative(number - 4 - 4 * count, count) ??
      this.#relative(end, count) ??
      this.#absolute(number - 4 * count, count) ??
      this.#absolute(end, count)
    );
  }

  #symbols({ start, count }: Names, { at, base }: Addresses, { texts }: Tokens): RawSymbol[] {
    const ram = this.#ram;
    let next = start;
    return Array.from({ length: count }, (_, n) => {
      let length = ram[next++]!;
      if (length & 0x80) length = (length & 0x7f) | (ram[next++]! << 7);
      let text = '';
      for (const end = next + length; next < end; next++) text += texts[ram[next]!]!;
      return { address: base + this.#word(at + 4 * n), kind: text.slice(0, 1), name: text.slice(1) };
    });
  }

  *tables(): Generator<Kallsyms> {
    for (const digits of this.#digits()) {
      if (this.#steps < 0) return;
      const tokens = this.#tokens(digits);
      const names = tokens && this.#names(tokens.start);
      const addresses = names && this.#addresses(names, tokens.end);
      if (tokens === undefined || names === undefined || addresses === undefined) continue;
      yield { symbols: this.#symbols(names, addresses, tokens), names: names.start, anchor: addresses.anchor };
    }
  }
}

/** The tables in memory (which begins at a multiple of 4 of its buffer), one after the other; more than one where old copies lie about. */
export const findKallsyms = (ram: Uint8Array): Generator<Kallsyms> => new Reader(ram).tables();
