// Requests about what is open: to open, read, write and sync files, to read folders, and to lock, which nobody else is there for.
import { ShareError } from './errors.ts';
import type { Fid } from './fids.ts';
import { HEADER_BYTES, type MessageWriter } from './message.ts';
import { howOf } from './names.ts';
import { Kind, Lock, Open, QID_BYTES } from './protocol.ts';
import { below, type Handler, NOTHING, parentOf, putQid, type Served } from './served.ts';
import type { SharedFile } from './tree.ts';
import { isFolder, type Qid } from './view.ts';

/** Of an answer with data in it: the header and the count. */
export const DATA_AT = HEADER_BYTES + 4;
/** Of an entry of a folder, without its name: qid, offset, type, length of the name. */
const ENTRY_BYTES = QID_BYTES + 8 + 1 + 2;
/** Files of a folder that are looked at at once. */
const AT_ONCE = 32;

/** A place in a file. Throws EINVAL where it is behind all that a host can have. */
function placeOf(offset: bigint): number {
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new ShareError('EINVAL');
  return Number(offset);
}

/** Throws EBADF where it is not open for that. */
function openFile(fid: Fid, what: 'reads' | 'writes'): SharedFile {
  if (fid.file === undefined || !fid[what]) throw new ShareError('EBADF', `fid is not open`);
  return fid.file;
}

export const open: Handler = (served, message) => {
  const [fid, flags] = [message.u32(), message.u32()];
  return {
    fids: [fid],
    work: async () => {
      const it = served.fids.get(fid);
      if (it.file !== undefined) throw new ShareError('EINVAL', 'it is open');
      const how = howOf(flags);
      if (how.write || how.truncate) served.mustWrite();
      const stat = await served.tree.stat(it.path);
      if (isFolder(stat) && (how.write || how.truncate)) throw new ShareError('EISDIR');
      if (!isFolder(stat) && (flags & Open.DIRECTORY) !== 0) throw new ShareError('ENOTDIR');
      await served.fids.open(it, how, () => served.tree.open(it.path, how));
      if (how.truncate) await served.changed(it.path);
      const { qid } = await served.attributesOf(it);
      return (to) => putQid(to, qid).u32(0);
    },
  };
};

export const read: Handler = (served, message, room) => {
  const [fid, offset, count] = [message.u32(), message.u64(), message.u32()];
  const bytes = Math.max(Math.min(count, room - DATA_AT), 0);
  return {
    fids: [fid],
    room: DATA_AT + bytes,
    work: async () => {
      const it = served.fids.get(fid);
      const file = openFile(it, 'reads');
      if (it.isFolder) throw new ShareError('EISDIR');
      const into = new Uint8Array(bytes);
      const got = bytes === 0 ? 0 : await file.read(into, placeOf(offset));
      return (to) => to.u32(got).bytes(into.subarray(0, got));
    },
  };
};

export const write: Handler = (served, message) => {
  const [fid, offset, count] = [message.u32(), message.u64(), message.u32()];
  const bytes = message.bytes(count);
  return {
    fids: [fid],
    work: async () => {
      served.mustWrite();
      const it = served.fids.get(fid);
      const file = openFile(it, 'writes');
      const done = count === 0 ? 0 : await file.write(bytes, placeOf(offset));
      if (served.view.keepsTimes) served.view.changed(await file.stat());
      return (to) => to.u32(done);
    },
  };
};

export const sync: Handler = (served, message) => {
  const [fid, dataOnly] = [message.u32(), message.u32()];
  return {
    fids: [fid],
    work: async () => {
      const { file } = served.fids.get(fid);
      if (file === undefined) throw new ShareError('EBADF', 'fid is not open');
      if (!served.readOnly) await file.sync(dataOnly !== 0);
      return NOTHING;
    },
  };
};

interface Entry {
  readonly name: string;
  readonly qid: Qid;
  /** As in Linux's dirent. */
  readonly type: number;
}

/** Undefined where it is gone meanwhile. */
async function entryOf(served: Served, folder: string, name: string): Promise<Entry | undefined> {
  const path = name === '.' ? folder : name === '..' ? parentOf(folder) : below(folder, name);
  try {
    const stat = await served.tree.stat(path);
    return { name, qid: served.view.of(stat).qid, type: (Number(stat.mode) & Kind.MASK) >> 12 };
  } catch {
    return undefined;
  }
}

/** In one order everywhere: by their bytes. */
const inOrder = (names: readonly string[]): string[] => ['.', '..', ...[...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))];

export const readFolder: Handler = (served, message, room) => {
  const [fid, offset, count] = [message.u32(), message.u64(), message.u32()];
  const bytes = Math.max(Math.min(count, room - DATA_AT), 0);
  return {
    fids: [fid],
    room: DATA_AT + bytes,
    work: async () => {
      const it = served.fids.get(fid);
      openFile(it, 'reads');
      if (!it.isFolder) throw new ShareError('ENOTDIR');
      const start = placeOf(offset);
      if (start === 0 || it.listing === undefined) served.fids.list(it, inOrder(await served.tree.list(it.path)));
      const names = it.listing!;
      const entries: { readonly entry: Entry; readonly next: number }[] = [];
      let used = 0;
      let full = false;
      for (let at = start; at < names.length && !full; at += AT_ONCE) {
        const part = names.slice(at, at + AT_ONCE);
        // Those that do not fit anyway are not looked at.
        let fitting = 0;
        for (let sum = used; fitting < part.length && sum + ENTRY_BYTES + part[fitting]!.length <= bytes; fitting++)
          sum += ENTRY_BYTES + part[fitting]!.length;
        full = fitting < part.length;
        const stats = await inTurn(served, it.path, part.slice(0, fitting));
        stats.forEach((entry, k) => {
          if (entry === undefined) return;
          used += ENTRY_BYTES + entry.name.length;
          entries.push({ entry, next: at + k + 1 });
        });
      }
      // No entry fits: that is no end of the folder.
      if (full && entries.length === 0 && start < names.length) throw new ShareError('EINVAL');
      return (to) => putEntries(to, used, entries);
    },
  };
};

/** Entries of names, in their order: numbers that a view gives out depend on it. */
async function inTurn(served: Served, folder: string, names: readonly string[]): Promise<(Entry | undefined)[]> {
  if (!served.view.keepsTimes) return Promise.all(names.map((name) => entryOf(served, folder, name)));
  const entries: (Entry | undefined)[] = [];
  for (const name of names) entries.push(await entryOf(served, folder, name));
  return entries;
}

function putEntries(to: MessageWriter, bytes: number, entries: readonly { readonly entry: Entry; readonly next: number }[]): void {
  to.u32(bytes);
  for (const { entry, next } of entries) putQid(to, entry.qid).u64(BigInt(next)).u8(entry.type).text(entry.name);
}

/** The guest's own locks are all that there are. */
export const lock: Handler = (served, message) => {
  const fid = message.u32();
  message.u8();
  message.u32();
  message.u64();
  message.u64();
  message.u32();
  message.text();
  return {
    fids: [fid],
    work: async () => {
      served.fids.get(fid);
      return (to) => to.u8(Lock.SUCCESS);
    },
  };
};

export const getLock: Handler = (served, message) => {
  const fid = message.u32();
  message.u8();
  const [start, length, process, client] = [message.u64(), message.u64(), message.u32(), message.text()];
  return {
    fids: [fid],
    work: async () => {
      served.fids.get(fid);
      return (to) => to.u8(Lock.UNLOCKED).u64(start).u64(length).u32(process).text(client);
    },
  };
};
