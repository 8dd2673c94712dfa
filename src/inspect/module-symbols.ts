// Names of the modules of a Linux kernel of 32 bits, out of its memory: its list of modules is found by a function of its own that walks it, as lists of modules have no name among the kernel's; and in
// each module's structure the table of its symbols, an ELF one. All is checked, as a guest may have anything in its memory, and what does not fit is left out.
import type { RawSymbol } from './kallsyms.ts';

/** Reads memory by linear addresses. */
export interface LinearWords {
  /** A word; undefined where nothing is mapped. */
  word(linear: number): number | undefined;
  /** A text up to its 0; undefined where it is too long, or nothing is mapped. */
  text(linear: number): string | undefined;
}

/** Functions that walk the list, one of which every kernel has, and bytes of their code that are looked at. */
const WALKERS = ['print_modules', 'find_module_all', 'find_module'];
const CODE_BYTES = 256;
const MOST_MODULES = 4096;
/** struct module: its state, its place in the list, its name, and a good way on the symbols: where they are, how many, and where their names are. */
const LIST = 4;
const NAME = 12;
const STRUCT_BYTES = 1024;
const STATES = 3;
const MOST_SYMBOLS = 100_000;
/** Elf32_Sym: name, address, size, kind and more. */
const SYMBOL_BYTES = 16;

/** Whether at an address a list of modules begins, or an empty one. */
function isList(memory: LinearWords, head: number): boolean {
  const [next, last] = [memory.word(head), memory.word(head + 4)];
  if (next === undefined || last === undefined || next === head) return false;
  return memory.word(next + 4) === head && memory.word(last) === head && nameOf(memory, next) !== undefined;
}

/** The name of the module at a place of the list. */
function nameOf(memory: LinearWords, place: number): string | undefined {
  const state = memory.word(place - LIST);
  const name = memory.text(place - LIST + NAME);
  return state !== undefined && state <= STATES && name !== undefined && /^[\w-]{1,63}$/.test(name) ? name : undefined;
}

/** The list's address, which is among the constants of a walker's code. */
function listOf(memory: LinearWords, code: number): number | undefined {
  for (let at = code; at < code + CODE_BYTES; at++) {
    const word = memory.word(at);
    if (word !== undefined && word % 4 === 0 && word > 0x40000000 && isList(memory, word)) return word;
  }
  return undefined;
}

/** The symbols of the module at a place of the list. */
function symbolsOf(memory: LinearWords, place: number): RawSymbol[] {
  const module = place - LIST;
  for (let at = module; at < module + STRUCT_BYTES; at += 4) {
    const [table, count, names] = [memory.word(at), memory.word(at + 4), memory.word(at + 8)];
    if (table === undefined || count === undefined || names === undefined || count < 2 || count > MOST_SYMBOLS || table === names) continue;
    // The first symbol is none, and the first name is empty.
    if ([0, 4, 8, 12].some((offset) => memory.word(table + offset) !== 0) || memory.text(names) !== '') continue;
    const found: RawSymbol[] = [];
    for (let n = 1; n < count; n++) {
      const [name, address] = [memory.word(table + n * SYMBOL_BYTES), memory.word(table + n * SYMBOL_BYTES + 4)];
      const text = name === undefined ? undefined : memory.text(names + name);
      // Names with a character that none of C's has are the compiler's.
      if (text === undefined || address === undefined) break;
      if (/^[\w.]+$/.test(text)) found.push({ address, kind: 't', name: text });
    }
    if (found.length > 0) return found;
  }
  return [];
}

/** `kernel`: the kernel's own symbols. */
export function moduleSymbols(memory: LinearWords, kernel: readonly RawSymbol[]): RawSymbol[] {
  const walkers = kernel.filter(({ name }) => WALKERS.includes(name));
  const lists = walkers.flatMap(({ address }) => listOf(memory, address) ?? []);
  const [head] = lists;
  if (head === undefined) return [];
  const found: RawSymbol[] = [];
  let place = memory.word(head);
  for (let n = 0; n < MOST_MODULES && place !== undefined && place !== head; n++) {
    if (nameOf(memory, place) !== undefined) found.push(...symbolsOf(memory, place));
    place = memory.word(place);
  }
  return found;
}
