// Reads ELF32 executables for IA-32 (System V ABI, chapter 4 and 5): where their segments go and where they start.
import { DragomanError } from '../../api/errors.ts';
import { contains, hex, overlaps, type Range, view } from './bytes.ts';

export interface Segment {
  /** Guest physical address. */
  readonly physical: number;
  readonly virtual: number;
  /** Bytes of the file that go there; zeros follow up to `memoryBytes`. */
  readonly data: Uint8Array;
  readonly memoryBytes: number;
}

export interface ElfImage {
  readonly segments: readonly Segment[];
  /** Ranges of the file that a kernel can do without: its headers and notes. */
  readonly headers: readonly Range[];
  /** As the header has it: physical or virtual. */
  readonly entry: number;
}

const ELF_HEADER = 52;
const PROGRAM_HEADER = 32;
const PT_LOAD = 1;
const PT_NOTE = 4;
const ET_REL = 1;
const ET_EXEC = 2;
const ET_DYN = 3;
const EM_386 = 3;
/** The largest page that linkers align segments to. */
const LARGEST_CUT = 0x10000;

export const isElf = (file: Uint8Array): boolean => file.length >= 4 && view(file).getUint32(0, false) === 0x7f454c46;

function bad(message: string): never {
  throw new DragomanError('BAD_KERNEL', message, 'ELF kernel');
}

/** Segments and entry of an ELF32 executable. Throws BAD_KERNEL with what is wrong and where. */
export function readElf(file: Uint8Array): ElfImage {
  if (!isElf(file)) bad('no ELF magic at 0x0');
  if (file.length > 4 && file[4] === 2) bad('a 64-bit ELF file: the simulated CPU has 32 bits');
  if (file.length < ELF_HEADER) bad(`truncated: the ELF header has ${ELF_HEADER} bytes, the file ${file.length}`);
  const data = view(file);
  if (file[4] !== 1) bad(`unknown ELF class ${file[4]} at 0x4`);
  if (file[5] !== 1) bad(`byte order ${file[5]} at 0x5: not little-endian`);
  const machine = data.getUint16(18, true);
  if (machine !== EM_386) bad(`built for machine ${machine} (at 0x12), not for IA-32 (${EM_386})`);
  const type = data.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN)
    bad(`ELF type ${type} at 0x10: not an executable${type === ET_REL ? ' but an object file, which a linker has to finish' : ''}`);
  const [table, size, count] = [data.getUint32(28, true), data.getUint16(42, true), data.getUint16(44, true)];
  if (count === 0) bad('no program headers: nothing to load');
  if (size < PROGRAM_HEADER) bad(`program headers of ${size} bytes, need ${PROGRAM_HEADER}`);
  if (table + size * count > file.length)
    bad(`truncated: program headers end at ${hex(table + size * count)}, the file at ${hex(file.length)}`);
  const segments: Segment[] = [];
  const headers = [
    { start: 0, end: ELF_HEADER },
    { start: table, end: table + size * count },
  ];
  for (let k = 0; k < count; k++) {
    const at = table + k * size;
    const word = (n: number) => data.getUint32(at + n * 4, true);
    const [offset, virtual, physical, fileBytes, memoryBytes] = [word(1), word(2), word(3), word(4), word(5)];
    if (word(0) === PT_NOTE) headers.push({ start: offset, end: offset + fileBytes });
    if (word(0) !== PT_LOAD || memoryBytes === 0) continue;
    if (fileBytes > memoryBytes) bad(`segment ${k}: ${fileBytes} bytes in the file, but only ${memoryBytes} in memory`);
    if (offset + fileBytes > file.length)
      bad(`truncated: segment ${k} ends at ${hex(offset + fileBytes)}, the file at ${hex(file.length)}`);
    if (physical + memoryBytes > 0x100000000) bad(`segment ${k} at ${hex(physical)} runs past 4 GiB`);
    segments.push({ physical, virtual, data: file.subarray(offset, offset + fileBytes), memoryBytes });
  }
  if (segments.length === 0) bad('no segment to load');
  return { segments, headers, entry: data.getUint32(24, true) };
}

/**
 * The segments without what the linker put below `from`, where that is nothing but headers and notes of the file (and zeros): a kernel
 * that is linked to 1 MiB without care begins a page below it.
 */
export function withoutHeaders(file: Uint8Array, { segments, headers }: ElfImage, from: number): Segment[] {
  return segments.flatMap((segment) => {
    const { physical, virtual, data, memoryBytes } = segment;
    const start = data.byteOffset - file.byteOffset;
    const cut = Math.min(from - physical, memoryBytes);
    if (start !== 0 || cut <= 0 || cut > LARGEST_CUT) return [segment];
    const needless = (byte: number, at: number) => byte === 0 || headers.some((range) => contains(range, at));
    if (!data.subarray(0, cut).every(needless)) return [segment];
    if (cut === memoryBytes) return [];
    return [{ physical: from, virtual: virtual + cut, data: data.subarray(cut), memoryBytes: memoryBytes - cut }];
  });
}

const physicalRange = (s: Segment) => ({ start: s.physical, end: s.physical + s.memoryBytes });

/** Throws where two segments claim the same memory. */
export function checkSegments(segments: readonly Segment[]): void {
  const sorted = segments.map(physicalRange).sort((a, b) => a.start - b.start);
  for (let k = 1; k < sorted.length; k++) {
    if (overlaps(sorted[k - 1], sorted[k]))
      bad(
        `overlapping segments: [${hex(sorted[k - 1].start)}, ${hex(sorted[k - 1].end)}) and [${hex(sorted[k].start)}, ${hex(sorted[k].end)})`,
      );
  }
}

/** The physical address of `address`, which may be physical or virtual; undefined outside all segments. */
export function toPhysical(segments: readonly Segment[], address: number): number | undefined {
  if (segments.some((s) => contains(physicalRange(s), address))) return address;
  const segment = segments.find((s) => address >= s.virtual && address < s.virtual + s.memoryBytes);
  return segment && address - segment.virtual + segment.physical;
}
