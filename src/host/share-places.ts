// How a path of a shared folder is come by on the host without ever following a symbolic link, though Node has no openat: on Linux every folder on the way is held open and the next name is
// looked for in /proc/self/fd/N, which is that very folder, wherever it was moved to and whatever is at its old place; elsewhere each folder on the way is looked at first, which somebody
// who changes the tree between the look and the use can defeat.
import { type BigIntStats, close, closeSync, constants, fstat, lstat, open, openSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { ShareError } from '../share/errors.ts';
import { fromLatin1 } from '../share/message.ts';

export const openFd = promisify(open);
export const closeFd = promisify(close);
const statFd = (fd: number) => promisify(fstat)(fd, { bigint: true });
const lstatPath = (path: Buffer) => promisify(lstat)(path, { bigint: true });

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Linux's: only a place in the tree, which takes no right to read. */
const O_PATH = 0o10000000;

/** `at`: a path of the host's whose last name alone is looked up, as long as the work takes. */
type Work<T> = (at: Buffer) => Promise<T>;

export interface Places {
  /** Works in the folder that `path` is in. The tree's own folder is '.' in itself. */
  inFolder<T>(path: string, work: Work<T>): Promise<T>;
  /** Works on what `path` is, a regular file or a folder: `at` may be followed. Throws EPERM for what is none. */
  onObject<T>(path: string, work: (at: Buffer, isFolder: boolean) => Promise<T>): Promise<T>;
  /** Opens what `path` is, a regular file or a folder, with flags of the host's. */
  open(path: string, flags: number): Promise<number>;
  close(): void;
}

const bytes = (text: string): Buffer => Buffer.from(fromLatin1(text));

/** Throws EPERM for pipes, devices and sockets, and ELOOP for links. */
function checkKind(stat: BigIntStats): void {
  if (stat.isSymbolicLink()) throw new ShareError('ELOOP');
  if (!stat.isFile() && !stat.isDirectory()) throw new ShareError('EPERM');
}

function split(path: string): { readonly folders: readonly string[]; readonly name: string } {
  if (path === '') return { folders: [], name: '.' };
  const names = path.split('/');
  return { folders: names.slice(0, -1), name: names.at(-1)! };
}

const ofFd = (fd: number): string => `/proc/self/fd/${fd}`;
const inFd = (fd: number, name: string): Buffer => bytes(`${ofFd(fd)}/${name}`);
/** Where an open folder is now. */
const pathOfFd = (fd: number): Buffer => readlinkSync(ofFd(fd), { encoding: 'buffer' });

/** By open folders, on Linux. What O_PATH opens is closed at once and waits for nothing. */
class HeldPlaces implements Places {
  readonly #root: number;

  /** `root`: opened with O_PATH. */
  constructor(root: number) {
    this.#root = root;
  }

  async inFolder<T>(path: string, work: Work<T>): Promise<T> {
    const { folders, name } = split(path);
    const folder = await this.#folder(folders);
    try {
      return await work(inFd(folder, name));
    } finally {
      if (folder !== this.#root) closeSync(folder);
    }
  }

  onObject<T>(path: string, work: (at: Buffer, isFolder: boolean) => Promise<T>): Promise<T> {
    return this.inFolder(path, async (at) => {
      const fd = await openFd(at, O_PATH | O_NOFOLLOW);
      try {
        const stat = await statFd(fd);
        checkKind(stat);
        return await work(bytes(ofFd(fd)), stat.isDirectory());
      } finally {
        closeSync(fd);
      }
    });
  }

  open(path: string, flags: number): Promise<number> {
    return this.onObject(path, (at) => openFd(at, flags));
  }

  close(): void {
    closeSync(this.#root);
  }

  /** An open folder; to be closed where it is not the root. */
  async #folder(names: readonly string[]): Promise<number> {
    if (names.length === 0) return this.#root;
    const quick = names.length > 1 ? await this.#quickly(names) : undefined;
    return quick ?? this.#byName(names);
  }

  /**
   * In one go, which follows links on the way: what was opened counts only where it is the folder of this path below the root, as the system says of the open folder itself. Undefined: it is
   * not, or nobody knows.
   */
  async #quickly(names: readonly string[]): Promise<number | undefined> {
    const path = names.join('/');
    let fd: number;
    try {
      fd = await openFd(inFd(this.#root, path), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    } catch {
      return undefined;
    }
    if (this.#isAt(fd, path)) return fd;
    closeSync(fd);
    return undefined;
  }

  #isAt(fd: number, path: string): boolean {
    try {
      const [root, found] = [pathOfFd(this.#root), pathOfFd(fd)];
      return found.equals(Buffer.concat([root, bytes(root.length === 1 ? path : `/${path}`)]));
    } catch {
      return false;
    }
  }

  /** One folder after another. */
  async #byName(names: readonly string[]): Promise<number> {
    let folder = this.#root;
    for (const name of names) {
      const last = folder;
      try {
        folder = await openFd(inFd(last, name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
      } finally {
        if (last !== this.#root) closeSync(last);
      }
    }
    return folder;
  }
}

/** By looking first. */
class LookedAtPlaces implements Places {
  readonly #root: Buffer;

  /** A path without links. */
  constructor(root: Buffer) {
    this.#root = root;
  }

  async inFolder<T>(path: string, work: Work<T>): Promise<T> {
    const { folders, name } = split(path);
    let at = this.#root;
    for (const folder of folders) {
      at = Buffer.concat([at, bytes(`/${folder}`)]);
      if (!(await lstatPath(at)).isDirectory()) throw new ShareError('ENOTDIR');
    }
    return work(Buffer.concat([at, bytes(`/${name}`)]));
  }

  onObject<T>(path: string, work: (at: Buffer, isFolder: boolean) => Promise<T>): Promise<T> {
    return this.inFolder(path, async (at) => {
      const stat = await lstatPath(at);
      checkKind(stat);
      return work(at, stat.isDirectory());
    });
  }

  open(path: string, flags: number): Promise<number> {
    return this.onObject(path, async (at) => {
      const fd = await openFd(at, flags | O_NOFOLLOW | O_NONBLOCK);
      try {
        checkKind(await statFd(fd));
        return fd;
      } catch (error) {
        await closeFd(fd);
        throw error;
      }
    });
  }

  close(): void {}
}

/** `root`: a folder's path without links. `held`: by open folders, where the host lets us. Throws what the system does. */
export function placesOf(root: string, held: boolean): Places {
  if (held && process.platform === 'linux') {
    const fd = openSync(root, O_PATH | O_DIRECTORY);
    try {
      pathOfFd(fd);
      return new HeldPlaces(fd);
    } catch {
      // No /proc here.
      closeSync(fd);
    }
  }
  return new LookedAtPlaces(Buffer.from(root));
}
