// Loads kernels by the Multiboot Specification, version 0.6.96 ("multiboot 1"): ELF32 files, and any file with the address fields.
import { DragomanError } from '../../api/errors.ts';
import { alignUp, cString, hex, overlaps, type Range, view } from './bytes.ts';
import { HIGH_MEMORY, LOW_MEMORY_END, memoryMap } from './e820.ts';
import { checkSegments, isElf, readElf, type Segment, toPhysical } from './elf.ts';
import { CODE_SELECTOR, CR0_PROTECTED, DATA_SELECTOR, type EntryState, GDT_BYTES, placeGdt, registers } from './entry.ts';

const HEADER_MAGIC = 0x1badb002;
const LOADER_MAGIC = 0x2badb002;
/** The header lies wholly in the first 8192 bytes. */
const SEARCH_BYTES = 8192;

/** Header flags. */
const WANTS_ADDRESSES = 0x10000;
/** Requirements (bits 0..15) that this loader meets: page-aligned modules, memory information, video mode (we say that there is none). */
const KNOWN_REQUIREMENTS = 7;

/** Flags of the information structure. */
const Info = { MEMORY: 1, COMMAND_LINE: 4, MODULES: 8, MEMORY_MAP: 0x40, LOADER_NAME: 0x200 } as const;
const INFO_BYTES = 116;
const MODULE_BYTES = 16;
const MAP_ENTRY_BYTES = 24;

/** Our own tables go here where the kernel leaves room, else behind the kernel. */
const TABLES_LOW = 0x8000;
const PAGE = 4096;
const LOADER_NAME = 'Dragoman';

export interface BootModule {
  readonly data: Uint8Array;
  /** Text that the kernel finds beside the module: by custom its file name and arguments. */
  readonly string: string;
}

export interface MultibootImage {
  readonly kernel: Uint8Array;
  readonly modules: readonly BootModule[];
  readonly commandLine: string;
  /** Bytes of guest RAM from guest physical 0. */
  readonly ramBytes: number;
}

function bad(message: string): never {
  throw new DragomanError('BAD_KERNEL', message, 'multiboot kernel');
}

/** Offset of the multiboot header (magic, flags and a checksum that makes their sum zero); -1 where there is none. */
export function findHeader(kernel: Uint8Array): number {
  const file = view(kernel);
  for (let at = 0; at + 12 <= Math.min(kernel.length, SEARCH_BYTES); at += 4) {
    if (file.getUint32(at, true) !== HEADER_MAGIC) continue;
    if (((HEADER_MAGIC + file.getUint32(at + 4, true) + file.getUint32(at + 8, true)) | 0) === 0) return at;
  }
  return -1;
}

/** The kernel as the address fields of its header describe it (Multiboot Specification, 3.1.3). */
function readAddressFields(kernel: Uint8Array, header: number): { segments: Segment[]; entry: number } {
  if (header + 32 > kernel.length) bad(`truncated: the address fields at ${hex(header + 12)} run past the end ${hex(kernel.length)}`);
  const word = (k: number) => view(kernel).getUint32(header + k * 4, true);
  const [headerAddress, load, loadEnd, bssEnd, entry] = [word(3), word(4), word(5), word(6), word(7)];
  if (load > headerAddress) bad(`load address ${hex(load)} lies behind the header's address ${hex(headerAddress)}`);
  const offset = header - (headerAddress - load);
  if (offset < 0) bad(`load address ${hex(load)} asks for ${-offset} bytes in front of the file`);
  const bytes = loadEnd === 0 ? kernel.length - offset : loadEnd - load;
  if (bytes <= 0) bad(`load end ${hex(loadEnd)} is not behind the load address ${hex(load)}`);
  if (offset + bytes > kernel.length) bad(`truncated: the load fields want ${offset + bytes} bytes, the file has ${kernel.length}`);
  if (bssEnd !== 0 && bssEnd < load + bytes) bad(`bss end ${hex(bssEnd)} lies in front of the load end ${hex(load + bytes)}`);
  const memoryBytes = (bssEnd === 0 ? load + bytes : bssEnd) - load;
  return { segments: [{ physical: load, virtual: load, data: kernel.subarray(offset, offset + bytes), memoryBytes }], entry };
}

/** Hands out memory that neither the kernel nor a module uses. */
class Placer {
  readonly #taken: Range[];
  #top: number;
  readonly #ramBytes: number;
  constructor(taken: Range[], ramBytes: number) {
    this.#taken = taken;
    this.#top = Math.max(HIGH_MEMORY, ...taken.map((range) => range.end));
    this.#ramBytes = ramBytes;
  }

  /** Whole pages behind all that is taken so far. */
  high(bytes: number, what: string): number {
    const at = alignUp(this.#top, PAGE);
    if (at + bytes > this.#ramBytes) {
      throw new DragomanError(
        'OUT_OF_MEMORY',
        `${bytes} bytes do not fit between ${hex(at)} and the end of memory ${hex(this.#ramBytes)}`,
        what,
      );
    }
    this.#top = at + bytes;
    return at;
  }

  /** Low memory if the kernel leaves enough of it, else like high(). */
  low(bytes: number, what: string): number {
    const range = { start: TABLES_LOW, end: TABLES_LOW + bytes };
    const free = range.end <= LOW_MEMORY_END && !this.#taken.some((taken) => overlaps(taken, range));
    return free ? TABLES_LOW : this.high(bytes, what);
  }
}

function checkPlaces(segments: readonly Segment[], ramBytes: number): void {
  for (const { physical: start, data, memoryBytes } of segments) {
    const end = start + memoryBytes;
    if (end > ramBytes)
      throw new DragomanError(
        'OUT_OF_MEMORY',
        `a segment ends at ${hex(end)}, the guest has memory up to ${hex(ramBytes)}`,
        'multiboot kernel',
      );
    // A linker puts the headers of the file in front of the code: what is linked to 1 MiB starts below it.
    const hint = isElf(data) ? ': it begins with the headers of the ELF file (link with ld -n or -N, which leave them out)' : '';
    if (overlaps({ start, end }, { start: LOW_MEMORY_END, end: HIGH_MEMORY })) {
      bad(`a segment [${hex(start)}, ${hex(end)}) reaches into the reserved area [${hex(LOW_MEMORY_END)}, ${hex(HIGH_MEMORY)})${hint}`);
    }
  }
}

/** Places kernel, modules and the information structure in `ram`; throws a DragomanError and leaves `ram` as it was where a file is damaged. */
export function loadMultiboot(ram: Uint8Array, image: MultibootImage): EntryState {
  const { kernel, modules } = image;
  const ramBytes = Math.min(image.ramBytes, ram.length);
  const header = findHeader(kernel);
  if (header < 0) bad(`no multiboot header in the first ${SEARCH_BYTES} bytes`);
  const flags = view(kernel).getUint32(header + 4, true);
  const unknown = flags & 0xffff & ~KNOWN_REQUIREMENTS;
  if (unknown !== 0) bad(`the header at ${hex(header)} requires features ${hex(unknown)} that this loader does not have`);
  const { segments, entry } = flags & WANTS_ADDRESSES || !isElf(kernel) ? fromAddresses(kernel, header, flags) : readElf(kernel);
  checkSegments(segments);
  checkPlaces(segments, ramBytes);
  const eip = toPhysical(segments, entry);
  if (eip === undefined) bad(`entry ${hex(entry)} lies outside all segments`);

  const placer = new Placer(
    segments.map((s) => ({ start: s.physical, end: s.physical + s.memoryBytes })),
    ramBytes,
  );
  const placed = modules.map((module, k) => ({
    start: placer.high(module.data.length, `module ${k} (${module.string})`),
    data: module.data,
    text: cString(module.string, `module ${k}`),
  }));
  const commandLine = cString(image.commandLine, 'command line');
  const name = cString(LOADER_NAME, 'loader');
  const map = memoryMap(image.ramBytes);
  const strings = [commandLine, name, ...placed.map((module) => module.text)];
  const stringBytes = strings.reduce((sum, text) => sum + text.length, 0);
  const fixedBytes = GDT_BYTES + alignUp(INFO_BYTES, 8) + map.length * MAP_ENTRY_BYTES + placed.length * MODULE_BYTES;
  const gdtAt = placer.low(fixedBytes + stringBytes, 'multiboot information');

  for (const { physical, data, memoryBytes } of segments) {
    ram.set(data, physical);
    ram.fill(0, physical + data.length, physical + memoryBytes);
  }
  for (const { start, data } of placed) ram.set(data, start);
  const memory = view(ram);
  const infoAt = gdtAt + GDT_BYTES;
  const mapAt = infoAt + alignUp(INFO_BYTES, 8);
  const modulesAt = mapAt + map.length * MAP_ENTRY_BYTES;
  let stringAt = gdtAt + fixedBytes;
  const putString = (text: Uint8Array) => {
    ram.set(text, stringAt);
    stringAt += text.length;
    return stringAt - text.length;
  };
  map.forEach((range, k) => {
    const at = mapAt + k * MAP_ENTRY_BYTES;
    memory.setUint32(at, MAP_ENTRY_BYTES - 4, true);
    memory.setBigUint64(at + 4, BigInt(range.base), true);
    memory.setBigUint64(at + 12, BigInt(range.length), true);
    memory.setUint32(at + 20, range.type, true);
  });
  placed.forEach((module, k) => {
    const words = [module.start, module.start + module.data.length, putString(module.text), 0];
    words.forEach((word, n) => void memory.setUint32(modulesAt + k * MODULE_BYTES + n * 4, word, true));
  });
  ram.fill(0, infoAt, infoAt + INFO_BYTES);
  const set = (offset: number, value: number) => memory.setUint32(infoAt + offset, value, true);
  set(0, Info.MEMORY | Info.COMMAND_LINE | Info.MODULES | Info.MEMORY_MAP | Info.LOADER_NAME);
  set(4, LOW_MEMORY_END / 1024);
  set(8, Math.max(0, image.ramBytes - HIGH_MEMORY) / 1024);
  set(16, putString(commandLine));
  set(20, placed.length);
  set(24, modulesAt);
  set(44, map.length * MAP_ENTRY_BYTES);
  set(48, mapAt);
  set(64, putString(name));
  return {
    kind: 'multiboot',
    segments: 'flat32',
    codeSelector: CODE_SELECTOR,
    dataSelector: DATA_SELECTOR,
    eip,
    image: segments.map(({ physical, data }) => ({ start: physical, end: physical + data.length })),
    eflags: 2,
    cr0: CR0_PROTECTED,
    gpr: registers({ eax: LOADER_MAGIC, ebx: infoAt }),
    gdt: placeGdt(ram, gdtAt),
    firmwareTables: true,
  };
}

function fromAddresses(kernel: Uint8Array, header: number, flags: number): { segments: Segment[]; entry: number } {
  if (!(flags & WANTS_ADDRESSES)) bad('neither an ELF file nor a header with address fields');
  return readAddressFields(kernel, header);
}
