// What is in a disk, as one number: recordings know disks by it.
import { host } from '../host/node.ts';
import { type Disk, SECTOR } from './disk.ts';

const PIECE_BYTES = 1 << 20;

/** SHA-256 of all sectors, hexadecimal. Rejects where the disk cannot be read. */
export async function hashOf(disk: Disk): Promise<string> {
  const hash = host.hasher();
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0, end = disk.sectors * SECTOR; at < end; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, end - at));
    await disk.read(at, part);
    hash.update(part);
  }
  return hash.hex();
}
