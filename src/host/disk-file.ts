// A raw image file of the host as a block backend: sectors at their offsets in the file, nothing cached here.
import { closeSync, fdatasyncSync, fstatSync, openSync, statSync } from 'node:fs';
import { DragomanError } from '../api/errors.ts';
import { type Disk, inUse, SECTOR } from '../disks/disk.ts';
import { checkRaw, HEAD_BYTES } from '../disks/image-format.ts';
import { readAt, writeAt } from './file-io.ts';
import { lockImage } from './image-lock.ts';

export class DiskFile implements Disk {
  readonly path: string;
  readonly sectors: number;
  readonly readOnly: boolean;
  #handle: number | undefined;

  /**
   * Opens the image and locks it. 'raw': it is, whatever it looks like. Throws a DragomanError: NO_FILE, or BAD_DISK where it cannot be used, or somebody
   * else uses it.
   */
  constructor(path: string, readOnly = false, format?: 'raw') {
    this.path = path;
    this.readOnly = readOnly;
    this.#handle = open(path, readOnly);
    try {
      checkFile(this.#handle, path);
      if (format === undefined) checkImage(this.#handle, path, "format: 'raw'");
      this.sectors = countSectors(this.#handle, path);
      if (!lockImage(this.#handle, readOnly)) throw new DragomanError('BAD_DISK', inUse(readOnly), path);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get modifiedMs(): number {
    return fstatSync(this.#open()).mtimeMs;
  }

  read(offset: number, into: Uint8Array): void {
    if (readAt(this.#open(), offset, into) < into.length) throw new DragomanError('BAD_DISK', 'the file became shorter', this.path);
  }

  write(offset: number, from: Uint8Array): void {
    writeAt(this.#open(), offset, from);
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

/** Throws BAD_DISK where an open file begins as an image that is not raw does. `force`: how its user says that it is. */
export function checkImage(fd: number, path: string, force: string): void {
  const head = new Uint8Array(HEAD_BYTES);
  checkRaw(head.subarray(0, readAt(fd, 0, head)), path, force);
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

function checkFile(handle: number, path: string): void {
  if (!fstatSync(handle).isFile()) throw new DragomanError('BAD_DISK', 'not a regular file', path);
}

function countSectors(handle: number, path: string): number {
  const { size } = fstatSync(handle);
  if (size === 0) throw new DragomanError('BAD_DISK', 'the disk image is empty', path);
  if (size % SECTOR !== 0) throw new DragomanError('BAD_DISK', `${size} bytes: not a multiple of ${SECTOR}`, path);
  return size / SECTOR;
}
