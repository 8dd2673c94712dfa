// A tree of files that is shared with a guest, as its host has it. A path is names with '/' between them, '' the tree's own folder; a name is its bytes (message.ts). Paths were checked by
// who calls: no name is empty, '.' or '..'. No function follows a symbolic link, wherever in a path it is: on the way it is ENOTDIR or ELOOP, at the end it is meant itself. What is thrown has a
// `code`, the name of an error.

export interface FileStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly size: bigint;
  readonly blksize: bigint;
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;
}

export interface FileSystemStat {
  readonly bsize: bigint;
  readonly blocks: bigint;
  readonly bfree: bigint;
  readonly bavail: bigint;
  readonly files: bigint;
  readonly ffree: bigint;
}

export interface OpenHow {
  readonly read: boolean;
  readonly write: boolean;
  readonly truncate?: boolean;
  /** Whatever is written goes to the end. */
  readonly append?: boolean;
  readonly sync?: 'data' | 'all' | undefined;
}

/** Nanoseconds since the epoch; undefined: as it is. */
export interface NewTimes {
  readonly atime: bigint | undefined;
  readonly mtime: bigint | undefined;
}

/** A file or a folder that is open, whatever becomes of its name. */
export interface SharedFile {
  stat(): Promise<FileStat>;
  /** Bytes read: 0 at the end. */
  read(into: Uint8Array, offset: number): Promise<number>;
  /** Bytes written: perhaps not all. */
  write(from: Uint8Array, offset: number): Promise<number>;
  setSize(bytes: number): Promise<void>;
  setMode(mode: number): Promise<void>;
  setTimes(times: NewTimes): Promise<void>;
  /** Done when what was written lasts. */
  sync(dataOnly: boolean): Promise<void>;
  close(): Promise<void>;
}

export interface ShareTree {
  stat(path: string): Promise<FileStat>;
  /** Names in a folder, in any order, without '.' and '..'. */
  list(path: string): Promise<string[]>;
  readLink(path: string): Promise<string>;
  /** A regular file or a folder; anything else is EPERM. */
  open(path: string, how: OpenHow): Promise<SharedFile>;
  /** A new file. EEXIST where the name is there. */
  create(path: string, how: OpenHow, mode: number): Promise<SharedFile>;
  makeFolder(path: string, mode: number): Promise<void>;
  makeLink(path: string, target: string): Promise<void>;
  /** Another name of a file. */
  addName(path: string, other: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  setSize(path: string, bytes: number): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  setTimes(path: string, times: NewTimes): Promise<void>;
  statFileSystem(): Promise<FileSystemStat>;
  /** Gives back what it holds; files that are open stay so. May be called again. */
  close(): void;
}
