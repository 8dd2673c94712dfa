// An ELF file of 32 or 64 bits and its sections (System V ABI, chapter 4; its AMD64 supplement has the same with wider fields).
// A damaged file is refused: nothing here is read that is not in the file, and no name is longer than LONGEST_NAME.
import { DragomanError } from '../api/errors.ts';
import { view } from '../machine/boot/bytes.ts';
import { isElf } from '../machine/boot/elf.ts';

const LONGEST_NAME = 1024;
const TEXT = new TextDecoder('latin1');

const SHF_EXECINSTR = 4n;
const SHF_COMPRESSED = 0x800n;
const SHT_NOBITS = 8;
/** An index of the section of names that does not fit its field: it is elsewhere. */
const SHN_XINDEX = 0xffff;

/** Where the fields of both kinds of files are. `wide`: bytes of an address or offset. */
export interface ElfLayout {
  readonly wide: 4 | 8;
  readonly header: {
    readonly bytes: number;
    readonly sections: number;
    readonly entry: number;
    readonly count: number;
    readonly names: number;
  };
  readonly section: {
    readonly bytes: number;
    readonly flags: number;
    readonly address: number;
    readonly offset: number;
    readonly size: number;
    readonly link: number;
    readonly entry: number;
  };
  readonly symbol: { readonly bytes: number; readonly value: number; readonly info: number; readonly section: number };
}

const ELF32: ElfLayout = {
  wide: 4,
  header: { bytes: 52, sections: 32, entry: 46, count: 48, names: 50 },
  section: { bytes: 40, flags: 8, address: 12, offset: 16, size: 20, link: 24, entry: 36 },
  symbol: { bytes: 16, value: 4, info: 12, section: 14 },
};
const ELF64: ElfLayout = {
  wide: 8,
  header: { bytes: 64, sections: 40, entry: 58, count: 60, names: 62 },
  section: { bytes: 64, flags: 8, address: 16, offset: 24, size: 32, link: 40, entry: 56 },
  symbol: { bytes: 24, value: 8, info: 4, section: 6 },
};

export interface ElfSection {
  readonly name: number;
  readonly type: number;
  readonly isCode: boolean;
  /** Its bytes are packed (SHF_COMPRESSED). */
  readonly isCompressed: boolean;
  /** Linear address of its first byte where it is loaded; else 0. */
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entryBytes: number;
}

/** Throws BAD_OPTION, with `where`, where the file is none or damaged: also each of its functions. */
export class ElfFile {
  readonly file: Uint8Array;
  readonly data: DataView;
  readonly layout: ElfLayout;
  readonly #where: string;
  readonly sections: readonly ElfSection[];

  constructor(file: Uint8Array, where: string) {
    this.file = file;
    this.data = view(file);
    this.#where = where;
    if (!isElf(file)) this.refuse('no ELF file');
    if (file[5] !== 1) this.refuse(`byte order ${file[5]} at 0x5: not little-endian`);
    if (file[4] !== 1 && file[4] !== 2) this.refuse(`unknown ELF class ${file[4]} at 0x4`);
    this.layout = file[4] === 1 ? ELF32 : ELF64;
    this.within(0, this.layout.header.bytes, 'the ELF header');
    this.sections = this.#readSections();
  }

  refuse(message: string): never {
    throw new DragomanError('BAD_OPTION', message, this.#where);
  }

  within(at: number, bytes: number, what: string): void {
    if (at + bytes > this.file.length)
      this.refuse(`truncated: ${what} ends at 0x${(at + bytes).toString(16)}, the file at 0x${this.file.length.toString(16)}`);
  }

  /** An address, an offset or a size. Of one that is too large for a number of JavaScript the lowest bits are lost, which is no place in a file in any case. */
  wide(at: number): number {
    return this.layout.wide === 4 ? this.data.getUint32(at, true) : Number(this.data.getBigUint64(at, true));
  }

  #readSections(): ElfSection[] {
    const { header, section } = this.layout;
    const table = this.wide(header.sections);
    const bytes = this.data.getUint16(header.entry, true);
    if (table === 0) return [];
    if (bytes < section.bytes) this.refuse(`section headers of ${bytes} bytes, need ${section.bytes}`);
    this.within(table, bytes, 'the first section header');
    // Where there are too many for the field, the first one has the number.
    const count = this.data.getUint16(header.count, true) || this.wide(table + section.size);
    this.within(table, bytes * count, 'the section headers');
    return Array.from({ length: count }, (_, n) => this.#section(table + n * bytes));
  }

  #section(at: number): ElfSection {
    const { section, wide } = this.layout;
    const flags = wide === 4 ? BigInt(this.data.getUint32(at + section.flags, true)) : this.data.getBigUint64(at + section.flags, true);
    return {
      name: this.data.getUint32(at, true),
      type: this.data.getUint32(at + 4, true),
      isCode: (flags & SHF_EXECINSTR) !== 0n,
      isCompressed: (flags & SHF_COMPRESSED) !== 0n,
      address: this.wide(at + section.address),
      offset: this.wide(at + section.offset),
      size: this.wide(at + section.size),
      link: this.data.getUint32(at + section.link, true),
      entryBytes: this.wide(at + section.entry),
    };
  }

  /** A name at an offset of a section of names. */
  name(strings: ElfSection, offset: number): string {
    const from = strings.offset + offset;
    if (offset >= strings.size) this.refuse(`a name at 0x${offset.toString(16)} of ${strings.size} bytes of names`);
    const text = this.file.subarray(from, Math.min(from + LONGEST_NAME, strings.offset + strings.size));
    const end = text.indexOf(0);
    return TEXT.decode(end < 0 ? text : text.subarray(0, end));
  }

  /** The bytes of the section of a name; undefined where there is none, or it has no bytes in the file. */
  named(name: string): Uint8Array | undefined {
    const index = this.data.getUint16(this.layout.header.names, true);
    const strings = this.sections[index === SHN_XINDEX ? (this.sections[0]?.link ?? 0) : index];
    if (strings === undefined) return undefined;
    this.within(strings.offset, strings.size, 'the names of sections');
    const section = this.sections.find((one) => one.type !== 0 && this.name(strings, one.name) === name);
    if (section?.isCompressed)
      this.refuse(`its section ${name} is compressed: objcopy --decompress-debug-sections makes a file that can be read`);
    return section && this.bytesOf(section);
  }

  /** The bytes of a section; undefined where it has none in the file. */
  bytesOf(section: ElfSection): Uint8Array | undefined {
    if (section.type === SHT_NOBITS) return undefined;
    this.within(section.offset, section.size, 'a section');
    return this.file.subarray(section.offset, section.offset + section.size);
  }
}
