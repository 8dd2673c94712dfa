// The multiboot header of a kernel file (Multiboot Specification 0.6.96, 3.1), and what a file has that almost has one.
import { DragomanError } from '../../api/errors.ts';
import { hex, view } from './bytes.ts';
import { isElf, type Segment } from './elf.ts';

const MAGIC = 0x1badb002;
const MAGIC_2 = 0xe85250d6;
/** The header lies wholly in the first 8192 bytes; that of version 2 in the first 32768. */
export const SEARCH_BYTES = 8192;
const SEARCH_BYTES_2 = 32768;
/** Where a header that is too far in is looked for, to tell of it. */
const NEAR_MISS_BYTES = 1 << 20;

/** Header flags. */
export const WANTS_ADDRESSES = 0x10000;

const sum = (file: DataView, at: number, words: number): number => {
  let total = 0;
  for (let k = 0; k < words; k++) total += file.getUint32(at + k * 4, true);
  return total % 0x100000000;
};

/** Offset of the first header (magic, flags and a checksum that makes their sum zero) in front of `end`; -1 where there is none. */
function search(kernel: Uint8Array, from: number, end: number, step: number, magic: number, words: number): number {
  const file = view(kernel);
  const last = Math.min(kernel.length, end) - words * 4;
  for (let at = from; at <= last; at += step) if (file.getUint32(at, true) === magic && sum(file, at, words) === 0) return at;
  return -1;
}

/** Offset of the multiboot header; -1 where there is none. */
export const findHeader = (kernel: Uint8Array): number => search(kernel, 0, SEARCH_BYTES, 4, MAGIC, 3);

/** What keeps a file without a multiboot header from having one, in words; undefined where it has nothing like it. */
export function explainNoHeader(kernel: Uint8Array): string | undefined {
  const file = view(kernel);
  if (search(kernel, 0, SEARCH_BYTES_2, 8, MAGIC_2, 4) >= 0)
    return `a multiboot 2 kernel (${hex(MAGIC_2)}) without a header of multiboot 1 (${hex(MAGIC)}), which is what can be loaded here`;
  for (let at = 0; at + 16 <= Math.min(kernel.length, SEARCH_BYTES_2); at += 8) {
    if (file.getUint32(at, true) !== MAGIC_2) continue;
    return `a multiboot 2 header (${hex(MAGIC_2)}) at ${hex(at)} with the wrong checksum ${hex(file.getUint32(at + 12, true))}; and what can be loaded here is multiboot 1 (${hex(MAGIC)})`;
  }
  for (let at = 0; at + 4 <= Math.min(kernel.length, SEARCH_BYTES); at += 4) {
    if (file.getUint32(at, true) !== MAGIC) continue;
    if (at + 12 > Math.min(kernel.length, SEARCH_BYTES))
      return `a multiboot header at ${hex(at)} that is cut off: it must lie in the first ${SEARCH_BYTES} bytes`;
    const [flags, checksum] = [file.getUint32(at + 4, true), file.getUint32(at + 8, true)];
    return `a multiboot header at ${hex(at)} with the wrong checksum ${hex(checksum)}: for flags ${hex(flags)} it is ${hex(-(MAGIC + flags) >>> 0)}`;
  }
  const hint = isElf(kernel) ? ' (give its section the first place in the linker script)' : '';
  const far = search(kernel, 0, NEAR_MISS_BYTES, 4, MAGIC, 3);
  if (far >= 0) return `a multiboot header at ${hex(far)}: it must lie in the first ${SEARCH_BYTES} bytes${hint}`;
  const crooked = search(kernel, 0, SEARCH_BYTES, 1, MAGIC, 3);
  if (crooked >= 0) return `a multiboot header at ${hex(crooked)}: its place must be a multiple of 4`;
  return undefined;
}

function bad(message: string): never {
  throw new DragomanError('BAD_KERNEL', message, 'multiboot kernel');
}

/** The kernel as the address fields of its header describe it (Multiboot Specification, 3.1.3). */
export function readAddressFields(kernel: Uint8Array, header: number): { segments: Segment[]; entry: number } {
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
