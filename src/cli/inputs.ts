// Reads the files that the command line names, and finds what is wrong with them before a machine is built.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { FileDisk } from '../api/disks.ts';
import { DragomanError, type ErrorCode } from '../api/errors.ts';
import { checkImage } from '../host/disk-file.ts';
import { checkInitrd } from '../machine/boot/initrd.ts';
import { parseRecording } from '../machine/lockstep/recording.ts';

/** Larger files cannot be what they are said to be; without a limit a wrong name could read a whole disk. */
const LARGEST_FILE = 1024 * 1024 * 1024;
const SECTOR = 512;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EROFS: 'the file system is read-only',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  ENOSPC: 'no space left on the device',
};

/** In words, why the system refused. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code && reasons[code]) ?? message;
}

/** Errors of a file that may perhaps be read though not written. */
const WRITE_REFUSED = ['EACCES', 'EPERM', 'EROFS', 'ETXTBSY'];

/** Opens a file. `hint` is for those who wanted to write it. */
function withFile<T>(path: string, flags: string, code: ErrorCode, hint: string, use: (fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(path, flags);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? '';
    const helps = WRITE_REFUSED.includes(reason);
    throw new DragomanError(reason === 'ENOENT' ? 'NO_FILE' : code, `${reasonOf(error)}${helps ? hint : ''}`, path, { cause: error });
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** A recording of a lockstep run, checked. */
export function readRecording(path: string): string {
  const text = Buffer.from(readInput(path, 'BAD_RECORDING')).toString();
  try {
    parseRecording(text);
  } catch (error) {
    throw error instanceof DragomanError ? new DragomanError(error.code, error.message, path, { cause: error }) : error;
  }
  return text;
}

/** All bytes of a file. `code` is what a file that cannot be read is reported as; a missing file is always NO_FILE. */
export function readInput(path: string, code: ErrorCode): Uint8Array {
  return withFile(path, 'r', code, '', (fd) => {
    const stat = fstatSync(fd);
    const { size } = stat;
    if (stat.isDirectory()) throw new DragomanError(code, 'is a directory', path);
    if (size > LARGEST_FILE) throw new DragomanError(code, `${size} bytes: too large`, path);
    const chunks: Uint8Array[] = [];
    for (let total = 0; ; ) {
      const chunk = new Uint8Array(Math.max(65536, Math.min(size - total + 1, 64 << 20)));
      let count: number;
      try {
        count = readSync(fd, chunk);
      } catch (error) {
        throw new DragomanError(code, reasonOf(error), path, { cause: error });
      }
      if (count === 0) break;
      total += count;
      if (total > LARGEST_FILE) throw new DragomanError(code, 'too large', path);
      chunks.push(chunk.subarray(0, count));
    }
    return chunks.length === 1 ? chunks[0] : new Uint8Array(Buffer.concat(chunks));
  });
}

/** An initrd. One that is compressed by gzip is unpacked for a test: the guest would only panic over a damaged one. */
export function readInitrd(path: string): Uint8Array {
  const bytes = readInput(path, 'BAD_INITRD');
  try {
    checkInitrd(bytes);
  } catch (error) {
    throw error instanceof DragomanError ? new DragomanError(error.code, error.message.replace(/^initrd: /, ''), path) : error;
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    gunzipSync(bytes, { maxOutputLength: LARGEST_FILE });
  } catch (error) {
    throw new DragomanError('BAD_INITRD', `damaged or truncated gzip file: ${(error as Error).message}`, path, { cause: error });
  }
  return bytes;
}

/** Throws where a disk image cannot be used as it was asked for. */
export function checkDisk({ path, readOnly, snapshot, format }: FileDisk): void {
  const isRead = readOnly === true || snapshot === true;
  withFile(path, isRead ? 'r' : 'r+', 'BAD_DISK', isRead ? '' : ` (add ',ro' to use it read-only, or ',snapshot')`, (fd) => {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new DragomanError('BAD_DISK', 'is a directory', path);
    if (!stat.isFile() && !stat.isBlockDevice()) throw new DragomanError('BAD_DISK', 'neither a file nor a block device', path);
    if (!stat.isFile()) return;
    if (format === undefined) checkImage(fd, path, ',format=raw');
    if (stat.size === 0) throw new DragomanError('BAD_DISK', 'the file is empty', path);
    if (stat.size % SECTOR !== 0) throw new DragomanError('BAD_DISK', `${stat.size} bytes: not a multiple of ${SECTOR}`, path);
  });
}
