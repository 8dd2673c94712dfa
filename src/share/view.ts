// What a guest is told of a file: the host's attributes as they are, or, where a run is to repeat, what of them depends on the tree and the guest alone.
import { Kind, QidType } from './protocol.ts';
import type { FileStat, FileSystemStat } from './tree.ts';

/** A file's identity, as 9P has it. */
export interface Qid {
  readonly type: number;
  readonly version: number;
  readonly path: bigint;
}

export interface Attributes extends Pick<FileStat, 'mode' | 'nlink' | 'uid' | 'gid' | 'rdev' | 'size' | 'blksize' | 'blocks'> {
  readonly qid: Qid;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export interface AttributeView {
  /** Whether it wants to be told of changes: changed(). */
  readonly keepsTimes: boolean;
  of(stat: FileStat): Attributes;
  /** The guest has changed what this is of; `mtime`: to this time, nanoseconds. */
  changed(stat: FileStat, mtime?: bigint): void;
  ofFileSystem(stat: FileSystemStat): FileSystemStat;
}

export const isFolder = ({ mode }: { readonly mode: bigint }): boolean => (Number(mode) & Kind.MASK) === Kind.DIRECTORY;

export function qidType({ mode }: { readonly mode: bigint }): number {
  const kind = Number(mode) & Kind.MASK;
  return kind === Kind.DIRECTORY ? QidType.DIRECTORY : kind === Kind.SYMLINK ? QidType.SYMLINK : QidType.FILE;
}

/** Another one whenever the file has changed, as far as its time and size tell. */
export const qidVersion = (mtimeNs: bigint, size: bigint): number => Number(BigInt.asUintN(32, mtimeNs ^ (mtimeNs >> 32n) ^ (size << 8n)));

/** The host's attributes. */
export class HostView implements AttributeView {
  readonly keepsTimes = false;
  #device: bigint | undefined;

  of(stat: FileStat): Attributes {
    // Numbers of other file systems below the folder are kept apart.
    this.#device ??= stat.dev;
    const path = BigInt.asUintN(64, stat.ino ^ ((stat.dev ^ this.#device) << 40n));
    const { mode, nlink, uid, gid, rdev, size, blksize, blocks, atimeNs, mtimeNs, ctimeNs } = stat;
    const qid = { type: qidType(stat), version: qidVersion(mtimeNs, size), path };
    return { qid, mode, nlink, uid, gid, rdev, size, blksize, blocks, atimeNs, mtimeNs, ctimeNs };
  }

  changed(): void {}

  ofFileSystem(stat: FileSystemStat): FileSystemStat {
    return stat;
  }
}
