// Names of code and data from the symbol table of an ELF file, of 32 or 64 bits (System V ABI, chapter 4; its AMD64 supplement has the same with wider fields).
// A damaged file is refused: nothing here is read that is not in the file, and no name is longer than LONGEST_NAME.
import { DragomanError } from '../api/errors.ts';
import { view } from '../machine/boot/bytes.ts';
import { isElf } from '../machine/boot/elf.ts';
import { type KernelSymbols, symbolTable } from '../machine/report/symbols.ts';

const LONGEST_NAME = 1024;
const TEXT = new TextDecoder('latin1');

const SHT_SYMTAB = 2;
const SHF_EXECINSTR = 4n;
const STT_NOTYPE = 0;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const SHN_UNDEF = 0;
/** From here on an index stands for something else than a section (SHN_ABS, SHN_COMMON); SHN_XINDEX: it is elsewhere. */
const SHN_LORESERVE = 0xff00;

/** Where the fields of both kinds of files are. `wide`: bytes of an address or offset. */
interface Layout {
  readonly wide: 4 | 8;
  readonly header: { readonly bytes: number; readonly sections: number; readonly entry: number; readonly count: number };
  readonly section: {
    readonly bytes: number;
    readonly flags: number;
    readonly offset: number;
    readonly size: number;
    readonly link: number;
    readonly entry: number;
  };
  readonly symbol: { readonly bytes: number; readonly value: number; readonly info: number; readonly section: number };
}

const ELF32: Layout = {
  wide: 4,
  header: { bytes: 52, sections: 32, entry: 46, count: 48 },
  section: { bytes: 40, flags: 8, offset: 16, size: 20, link: 24, entry: 36 },
  symbol: { bytes: 16, value: 4, info: 12, section: 14 },
};
const ELF64: Layout = {
  wide: 8,
  header: { bytes: 64, sections: 40, entry: 58, count: 60 },
  section: { bytes: 64, flags: 8, offset: 24, size: 32, link: 40, entry: 56 },
  symbol: { bytes: 24, value: 8, info: 4, section: 6 },
};

interface Section {
  readonly type: number;
  readonly isCode: boolean;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entryBytes: number;
}

class SymbolReader {
  readonly #file: Uint8Array;
  readonly #data: DataView;
  readonly #layout: Layout;
  readonly #where: string;

  constructor(file: Uint8Array, where: string) {
    this.#file = file;
    this.#data = view(file);
    this.#where = where;
    if (!isElf(file)) this.#refuse('no ELF file');
    if (file[5] !== 1) this.#refuse(`byte order ${file[5]} at 0x5: not little-endian`);
    if (file[4] !== 1 && file[4] !== 2) this.#refuse(`unknown ELF class ${file[4]} at 0x4`);
    this.#layout = file[4] === 1 ? ELF32 : ELF64;
    this.#within(0, this.#layout.header.bytes, 'the ELF header');
  }

  #refuse(message: string): never {
    throw new DragomanError('BAD_OPTION', message, this.#where);
  }

  #within(at: number, bytes: number, what: string): void {
    if (at + bytes > this.#file.length)
      this.#refuse(`truncated: ${what} ends at 0x${(at + bytes).toString(16)}, the file at 0x${this.#file.length.toString(16)}`);
  }

  /** An address, an offset or a size. Of one that is too large for a number of JavaScript the lowest bits are lost, which is no place in a file in any case. */
  #wide(at: number): number {
    return this.#layout.wide === 4 ? this.#data.getUint32(at, true) : Number(this.#data.getBigUint64(at, true));
  }

  #sections(): Section[] {
    const { header, section } = this.#layout;
    const table = this.#wide(header.sections);
    const bytes = this.#data.getUint16(header.entry, true);
    if (table === 0) return [];
    if (bytes < section.bytes) this.#refuse(`section headers of ${bytes} bytes, need ${section.bytes}`);
    this.#within(table, bytes, 'the first section header');
    // Where there are too many for the field, the first one has the number.
    const count = this.#data.getUint16(header.count, true) || this.#wide(table + section.size);
    this.#within(table, bytes * count, 'the section headers');
    return Array.from({ length: count }, (_, n) => this.#section(table + n * bytes));
  }

  #section(at: number): Section {
    const { section, wide } = this.#layout;
    const flags = wide === 4 ? BigInt(this.#data.getUint32(at + section.flags, true)) : this.#data.getBigUint64(at + section.flags, true);
    return {
      type: this.#data.getUint32(at + 4, true),
      isCode: (flags & SHF_EXECINSTR) !== 0n,
      offset: this.#wide(at + section.offset),
      size: this.#wide(at + section.size),
      link: this.#data.getUint32(at + section.link, true),
      entryBytes: this.#wide(at + section.entry),
    };
  }

  #name(strings: Section, offset: number): string {
    const from = strings.offset + offset;
    if (offset >= strings.size) this.#refuse(`a name at 0x${offset.toString(16)} of ${strings.size} bytes of names`);
    const text = this.#file.subarray(from, Math.min(from + LONGEST_NAME, strings.offset + strings.size));
    const end = text.indexOf(0);
    return TEXT.decode(end < 0 ? text : text.subarray(0, end));
  }

  read(): KernelSymbols {
    const sections = this.#sections();
    const table = sections.find(({ type }) => type === SHT_SYMTAB);
    if (table === undefined) this.#refuse('an ELF file without a symbol table: it was stripped');
    const strings = sections[table.link];
    if (strings === undefined) this.#refuse(`the names of the symbol table are in section ${table.link}, and there are ${sections.length}`);
    this.#within(table.offset, table.size, 'the symbol table');
    this.#within(strings.offset, strings.size, 'the names of the symbol table');
    const { symbol } = this.#layout;
    if (table.entryBytes < symbol.bytes) this.#refuse(`symbols of ${table.entryBytes} bytes, need ${symbol.bytes}`);
    const code: [number, string][] = [];
    const data: [number, string][] = [];
    for (let at = table.offset; at + table.entryBytes <= table.offset + table.size; at += table.entryBytes) {
      const type = this.#data.getUint8(at + symbol.info) & 15;
      const index = this.#data.getUint16(at + symbol.section, true);
      const address = this.#wide(at + symbol.value);
      if (type !== STT_NOTYPE && type !== STT_OBJECT && type !== STT_FUNC) continue;
      if (index === SHN_UNDEF || index >= SHN_LORESERVE || !Number.isSafeInteger(address)) continue;
      const name = this.#name(strings, this.#data.getUint32(at, true));
      // Labels of the assembler's own.
      if (name === '' || name.startsWith('.L')) continue;
      const isCode = type === STT_FUNC || (type === STT_NOTYPE && sections[index]?.isCode === true);
      (isCode ? code : data).push([address, name]);
    }
    if (code.length === 0 && data.length === 0) this.#refuse('an ELF file whose symbol table has no names of code or data');
    return { code: symbolTable(code), data: symbolTable(data) };
  }
}

/** The names in an ELF file. Throws BAD_OPTION, with `where`, where it has none, or is damaged. */
export const readElfSymbols = (file: Uint8Array, where: string): KernelSymbols => new SymbolReader(file, where).read();
