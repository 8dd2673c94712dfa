// A folder of the host's as a tree that is shared with a guest. Nothing here waits but in promises; files are those of the user who runs this.
import {
  accessSync,
  chmod,
  constants,
  fchmod,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  futimes,
  link,
  lstat,
  lutimes,
  mkdir,
  read,
  readdir,
  readlink,
  realpathSync,
  rename,
  rmdir,
  statfs,
  statSync,
  symlink,
  unlink,
  write,
} from 'node:fs';
import { promisify } from 'node:util';
import { DragomanError } from '../api/errors.ts';
import { fromLatin1, latin1 } from '../share/message.ts';
import type { FileStat, FileSystemStat, NewTimes, OpenHow, SharedFile, ShareTree } from '../share/tree.ts';
import { closeFd, openFd, type Places, placesOf } from './share-places.ts';

const calls = {
  chmod: promisify(chmod),
  fchmod: promisify(fchmod),
  fdatasync: promisify(fdatasync),
  fsync: promisify(fsync),
  ftruncate: promisify(ftruncate),
  futimes: promisify(futimes),
  link: promisify(link),
  lutimes: promisify(lutimes),
  mkdir: promisify(mkdir),
  read: promisify(read),
  rename: promisify(rename),
  rmdir: promisify(rmdir),
  symlink: promisify(symlink),
  unlink: promisify(unlink),
  write: promisify(write),
  fstat: (fd: number): Promise<FileStat> => promisify(fstat)(fd, { bigint: true }),
  lstat: (path: Buffer): Promise<FileStat> => promisify(lstat)(path, { bigint: true }),
};

const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_TRUNC, O_CREAT, O_EXCL, O_NOFOLLOW, O_SYNC, O_DSYNC } = constants;

function flagsOf({ read, write, truncate, append, sync }: OpenHow): number {
  const access = write ? (read ? O_RDWR : O_WRONLY) : O_RDONLY;
  const synced = sync === 'all' ? O_SYNC : sync === 'data' ? (O_DSYNC ?? O_SYNC) : 0;
  return access | (truncate ? O_TRUNC : 0) | (append ? O_APPEND : 0) | synced;
}

/** As Node takes times: seconds, exact where they are whole and else to a microsecond; before 1970 a Date. */
const timeOf = (ns: bigint): number | Date => (ns < 0n ? new Date(Number(ns) / 1e6) : Number(ns) / 1e9);
/** What is not to be changed is set to what it was. */
const timesOf = (stat: FileStat, { atime, mtime }: NewTimes): readonly [number | Date, number | Date] => [
  timeOf(atime ?? stat.atimeNs),
  timeOf(mtime ?? stat.mtimeNs),
];

class OpenFile implements SharedFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  stat(): Promise<FileStat> {
    return calls.fstat(this.#fd);
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    return (await calls.read(this.#fd, into, 0, into.length, offset)).bytesRead;
  }

  async write(from: Uint8Array, offset: number): Promise<number> {
    return (await calls.write(this.#fd, from, 0, from.length, offset)).bytesWritten;
  }

  setSize(bytes: number): Promise<void> {
    return calls.ftruncate(this.#fd, bytes);
  }

  setMode(mode: number): Promise<void> {
    return calls.fchmod(this.#fd, mode);
  }

  async setTimes(times: NewTimes): Promise<void> {
    await calls.futimes(this.#fd, ...timesOf(await this.stat(), times));
  }

  sync(dataOnly: boolean): Promise<void> {
    return dataOnly ? calls.fdatasync(this.#fd) : calls.fsync(this.#fd);
  }

  close(): Promise<void> {
    return closeFd(this.#fd);
  }
}

export class ShareFolder implements ShareTree {
  readonly #places: Places;
  #isClosed = false;

  /** `held`: see share-places.ts. Throws DragomanError: NO_FILE, BAD_SHARE, NOT_SUPPORTED. */
  constructor(path: string, held = true) {
    checkFolder(path);
    try {
      this.#places = placesOf(realpathSync(path), held);
    } catch (cause) {
      throw new DragomanError('BAD_SHARE', `cannot be opened: ${(cause as NodeJS.ErrnoException).code}`, path, { cause });
    }
  }

  stat(path: string): Promise<FileStat> {
    return this.#places.inFolder(path, calls.lstat);
  }

  list(path: string): Promise<string[]> {
    return this.#places.onObject(path, async (at) => (await promisify(readdir)(at, { encoding: 'buffer' })).map(latin1));
  }

  readLink(path: string): Promise<string> {
    return this.#places.inFolder(path, async (at) => latin1(await promisify(readlink)(at, { encoding: 'buffer' })));
  }

  async open(path: string, how: OpenHow): Promise<SharedFile> {
    return new OpenFile(await this.#places.open(path, flagsOf(how)));
  }

  create(path: string, how: OpenHow, mode: number): Promise<SharedFile> {
    return this.#places.inFolder(path, async (at) => {
      const fd = await openFd(at, flagsOf(how) | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
      try {
        // The guest has its own umask.
        await calls.fchmod(fd, mode);
        return new OpenFile(fd);
      } catch (error) {
        await closeFd(fd);
        throw error;
      }
    });
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await this.#places.inFolder(path, (at) => calls.mkdir(at, mode));
    await this.setMode(path, mode);
  }

  makeLink(path: string, target: string): Promise<void> {
    return this.#places.inFolder(path, (at) => calls.symlink(Buffer.from(fromLatin1(target)), at));
  }

  addName(path: string, other: string): Promise<void> {
    return this.#places.inFolder(path, (from) => this.#places.inFolder(other, (to) => calls.link(from, to)));
  }

  rename(path: string, to: string): Promise<void> {
    return this.#places.inFolder(path, (from) => this.#places.inFolder(to, (at) => calls.rename(from, at)));
  }

  removeFile(path: string): Promise<void> {
    return this.#places.inFolder(path, calls.unlink);
  }

  removeFolder(path: string): Promise<void> {
    return this.#places.inFolder(path, (at) => calls.rmdir(at));
  }

  async setSize(path: string, bytes: number): Promise<void> {
    const fd = await this.#places.open(path, O_WRONLY);
    try {
      await calls.ftruncate(fd, bytes);
    } finally {
      await closeFd(fd);
    }
  }

  setMode(path: string, mode: number): Promise<void> {
    return this.#places.onObject(path, (at) => calls.chmod(at, mode));
  }

  setTimes(path: string, times: NewTimes): Promise<void> {
    return this.#places.inFolder(path, async (at) => calls.lutimes(at, ...timesOf(await calls.lstat(at), times)));
  }

  statFileSystem(): Promise<FileSystemStat> {
    return this.#places.inFolder('', (at) => promisify(statfs)(at, { bigint: true }));
  }

  close(): void {
    if (!this.#isClosed) this.#places.close();
    this.#isClosed = true;
  }
}

/** Throws where a folder cannot be shared: NO_FILE, BAD_SHARE, NOT_SUPPORTED. */
export function checkFolder(path: string): void {
  if (process.platform === 'win32') throw new DragomanError('NOT_SUPPORTED', 'not supported: to share a folder of Windows', path);
  try {
    if (!statSync(path).isDirectory()) throw new DragomanError('BAD_SHARE', 'is not a folder', path);
    accessSync(path, constants.R_OK | constants.X_OK);
  } catch (cause) {
    if (cause instanceof DragomanError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new DragomanError('NO_FILE', 'no such folder', path, { cause });
    throw new DragomanError('BAD_SHARE', code === 'EACCES' ? 'permission denied' : `cannot be opened: ${code}`, path, { cause });
  }
}
