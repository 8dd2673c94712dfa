// A raw image file of the host as a block backend: sectors at their offsets in the file, nothing cached here.
import { createHash } from 'node:crypto';
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { DragomanError } from '../api/errors.ts';
import type { Disk } from './host.ts';
import { lockImage } from './image-lock.ts';

const SECTOR = 512;
/** Bytes a call of the operating system moves at most. */
const MOST_BYTES = 1 << 30;

export class DiskFile implements Disk {
  readonly path: string;
  readonly sectors: number;
  readonly readOnly: boolean;
  #handle: number | undefined;

  /** Opens the image and locks it. Throws a DragomanError: NO_FILE, or BAD_DISK where it cannot be used, or somebody else uses it. */
  constructor(path: string, readOnly = false) {
    this.path = path;
    this.readOnly = readOnly;
    this.#handle = open(path, readOnly);
    try {
      this.sectors = countSectors(this.#handle, path);
      if (!lockImage(this.#handle, readOnly)) throw new DragomanError('BAD_DISK', inUse(readOnly), path);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** SHA-256 of all sectors, hexadecimal. */
  hash(): string {
    const hash = createHash('sha256');
    const piece = new Uint8Array(1 << 20);
    for (let at = 0, end = this.sectors * SECTOR; at < end; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, end - at));
      this.read(at, part);
      hash.update(part);
    }
    return hash.digest('hex');
  }

  read(offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const got = readSync(this.#open(), into, done, Math.min(into.length - done, MOST_BYTES), offset + done);
      if (got === 0) throw new DragomanError('BAD_DISK', 'the file became shorter', this.path);
      done += got;
    }
  }

  write(offset: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; ) {
      done += writeSync(this.#open(), from, done, Math.min(from.length - done, MOST_BYTES), offset + done);
    }
  }

  flush(): void {
    if (!this.readOnly) fdatasyncSync(this.#open());
  }

  close(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle !== undefined) closeSync(handle);
  }

  #open(): number {
    if (this.#handle === undefined) throw new DragomanError('INTERNAL', 'the disk is closed', this.path);
    return this.#handle;
  }
}

function open(path: string, readOnly: boolean): number {
  try {
    // Looked at first: to open a pipe may wait for ever.
    if (statSync(path).isFIFO()) throw new DragomanError('BAD_DISK', 'not a regular file', path);
    return openSync(path, readOnly ? 'r' : 'r+');
  } catch (error) {
    if (error instanceof DragomanError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new DragomanError('NO_FILE', 'no such disk image', path, { cause: error });
    if (code === 'EISDIR') throw new DragomanError('BAD_DISK', 'this is a directory, not a disk image', path, { cause: error });
    const hint = !readOnly && (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') ? ' for writing (attach it read-only?)' : '';
    throw new DragomanError('BAD_DISK', `cannot be opened${hint}: ${code ?? String(error)}`, path, { cause: error });
  }
}

const inUse = (readOnly: boolean): string =>
  `the image is in use: ${readOnly ? 'another machine writes it' : 'another machine has it (only read-only disks can be shared)'}`;

function countSectors(handle: number, path: string): number {
  const stat = fstatSync(handle);
  if (!stat.isFile()) throw new DragomanError('BAD_DISK', 'not a regular file', path);
  if (stat.size === 0) throw new DragomanError('BAD_DISK', 'the disk image is empty', path);
  if (stat.size % SECTOR !== 0) throw new DragomanError('BAD_DISK', `${stat.size} bytes: not a multiple of ${SECTOR}`, path);
  return stat.size / SECTOR;
}
