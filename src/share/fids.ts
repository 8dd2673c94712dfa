// What a guest's fids stand for: a path, and a file or folder that is open. A guest has only so many of all this.
import { ShareError } from './errors.ts';
import type { SharedFile } from './tree.ts';

/** A guest that caches names has an fid for each. */
export const MOST_FIDS = 1 << 18;
/** Characters of all their paths. */
export const MOST_PATH_CHARACTERS = 64 << 20;
/** Files that are open: each is one of this process's. */
export const MOST_OPEN = 1024;
/** Names of folders that are being read. */
export const MOST_LISTED = 1 << 20;
/** As Linux's PATH_MAX, without its NUL. */
export const LONGEST_PATH = 4095;

export interface Fid {
  path: string;
  isFolder: boolean;
  file?: SharedFile | undefined;
  /** It was opened for that. */
  reads: boolean;
  writes: boolean;
  /** What is in the folder, as it was when its reading began. */
  listing?: readonly string[] | undefined;
}

export class Fids {
  readonly #fids = new Map<number, Fid>();
  #characters = 0;
  /** Files that are open, or are being opened. */
  #open = 0;
  #listed = 0;

  get count(): number {
    return this.#fids.size;
  }

  /** Throws EBADF. */
  get(number: number): Fid {
    const fid = this.#fids.get(number);
    if (fid === undefined) throw new ShareError('EBADF', `no fid ${number}`);
    return fid;
  }

  has(number: number): boolean {
    return this.#fids.has(number);
  }

  /** Throws EBADF where the number is in use; ENFILE where there are too many. */
  add(number: number, path: string, isFolder: boolean): void {
    if (this.#fids.has(number)) throw new ShareError('EBADF', `fid ${number} is in use`);
    if (this.#fids.size >= MOST_FIDS || this.#characters + path.length > MOST_PATH_CHARACTERS) throw new ShareError('ENFILE');
    this.#characters += path.length;
    this.#fids.set(number, { path, isFolder, reads: false, writes: false });
  }

  /** Gives an fid another path. */
  move(fid: Fid, path: string): void {
    this.#characters += path.length - fid.path.length;
    fid.path = path;
  }

  /** Throws where something cannot be renamed because a path below it would be too long. */
  checkRename(from: string, to: string): void {
    let more = 0;
    for (const { path } of this.#below(from)) {
      if (path.length - from.length + to.length > LONGEST_PATH) throw new ShareError('ENAMETOOLONG');
      more += to.length - from.length;
    }
    if (this.#characters + more > MOST_PATH_CHARACTERS) throw new ShareError('ENFILE');
  }

  /** Something was renamed: whatever was below it is elsewhere. */
  renamed(from: string, to: string): void {
    for (const fid of this.#below(from)) this.move(fid, to + fid.path.slice(from.length));
  }

  *#below(path: string): Iterable<Fid> {
    for (const fid of this.#fids.values()) if (fid.path === path || fid.path.startsWith(`${path}/`)) yield fid;
  }

  /** Opens one by a function. Throws EMFILE where too many are open. */
  async open(fid: Fid, how: { readonly read: boolean; readonly write: boolean }, open: () => Promise<SharedFile>): Promise<void> {
    if (this.#open >= MOST_OPEN) throw new ShareError('EMFILE');
    this.#open++;
    try {
      fid.file = await open();
    } catch (error) {
      this.#open--;
      throw error;
    }
    fid.reads = how.read;
    fid.writes = how.write;
  }

  /** Throws ENOMEM where the folders that are being read are too large together. */
  list(fid: Fid, names: readonly string[] | undefined): void {
    const more = (names?.length ?? 0) - (fid.listing?.length ?? 0);
    if (this.#listed + more > MOST_LISTED) throw new ShareError('ENOMEM');
    this.#listed += more;
    fid.listing = names;
  }

  /** Forgets one; throws EBADF, and what closing its file throws: it is forgotten then as well. */
  async remove(number: number): Promise<void> {
    const fid = this.get(number);
    this.#fids.delete(number);
    this.#characters -= fid.path.length;
    this.list(fid, undefined);
    if (fid.file === undefined) return;
    this.#open--;
    await fid.file.close();
  }

  /** Forgets all of them. */
  async clear(): Promise<void> {
    await Promise.allSettled([...this.#fids.keys()].map((number) => this.remove(number)));
  }
}
