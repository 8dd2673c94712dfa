// What an image was like when a snapshot was taken: by that it is known again, as a guest that has part of a file system in memory damages any other. Large images are known by samples, which are at the places where
// file systems keep what changes with every use, and by the time of their last change.
import { host } from '../host/node.ts';
import { DeviceDisk } from './device-disk.ts';
import { type Disk, SECTOR } from './disk.ts';

export interface DiskImage {
  /** SHA-256 of all of it, or of the samples. */
  readonly hash: string;
  /** Unix milliseconds; undefined: nobody knows. */
  readonly modifiedMs: number | undefined;
}

/** An image up to this size is looked at as a whole. */
export const WHOLE_BYTES = 8 << 20;
/** Else its first and its last MiB, and so many pieces in between. */
const EDGE_BYTES = 1 << 20;
const PIECES = 64;
const PIECE_BYTES = 64 << 10;

export const isWhole = ({ sectors }: Pick<Disk, 'sectors'>): boolean => sectors * SECTOR <= WHOLE_BYTES;

function* places(disk: Disk): Generator<readonly [offset: number, length: number]> {
  const bytes = disk.sectors * SECTOR;
  if (isWhole(disk)) {
    for (let at = 0; at < bytes; at += EDGE_BYTES) yield [at, Math.min(EDGE_BYTES, bytes - at)];
    return;
  }
  yield [0, EDGE_BYTES];
  for (let n = 1; n <= PIECES; n++) {
    const at = Math.floor((bytes / (PIECES + 1)) * n);
    yield [at - (at % SECTOR), PIECE_BYTES];
  }
  yield [bytes - EDGE_BYTES, EDGE_BYTES];
}

/** Of a disk that answers at once. */
export function imageNow(disk: Disk): DiskImage {
  const hash = host.hasher();
  for (const [at, length] of places(disk)) {
    const piece = new Uint8Array(length);
    disk.read(at, piece);
    hash.update(piece);
  }
  return { hash: hash.hex(), modifiedMs: disk.modifiedMs };
}

/** Undefined: a program's object, which is its own affair. */
export async function imageOf(disk: Disk): Promise<DiskImage | undefined> {
  if (disk instanceof DeviceDisk) return undefined;
  if (disk.isLater !== true) return imageNow(disk);
  const hash = host.hasher();
  for (const [at, length] of places(disk)) {
    const piece = new Uint8Array(length);
    await disk.read(at, piece);
    hash.update(piece);
  }
  return { hash: hash.hex(), modifiedMs: disk.modifiedMs };
}
