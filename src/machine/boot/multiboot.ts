// Loads kernels by the Multiboot Specification, version 0.6.96 ("multiboot 1"): ELF32 files, and any file with the address fields.
import { DragomanError } from '../../api/errors.ts';
import { alignUp, cString, hex, overlaps, view } from './bytes.ts';
import { HIGH_MEMORY, LOW_MEMORY_END, memoryMap } from './e820.ts';
import { checkSegments, isElf, readElf, type Segment, toPhysical, withoutHeaders } from './elf.ts';
import { CR0_PROTECTED, type EntryState, MULTIBOOT_GDT, placeGdt, registers } from './entry.ts';
import { findHeader, readAddressFields, SEARCH_BYTES, WANTS_ADDRESSES } from './multiboot-header.ts';
import { Placer } from './placer.ts';

const LOADER_MAGIC = 0x2badb002;
/** Requirements (bits 0..15) that this loader meets: page-aligned modules, memory information, video mode (we say that there is none). */
const KNOWN_REQUIREMENTS = 7;

/** Flags of the information structure. */
const Info = { MEMORY: 1, COMMAND_LINE: 4, MODULES: 8, MEMORY_MAP: 0x40, LOADER_NAME: 0x200 } as const;
const INFO_BYTES = 116;
const MODULE_BYTES = 16;
const MAP_ENTRY_BYTES = 24;

/** Our tables go here where the kernel leaves room, else behind the kernel. Lower places are popular for the code that other CPUs start with. */
const TABLES_LOW = 0x9000;
/** In memory that the map calls reserved: a kernel that keeps our table does not give it away. */
const GDT = 0x9ff00;
/** ESP is undefined by the specification, but GRUB's is good for a stack, and kernels use it. */
const STACK_TOP = 0x7ff00;
const STACK_BYTES = 0x4000;
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

function readSegments(kernel: Uint8Array): { segments: readonly Segment[]; entry: number } {
  const image = readElf(kernel);
  return { segments: withoutHeaders(kernel, image, HIGH_MEMORY), entry: image.entry };
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
  if (!(flags & WANTS_ADDRESSES) && !isElf(kernel)) bad('neither an ELF file nor a header with address fields');
  const { segments, entry } = flags & WANTS_ADDRESSES ? readAddressFields(kernel, header) : readSegments(kernel);
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
  const fixedBytes = alignUp(INFO_BYTES, 8) + map.length * MAP_ENTRY_BYTES + placed.length * MODULE_BYTES;
  const infoAt = placer.low(TABLES_LOW, fixedBytes + stringBytes, 'multiboot information');
  const stackAt = placer.low(STACK_TOP - STACK_BYTES, STACK_BYTES, 'stack');

  for (const { physical, data, memoryBytes } of segments) {
    ram.set(data, physical);
    ram.fill(0, physical + data.length, physical + memoryBytes);
  }
  for (const { start, data } of placed) ram.set(data, start);
  const memory = view(ram);
  const mapAt = infoAt + alignUp(INFO_BYTES, 8);
  const modulesAt = mapAt + map.length * MAP_ENTRY_BYTES;
  let stringAt = infoAt + fixedBytes;
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
    codeSelector: MULTIBOOT_GDT.code,
    dataSelector: MULTIBOOT_GDT.data,
    eip,
    image: segments.map(({ physical, data }) => ({ start: physical, end: physical + data.length })),
    eflags: 2,
    cr0: CR0_PROTECTED,
    gpr: registers({ eax: LOADER_MAGIC, ebx: infoAt, esp: stackAt + STACK_BYTES }),
    gdt: placeGdt(ram, GDT, MULTIBOOT_GDT),
  };
}
