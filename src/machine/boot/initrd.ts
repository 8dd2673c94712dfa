// Tells an initial RAM disk that a kernel can use from a damaged file, before the guest panics over it much later.
// Formats: those of lib/decompress.c, init/initramfs.c and init/do_mounts_rd.c of the Linux sources.
import { DragomanError } from '../../api/errors.ts';
import { alignUp, hex } from './bytes.ts';

const COMPRESSED: readonly (readonly number[])[] = [
  [0x1f, 0x8b], // gzip
  [0x42, 0x5a, 0x68], // bzip2
  [0x5d, 0x00, 0x00], // lzma
  [0xfd, 0x37, 0x7a, 0x58, 0x5a], // xz
  [0x89, 0x4c, 0x5a, 0x4f], // lzo
  [0x02, 0x21, 0x4c, 0x18], // lz4
  [0x28, 0xb5, 0x2f, 0xfd], // zstd
];

const FILE_SYSTEMS: readonly { at: number; magic: readonly number[] }[] = [
  { at: 0x438, magic: [0x53, 0xef] }, // ext2
  { at: 0x410, magic: [0x7f, 0x13] }, // minix
  { at: 0x410, magic: [0x8f, 0x13] }, // minix with long names
  { at: 0, magic: [0x45, 0x3d, 0xcd, 0x28] }, // cramfs
  { at: 0, magic: [0x68, 0x73, 0x71, 0x73] }, // squashfs
  { at: 0, magic: [0x2d, 0x72, 0x6f, 0x6d, 0x31, 0x66, 0x73, 0x2d] }, // romfs
];

const startsWith = (bytes: Uint8Array, at: number, magic: readonly number[]) => magic.every((byte, k) => bytes[at + k] === byte);

const ascii = (bytes: Uint8Array, at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length));
const isNewc = (bytes: Uint8Array, at: number) => /^07070[12]$/.test(ascii(bytes, at, 6));

const CPIO_HEADER = 110;

const bad = (message: string): never => {
  throw new DragomanError('BAD_INITRD', message, 'initrd');
};

/** Walks a cpio archive of form "newc" to its trailer. What follows (padding, further archives) is the kernel's to read. */
function checkCpio(bytes: Uint8Array, start: number): void {
  for (let at = start; ; ) {
    if (at + CPIO_HEADER > bytes.length) bad(`truncated: a cpio header at ${hex(at)} runs past the end ${hex(bytes.length)}`);
    if (!isNewc(bytes, at)) bad(`no cpio header at ${hex(at)}, where the entry before it ends`);
    const field = (k: number) => Number(`0x${ascii(bytes, at + 6 + k * 8, 8)}`);
    const [fileBytes, nameBytes] = [field(6), field(11)];
    if (Number.isNaN(fileBytes) || Number.isNaN(nameBytes)) bad(`a cpio header at ${hex(at)} has a field that is no hexadecimal number`);
    const nameAt = at + CPIO_HEADER;
    const dataAt = start + alignUp(nameAt + nameBytes - start, 4);
    const next = start + alignUp(dataAt + fileBytes - start, 4);
    if (nameAt + nameBytes > bytes.length || dataAt + fileBytes > bytes.length)
      bad(`truncated: the cpio entry at ${hex(at)} runs past the end ${hex(bytes.length)}`);
    if (nameBytes === 11 && ascii(bytes, nameAt, 10) === 'TRAILER!!!') return;
    at = next;
  }
}

/** Throws BAD_INITRD where `bytes` is nothing that a Linux kernel unpacks or mounts, or ends too early (as far as that can be seen without unpacking). */
export function checkInitrd(bytes: Uint8Array): void {
  if (bytes.length === 0) bad('the file is empty');
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  if (start === bytes.length) bad('the file holds only zeros');
  const known =
    COMPRESSED.some((magic) => startsWith(bytes, start, magic)) || FILE_SYSTEMS.some(({ at, magic }) => startsWith(bytes, at, magic));
  if (known) {
    if (bytes.length - start < 18) bad(`truncated: ${bytes.length} bytes`);
    return;
  }
  if (isNewc(bytes, start)) checkCpio(bytes, start);
  else bad('neither a cpio archive (newc), nor compressed, nor a file system that can be a RAM disk');
}
