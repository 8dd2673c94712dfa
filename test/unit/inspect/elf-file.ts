// ELF files of 32 and 64 bits with a symbol table and nothing else of use, for the tests of who reads one.

export interface MadeSymbol {
  readonly name: string;
  readonly value: number | bigint;
  /** STT_NOTYPE 0, STT_OBJECT 1, STT_FUNC 2, STT_SECTION 3, STT_FILE 4. */
  readonly type: number;
  /** 1: code, 2: data; others as the ELF specification has them. */
  readonly section: number;
}

const align = (n: number) => Math.ceil(n / 8) * 8;

/** Sections: none, .text, .data, .symtab, .strtab. */
export function elfWithSymbols(bits: 32 | 64, symbols: readonly MadeSymbol[]): Uint8Array {
  const wide = bits / 8;
  const [header, section, symbol] = bits === 32 ? [52, 40, 16] : [64, 64, 24];
  const nameAt = new Map<string, number>();
  let names = '\0';
  for (const { name } of symbols) {
    if (nameAt.has(name)) continue;
    nameAt.set(name, names.length);
    names += `${name}\0`;
  }
  const tableAt = align(header);
  const tableBytes = symbol * (symbols.length + 1);
  const namesAt = tableAt + tableBytes;
  const sectionsAt = align(namesAt + names.length);
  const file = Buffer.alloc(sectionsAt + 5 * section);
  const put = (at: number, value: number | bigint) =>
    wide === 4 ? file.writeUInt32LE(Number(value), at) : file.writeBigUInt64LE(BigInt(value), at);
  file.set([0x7f, 0x45, 0x4c, 0x46, bits / 32, 1, 1]);
  put(bits === 32 ? 32 : 40, sectionsAt);
  file.writeUInt16LE(section, header - 6);
  file.writeUInt16LE(5, header - 4);
  symbols.forEach(({ name, value, type, section: index }, n) => {
    const at = tableAt + (n + 1) * symbol;
    file.writeUInt32LE(nameAt.get(name)!, at);
    put(at + (bits === 32 ? 4 : 8), value);
    file[at + (bits === 32 ? 12 : 4)] = 0x10 | type;
    file.writeUInt16LE(index, at + (bits === 32 ? 14 : 6));
  });
  file.write(names, namesAt, 'latin1');
  const sections = [
    { type: 0, flags: 0, offset: 0, size: 0, link: 0, entry: 0 },
    { type: 1, flags: 6, offset: 0, size: 0, link: 0, entry: 0 },
    { type: 1, flags: 3, offset: 0, size: 0, link: 0, entry: 0 },
    { type: 2, flags: 0, offset: tableAt, size: tableBytes, link: 4, entry: symbol },
    { type: 3, flags: 0, offset: namesAt, size: names.length, link: 0, entry: 0 },
  ];
  sections.forEach(({ type, flags, offset, size, link, entry }, n) => {
    const at = sectionsAt + n * section;
    file.writeUInt32LE(type, at + 4);
    put(at + 8, flags);
    put(at + 8 + 2 * wide, offset);
    put(at + 8 + 3 * wide, size);
    file.writeUInt32LE(link, at + 8 + 4 * wide);
    put(at + section - wide, entry);
  });
  // No Buffer, whose slices are no copies.
  return new Uint8Array(file);
}

/** An ELF file of 32 bits with the symbol table of another one behind it. */
export function withSymbols(file: Uint8Array, symbols: readonly MadeSymbol[]): Uint8Array {
  const table = Buffer.from(elfWithSymbols(32, symbols));
  const base = align(file.length);
  const sections = table.readUInt32LE(32);
  for (let n = 1; n < 5; n++) table.writeUInt32LE(table.readUInt32LE(sections + n * 40 + 16) + base, sections + n * 40 + 16);
  const whole = Buffer.concat([file, Buffer.alloc(base - file.length), table]);
  whole.writeUInt32LE(base + sections, 32);
  whole.writeUInt16LE(40, 46);
  whole.writeUInt16LE(5, 48);
  return new Uint8Array(whole);
}
