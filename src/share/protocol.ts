// The numbers of 9P2000.L: types of messages, flags, and what attributes are asked for and set by.

export const VERSION = '9P2000.L';
/** Of an fid that is none. */
export const NO_FID = 0xffffffff;

/** A message of the guest; its answer has the next number. */
export const T = {
  STATFS: 8,
  LOPEN: 12,
  LCREATE: 14,
  SYMLINK: 16,
  MKNOD: 18,
  RENAME: 20,
  READLINK: 22,
  GETATTR: 24,
  SETATTR: 26,
  XATTRWALK: 30,
  XATTRCREATE: 32,
  READDIR: 40,
  FSYNC: 50,
  LOCK: 52,
  GETLOCK: 54,
  LINK: 70,
  MKDIR: 72,
  RENAMEAT: 74,
  UNLINKAT: 76,
  VERSION: 100,
  AUTH: 102,
  ATTACH: 104,
  FLUSH: 108,
  WALK: 110,
  READ: 116,
  WRITE: 118,
  CLUNK: 120,
  REMOVE: 122,
} as const;
export const RLERROR = 7;

/** Bits of a qid's type. */
export const QidType = { FILE: 0, SYMLINK: 0x02, DIRECTORY: 0x80 } as const;
export const QID_BYTES = 13;

/** Flags of Tlopen and Tlcreate: Linux's, whatever the host's are. */
export const Open = {
  ACCESS: 3,
  READ: 0,
  WRITE: 1,
  READ_WRITE: 2,
  CREATE: 0o100,
  EXCLUSIVE: 0o200,
  TRUNCATE: 0o1000,
  APPEND: 0o2000,
  DSYNC: 0o10000,
  DIRECTORY: 0o200000,
  SYNC: 0o4000000,
} as const;

/** What Tgetattr gives: all of mode, nlink, uid, gid, rdev, atime, mtime, ctime, ino, size and blocks. */
export const GETATTR_BASIC = 0x7ff;
/** What Tsetattr sets. */
export const SetAttr = {
  MODE: 1,
  UID: 2,
  GID: 4,
  SIZE: 8,
  ATIME: 0x10,
  MTIME: 0x20,
  /** The time is in the message; else it is now. */
  ATIME_GIVEN: 0x80,
  MTIME_GIVEN: 0x100,
} as const;

/** Flag of Tunlinkat. */
export const REMOVE_DIRECTORY = 0x200;
/** Lock types and answers. */
export const Lock = { UNLOCKED: 2, SUCCESS: 0 } as const;
/** What a file system says it is. */
export const MAGIC_9P = 0x01021997;

/** Kinds of files in a mode. */
export const Kind = { MASK: 0o170000, SYMLINK: 0o120000, FILE: 0o100000, DIRECTORY: 0o040000 } as const;
/** Bits of a mode that a guest may set: what runs with somebody else's rights is made on the host alone. */
export const SETTABLE_MODE = 0o777;
