// Which line of which source file each address of code is of: the line tables of an ELF file with DWARF 2 to 5 (section .debug_line; DWARF 5, chapter 6.2). For files that are linked: of objects and
// modules the addresses are not known yet.
import { view } from '../machine/boot/bytes.ts';
import { ElfFile } from './elf-file.ts';

/** Rows of all line tables, by ascending addresses. Row n is of the code from its address to the next one's; a line of 0: of no line (behind the end of a piece of code, or made by the compiler). */
export interface LineTable {
  /** Paths as the compiler was given them, behind the folder that they are in where that is known. */
  readonly files: readonly string[];
  readonly addresses: Float64Array;
  /** Index in files. */
  readonly fileOf: Uint32Array;
  readonly lines: Uint32Array;
  /** 1: a good place to stop at for the line. */
  readonly statements: Uint8Array;
}

/** A row while its table is read. */
interface Row {
  readonly address: number;
  readonly file: number;
  readonly line: number;
  readonly isStatement: boolean;
}

/** What entries of files say (DW_LNCT). */
const PATH = 1;
const DIRECTORY = 2;

const TEXT = new TextDecoder();

class Reader {
  readonly #bytes: Uint8Array;
  readonly #data: DataView;
  readonly #refuse: (message: string) => never;
  at: number;
  end: number;

  constructor(bytes: Uint8Array, refuse: (message: string) => never, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#data = view(bytes);
    this.#refuse = refuse;
    this.at = at;
    this.end = end;
  }
  /** Goes on behind `bytes` bytes; where these are. */
  skip(bytes: number): number {
    const at = this.at;
    if (bytes < 0 || at + bytes > this.end) this.#refuse(`damaged line numbers: 0x${at.toString(16)} of .debug_line`);
    this.at = at + bytes;
    return at;
  }
  u8(): number {
    return this.#data.getUint8(this.skip(1));
  }
  i8(): number {
    return this.#data.getInt8(this.skip(1));
  }
  u16(): number {
    return this.#data.getUint16(this.skip(2), true);
  }
  u32(): number {
    return this.#data.getUint32(this.skip(4), true);
  }
  u64(): number {
    return Number(this.#data.getBigUint64(this.skip(8), true));
  }
  /** Of 4 or 8 bytes. */
  offset(wide: boolean): number {
    return wide ? this.u64() : this.u32();
  }
  uleb(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8();
      if (factor < 2 ** 53) value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }
  sleb(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8();
      if (factor < 2 ** 46) value += (byte & 127) * factor;
      if (byte < 128) return (byte & 64) !== 0 ? value - factor * 128 : value;
    }
  }
  text(): string {
    const end = this.#bytes.indexOf(0, this.at);
    const from = this.skip((end < 0 ? this.end : end) - this.at + 1);
    return TEXT.decode(this.#bytes.subarray(from, this.at - 1));
  }
}

const join = (folder: string, name: string): string => (name.startsWith('/') || folder === '' ? name : `${folder}/${name}`);

class LineReader {
  readonly #elf: ElfFile;
  readonly #rows: Row[] = [];
  readonly #files: string[] = [];
  readonly #known = new Map<string, number>();

  constructor(elf: ElfFile) {
    this.#elf = elf;
  }

  readonly #refuse = (message: string): never => this.#elf.refuse(message);

  read(lines: Uint8Array): LineTable {
    const whole = new Reader(lines, this.#refuse);
    while (whole.at < lines.length) {
      const first = whole.u32();
      const wide = first === 0xffffffff;
      const length = wide ? whole.u64() : first;
      const at = whole.skip(length);
      this.#unit(new Reader(lines, this.#refuse, at, at + length), wide);
    }
    return this.#table();
  }

  #table(): LineTable {
    // Of pieces that touch, the end of one is no row where another begins; sorting keeps the order of rows at one address.
    const rows = this.#rows.sort((a, b) => a.address - b.address);
    const kept = rows.filter(({ address, line }, n) => line !== 0 || rows[n + 1]?.address !== address);
    return {
      files: this.#files,
      addresses: Float64Array.from(kept, ({ address }) => address),
      fileOf: Uint32Array.from(kept, ({ file }) => file),
      lines: Uint32Array.from(kept, ({ line }) => line),
      statements: Uint8Array.from(kept, ({ isStatement }) => (isStatement ? 1 : 0)),
    };
  }

  #file(path: string): number {
    let index = this.#known.get(path);
    if (index === undefined) {
      index = this.#files.push(path) - 1;
      this.#known.set(path, index);
    }
    return index;
  }

  /** A table: its header, then its program. */
  #unit(r: Reader, wide: boolean): void {
    const version = r.u16();
    if (version < 2 || version > 5) this.#refuse(`line numbers of DWARF ${version}: 2 to 5 are known`);
    // Address and segment selector size.
    if (version >= 5) r.skip(2);
    const header = r.offset(wide);
    const program = r.at + header;
    const shortest = r.u8();
    if (version >= 4) r.u8();
    const isStatement = r.u8() !== 0;
    const base = r.i8();
    const range = r.u8();
    if (range === 0) this.#refuse('damaged line numbers: a range of no lines');
    const operands = Array.from({ length: r.u8() - 1 }, () => r.u8());
    const files = version >= 5 ? this.#files5(r, wide) : this.#files2(r);
    r.at = program;
    this.#run(r, { version, shortest, isStatement, base, range, operands, files });
  }

  /** Indices of files as programs have them, of versions 2 to 4: the first one is 1, and folder 0 is not known here. */
  #files2(r: Reader): number[] {
    const folders = [''];
    for (let folder = r.text(); folder !== ''; folder = r.text()) folders.push(folder);
    const files = [this.#file('')];
    for (let name = r.text(); name !== ''; name = r.text()) {
      files.push(this.#file(join(folders[r.uleb()] ?? '', name)));
      r.uleb();
      r.uleb();
    }
    return files;
  }

  #files5(r: Reader, wide: boolean): number[] {
    const folders = this.#entries(r, wide).map(({ path }) => path);
    return this.#entries(r, wide).map(({ path, folder }) => this.#file(join(join(folders[0] ?? '', folders[folder] ?? ''), path)));
  }

  #entries(r: Reader, wide: boolean): { path: string; folder: number }[] {
    const format = Array.from({ length: r.u8() }, () => [r.uleb(), r.uleb()] as const);
    return Array.from({ length: r.uleb() }, () => {
      const entry = { path: '', folder: 0 };
      for (const [what, form] of format) {
        const value = this.#form(r, form, wide);
        if (what === PATH) entry.path = String(value);
        if (what === DIRECTORY) entry.folder = Number(value);
      }
      return entry;
    });
  }

  /** A value in one of the forms that headers may have (DWARF 5, 6.2.4.1). */
  #form(r: Reader, form: number, wide: boolean): string | number {
    switch (form) {
      case 0x08: // DW_FORM_string
        return r.text();
      case 0x0e: // DW_FORM_strp
        return this.#string('.debug_str', r.offset(wide));
      case 0x1f: // DW_FORM_line_strp
        return this.#string('.debug_line_str', r.offset(wide));
      case 0x0b: // DW_FORM_data1
        return r.u8();
      case 0x05: // DW_FORM_data2
        return r.u16();
      case 0x06: // DW_FORM_data4
        return r.u32();
      case 0x07: // DW_FORM_data8
        return r.u64();
      case 0x0f: // DW_FORM_udata
        return r.uleb();
      case 0x1e: // DW_FORM_data16
        return r.skip(16);
      case 0x09: // DW_FORM_block
        return r.skip(r.uleb());
      default:
        return this.#refuse(`line numbers with a file in form 0x${form.toString(16)}`);
    }
  }

  readonly #strings = new Map<string, Uint8Array>();
  #string(section: string, offset: number): string {
    let bytes = this.#strings.get(section);
    if (bytes === undefined) {
      bytes = this.#elf.named(section) ?? this.#refuse(`line numbers with names in ${section}, which is not there`);
      this.#strings.set(section, bytes);
    }
    const reader = new Reader(bytes, this.#refuse);
    reader.skip(offset);
    return reader.text();
  }

  /** The program of a table (DWARF 5, 6.2.5). */
  #run(r: Reader, { version, shortest, isStatement: initially, base, range, operands, files }: Program): void {
    const fresh = () => ({ address: 0, file: files[1] ?? files[0] ?? 0, line: 1, isStatement: initially });
    let now = fresh();
    let rows: Row[] = [];
    const row = (line = now.line) => rows.push({ address: now.address, file: now.file, line, isStatement: now.isStatement });
    while (r.at < r.end) {
      const opcode = r.u8();
      if (opcode > operands.length) {
        now.address += Math.floor((opcode - operands.length - 1) / range) * shortest;
        now.line += base + ((opcode - operands.length - 1) % range);
        row();
        continue;
      }
      switch (opcode) {
        case 0: {
          const length = r.uleb();
          const next = r.at + length;
          const extended = length === 0 ? 0 : r.u8();
          if (extended === 1) {
            row(0);
            // Code that the linker left out begins at 0, and in files of programs nothing else does.
            if (rows[0]!.address !== 0) for (const one of rows) this.#rows.push(one);
            rows = [];
            now = fresh();
          } else if (extended === 2) now.address = length === 9 ? r.u64() : r.u32();
          else if (extended === 3 && version < 5) files.push(this.#file(r.text()));
          r.at = next;
          break;
        }
        case 1:
          row();
          break;
        case 2:
          now.address += r.uleb() * shortest;
          break;
        case 3:
          now.line += r.sleb();
          break;
        case 4:
          now.file = files[r.uleb()] ?? this.#file('');
          break;
        case 6:
          now.isStatement = !now.isStatement;
          break;
        case 8:
          now.address += Math.floor((255 - operands.length - 1) / range) * shortest;
          break;
        case 9:
          now.address += r.u16();
          break;
        default:
          // Of no concern for lines (columns, basic blocks, prologues), or not known: so many operands.
          for (let n = 0; n < operands[opcode - 1]!; n++) r.uleb();
      }
    }
  }
}

interface Program {
  readonly version: number;
  readonly shortest: number;
  readonly isStatement: boolean;
  readonly base: number;
  readonly range: number;
  /** Of each standard opcode, from the first on. */
  readonly operands: readonly number[];
  /** Of this table by its own numbers. */
  readonly files: number[];
}

/** The lines of a file; undefined where it has no DWARF. Throws BAD_OPTION, with `where`, for what is no ELF file or is damaged. */
export function readLines(file: Uint8Array, where: string): LineTable | undefined {
  const elf = new ElfFile(file, where);
  const lines = elf.named('.debug_line');
  return lines && new LineReader(elf).read(lines);
}

/** The row whose code an address is in; -1: none. */
export function rowAt({ addresses, lines }: LineTable, address: number): number {
  let [low, high] = [0, addresses.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (addresses[middle]! <= address) low = middle + 1;
    else high = middle;
  }
  return low > 0 && lines[low - 1] !== 0 ? low - 1 : -1;
}
