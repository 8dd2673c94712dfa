// Requests about attributes: to get and to set those of a file, those of the file system; extended ones there are none.
import { ShareError } from './errors.ts';
import type { Fid } from './fids.ts';
import type { MessageReader, MessageWriter } from './message.ts';
import { GETATTR_BASIC, MAGIC_9P, SETTABLE_MODE, SetAttr } from './protocol.ts';
import { type Handler, NOTHING, putQid, type Served } from './served.ts';
import type { NewTimes } from './tree.ts';
import type { Attributes } from './view.ts';

const LONGEST_NAME = 255;
const SECOND = 1_000_000_000n;

function putTime(to: MessageWriter, ns: bigint): void {
  const part = ((ns % SECOND) + SECOND) % SECOND;
  to.u64((ns - part) / SECOND).u64(part);
}

function putAttributes(to: MessageWriter, it: Attributes): void {
  to.u64(BigInt(GETATTR_BASIC));
  putQid(to, it.qid).u32(Number(it.mode)).u32(Number(it.uid)).u32(Number(it.gid));
  to.u64(it.nlink).u64(it.rdev).u64(it.size).u64(it.blksize).u64(it.blocks);
  for (const time of [it.atimeNs, it.mtimeNs, it.ctimeNs, 0n]) putTime(to, time);
  to.u64(0n).u64(0n);
}

export const getAttributes: Handler = (served, message) => {
  const fid = message.u32();
  message.u64();
  return {
    fids: [fid],
    room: 256,
    work: async () => {
      const attributes = await served.attributesOf(served.fids.get(fid));
      return (to) => putAttributes(to, attributes);
    },
  };
};

/** A time of a message, nanoseconds. */
function timeOf(message: MessageReader): bigint {
  const [seconds, ns] = [BigInt.asIntN(64, message.u64()), message.u64()];
  return seconds * SECOND + ns;
}

interface Wanted {
  readonly valid: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: bigint;
  readonly atime: bigint;
  readonly mtime: bigint;
}

export const setAttributes: Handler = (served, message) => {
  const fid = message.u32();
  const [valid, mode, uid, gid, size] = [message.u32(), message.u32(), message.u32(), message.u32(), message.u64()];
  const [atime, mtime] = [timeOf(message), timeOf(message)];
  return {
    fids: [fid],
    work: async () => {
      served.mustWrite();
      await set(served, served.fids.get(fid), { valid, mode, uid, gid, size, atime, mtime });
      return NOTHING;
    },
  };
};

async function set(served: Served, fid: Fid, wanted: Wanted): Promise<void> {
  const { tree, view } = served;
  const { path, file } = fid;
  const has = (bit: number) => (wanted.valid & bit) !== 0;
  const now = await (file?.stat() ?? tree.stat(path));
  // Files are those of the host's user, and stay so.
  if ((has(SetAttr.UID) && BigInt(wanted.uid) !== now.uid) || (has(SetAttr.GID) && BigInt(wanted.gid) !== now.gid))
    throw new ShareError('EPERM');
  if (has(SetAttr.MODE)) await (file?.setMode(wanted.mode & SETTABLE_MODE) ?? tree.setMode(path, wanted.mode & SETTABLE_MODE));
  if (has(SetAttr.SIZE)) {
    if (wanted.size > BigInt(Number.MAX_SAFE_INTEGER)) throw new ShareError('EFBIG');
    const size = Number(wanted.size);
    await (file !== undefined && fid.writes ? file.setSize(size) : tree.setSize(path, size));
  }
  const times = timesOf(wanted);
  if (times.atime !== undefined || times.mtime !== undefined) await (file?.setTimes(times) ?? tree.setTimes(path, times));
  if (has(SetAttr.MTIME_GIVEN) && has(SetAttr.MTIME)) view.changed(now, wanted.mtime);
  else if (has(SetAttr.SIZE) || has(SetAttr.MTIME)) view.changed(now);
}

function timesOf({ valid, atime, mtime }: Wanted): NewTimes {
  const time = (bit: number, given: number, value: bigint): bigint | undefined => {
    if ((valid & bit) === 0) return undefined;
    return (valid & given) === 0 ? BigInt(Date.now()) * 1_000_000n : value;
  };
  return { atime: time(SetAttr.ATIME, SetAttr.ATIME_GIVEN, atime), mtime: time(SetAttr.MTIME, SetAttr.MTIME_GIVEN, mtime) };
}

export const statFileSystem: Handler = (served, message) => {
  const fid = message.u32();
  return {
    fids: [fid],
    work: async () => {
      served.fids.get(fid);
      const it = served.view.ofFileSystem(await served.tree.statFileSystem());
      return (to) => {
        to.u32(MAGIC_9P).u32(Number(BigInt.asUintN(32, it.bsize)));
        for (const field of [it.blocks, it.bfree, it.bavail, it.files, it.ffree, 0n]) to.u64(field);
        to.u32(LONGEST_NAME);
      };
    },
  };
};

/** What there is not. */
export const notSupported: Handler = () => {
  throw new ShareError('EOPNOTSUPP');
};
