// What a file that somebody brings is, by its first bytes: a kernel, an initial RAM disk, or an image of a disk.

/** As much of a file as tells. */
export const HEAD_BYTES = 8192;
/** Setup header of a Linux kernel (boot protocol): "HdrS". */
const LINUX_AT = 0x202;
const LINUX = 0x53726448;
/** Of a machine that was saved. */
const SNAPSHOT = 'DRAGOMAN SNP';
/** Multiboot's header: aligned, in the first 8 KiB, with a checksum. */
const MULTIBOOT = 0x1badb002;
/** What initrds begin with: gzip, bzip2, xz, LZMA, LZ4 (as the kernel has it), zstd, cpio (new, CRC and old). */
const INITRDS = [
  '1f8b',
  '425a68',
  'fd377a585a00',
  '5d0000',
  '02214c18',
  '28b52ffd',
  '303730373031',
  '303730373032',
  '303730373037',
  'c771',
];

/** What disks begin with: a boot sector's last word, the magic number of ext2 to ext4. */
const BOOT_AT = 510;
const BOOT = 0xaa55;
const EXT_AT = 0x438;
const EXT = 0xef53;
const SECTOR = 512;
const DISK_NAME = /\.(img|raw|iso|dd|disk)$/i;

/** Whether a file is a raw image of a disk: by what it begins with, or, where that says nothing, by its name. `size`: bytes. */
export function isDisk(head: Uint8Array, size: number, name: string): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const half = (at: number) => (at + 2 <= head.length ? view.getUint16(at, true) : 0);
  return size > 0 && size % SECTOR === 0 && (half(BOOT_AT) === BOOT || half(EXT_AT) === EXT || DISK_NAME.test(name));
}

/** 'linux' and 'multiboot' are kernels; 'snapshot': a machine that was saved; undefined: it is none of these. */
export function kindOf(head: Uint8Array): 'linux' | 'multiboot' | 'initrd' | 'snapshot' | undefined {
  if (new TextDecoder('latin1').decode(head.subarray(0, SNAPSHOT.length)) === SNAPSHOT) return 'snapshot';
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const word = (at: number) => (at + 4 <= head.length ? view.getUint32(at, true) : 0);
  if (word(LINUX_AT) === LINUX) return 'linux';
  for (let at = 0; at + 12 <= Math.min(head.length, HEAD_BYTES); at += 4)
    if (word(at) === MULTIBOOT && (word(at) + word(at + 4) + word(at + 8)) >>> 0 === 0) return 'multiboot';
  const begins = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return INITRDS.some((magic) => begins.startsWith(magic)) ? 'initrd' : undefined;
}
