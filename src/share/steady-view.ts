// Attributes for runs that repeat (lockstep): a guest sees the same of the same tree on any host and at any time. Files have numbers in the order in which the guest met them; a time is the one
// that the file had when the guest met it, or, once the guest has changed it, that of the guest's clock; how large a folder is, or the file system, is made up.
import type { FileStat, FileSystemStat } from './tree.ts';
import { type Attributes, type AttributeView, isFolder, qidType, qidVersion } from './view.ts';

/** Files that are known at once. A guest that meets more gets new numbers for old files. */
const MOST_KNOWN = 1 << 20;
const BLOCK = 4096n;
const SECTOR = 512n;
/** Blocks of the file system, and of them those that are free. */
const BLOCKS = 1n << 24n;
const FREE = 1n << 23n;

interface Known {
  readonly number: bigint;
  mtimeNs: bigint;
}

/** One that a host has given the number of a deleted file to is another file. */
const keyOf = ({ dev, ino, birthtimeNs }: FileStat): string => `${dev} ${ino} ${birthtimeNs}`;

export class SteadyView implements AttributeView {
  readonly keepsTimes = true;
  readonly #known = new Map<string, Known>();
  /** Nanoseconds since the epoch, of the guest's clock. */
  readonly #now: () => bigint;
  #next = 1n;

  constructor(now: () => bigint) {
    this.#now = now;
  }

  of(stat: FileStat): Attributes {
    const { number, mtimeNs } = this.#know(stat);
    const { mode, uid, gid, rdev } = stat;
    const folder = isFolder(stat);
    const size = folder ? BLOCK : stat.size;
    const times = { atimeNs: mtimeNs, mtimeNs, ctimeNs: mtimeNs };
    const sizes = { size, blksize: BLOCK, blocks: ((size + BLOCK - 1n) / BLOCK) * (BLOCK / SECTOR) };
    const qid = { type: qidType(stat), version: qidVersion(mtimeNs, size), path: number };
    return { qid, mode, uid, gid, rdev, nlink: folder ? 1n : stat.nlink, ...sizes, ...times };
  }

  changed(stat: FileStat, mtime = this.#now()): void {
    this.#know(stat).mtimeNs = mtime;
  }

  ofFileSystem(): FileSystemStat {
    return { bsize: BLOCK, blocks: BLOCKS, bfree: FREE, bavail: FREE, files: BLOCKS, ffree: FREE };
  }

  #know(stat: FileStat): Known {
    const key = keyOf(stat);
    let known = this.#known.get(key);
    if (known === undefined) {
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      known = { number: this.#next++, mtimeNs: stat.mtimeNs };
      this.#known.set(key, known);
    }
    return known;
  }
}
