// Names of code and data from the symbol table of an ELF file.
import { type KernelSymbols, symbolTable } from '../machine/report/symbols.ts';
import { ElfFile } from './elf-file.ts';

const SHT_SYMTAB = 2;
const STT_NOTYPE = 0;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const SHN_UNDEF = 0;
/** From here on an index stands for something else than a section (SHN_ABS, SHN_COMMON); SHN_XINDEX: it is elsewhere. */
const SHN_LORESERVE = 0xff00;

/** The names in an ELF file. Throws BAD_OPTION, with `where`, where it has none, or is damaged. */
export function readElfSymbols(file: Uint8Array, where: string): KernelSymbols {
  const elf: ElfFile = new ElfFile(file, where);
  const { sections, data: bytes } = elf;
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  if (table === undefined) elf.refuse('an ELF file without a symbol table: it was stripped');
  const strings = sections[table.link];
  if (strings === undefined) elf.refuse(`the names of the symbol table are in section ${table.link}, and there are ${sections.length}`);
  elf.within(table.offset, table.size, 'the symbol table');
  elf.within(strings.offset, strings.size, 'the names of the symbol table');
  const { symbol } = elf.layout;
  if (table.entryBytes < symbol.bytes) elf.refuse(`symbols of ${table.entryBytes} bytes, need ${symbol.bytes}`);
  const code: [number, string][] = [];
  const data: [number, string][] = [];
  for (let at = table.offset; at + table.entryBytes <= table.offset + table.size; at += table.entryBytes) {
    const type = bytes.getUint8(at + symbol.info) & 15;
    const index = bytes.getUint16(at + symbol.section, true);
    const address = elf.wide(at + symbol.value);
    if (type !== STT_NOTYPE && type !== STT_OBJECT && type !== STT_FUNC) continue;
    if (index === SHN_UNDEF || index >= SHN_LORESERVE || !Number.isSafeInteger(address)) continue;
    const name = elf.name(strings, bytes.getUint32(at, true));
    // Labels of the assembler's own.
    if (name === '' || name.startsWith('.L')) continue;
    const isCode = type === STT_FUNC || (type === STT_NOTYPE && sections[index]?.isCode === true);
    (isCode ? code : data).push([address, name]);
  }
  if (code.length === 0 && data.length === 0) elf.refuse('an ELF file whose symbol table has no names of code or data');
  return { code: symbolTable(code), data: symbolTable(data) };
}
