// Writes cpio archives of form "newc" (Documentation/driver-api/early-userspace/buffer-format.rst of the Linux sources): what
// an initramfs is made of. Owners, times and inode numbers are fixed, so equal entries give equal bytes.

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;

export type CpioEntry =
  | { readonly path: string; readonly directory: true }
  | { readonly path: string; readonly data: Uint8Array; readonly mode: number }
  | { readonly path: string; readonly target: string }
  | { readonly path: string; readonly character: readonly [major: number, minor: number]; readonly mode: number };

const pad = (length: number) => Buffer.alloc(-length & 3);

function record(inode: number, path: string, mode: number, data: Uint8Array, device: readonly [number, number], links: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, device[0], device[1], name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([header, name, pad(header.length + name.length), data, pad(data.length)]);
}

const NOTHING = new Uint8Array(0);

/** The archive. Directories must come before what is in them. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const records = entries.map((entry, k) => {
    const inode = k + 1;
    if ('directory' in entry) return record(inode, entry.path, S_IFDIR | 0o755, NOTHING, [0, 0], 2);
    if ('target' in entry) return record(inode, entry.path, S_IFLNK | 0o777, Buffer.from(entry.target), [0, 0], 1);
    if ('character' in entry) return record(inode, entry.path, S_IFCHR | entry.mode, NOTHING, entry.character, 1);
    return record(inode, entry.path, S_IFREG | entry.mode, entry.data, [0, 0], 1);
  });
  return Buffer.concat([...records, record(0, 'TRAILER!!!', 0, NOTHING, [0, 0], 1)]);
}
