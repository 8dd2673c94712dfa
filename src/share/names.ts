// Requests about names: to attach and to walk, and to make, rename and remove what has a name.
import { ShareError } from './errors.ts';
import { LONGEST_PATH } from './fids.ts';
import { Kind, Open, REMOVE_DIRECTORY, SETTABLE_MODE } from './protocol.ts';
import { type Answer, type Handler, NOTHING, named, parentOf, putQid, type Request, type Served, walked } from './served.ts';
import type { OpenHow } from './tree.ts';
import { isFolder, type Qid } from './view.ts';

/** Names of a walk. */
const MOST_NAMES = 16;
/** How a file is opened that is only made. */
const MAKE: OpenHow = { read: false, write: true };

const qidAnswer =
  (qid: Qid): Answer =>
  (to) =>
    putQid(to, qid);

export const attach: Handler = (served, message) => {
  const fid = message.u32();
  message.u32();
  message.text();
  const name = message.text();
  message.u32();
  return {
    fids: [fid],
    work: async () => {
      // There is one tree.
      if (name !== '' && name !== '/') throw new ShareError('ENOENT');
      const { qid } = await served.attributes('');
      served.fids.add(fid, '', true);
      return qidAnswer(qid);
    },
  };
};

export const walk: Handler = (served, message) => {
  const [fid, newFid, count] = [message.u32(), message.u32(), message.u16()];
  if (count > MOST_NAMES) throw new ShareError('EINVAL');
  const names = Array.from({ length: count }, () => message.text());
  return {
    fids: fid === newFid ? [fid] : [fid, newFid],
    work: async () => {
      const from = served.fids.get(fid);
      if (from.file !== undefined) throw new ShareError('EINVAL', 'it is open');
      if (newFid !== fid && served.fids.has(newFid)) throw new ShareError('EBADF', `fid ${newFid} is in use`);
      const qids: Qid[] = [];
      let [path, folder] = [from.path, from.isFolder];
      for (const name of names) {
        try {
          if (!folder) throw new ShareError('ENOTDIR');
          const next = walked(path, name);
          const stat = await served.tree.stat(next);
          qids.push(served.view.of(stat).qid);
          [path, folder] = [next, isFolder(stat)];
        } catch (error) {
          if (qids.length === 0) throw error;
          break;
        }
      }
      if (qids.length === names.length) {
        if (newFid !== fid) served.fids.add(newFid, path, folder);
        else {
          served.fids.move(from, path);
          from.isFolder = folder;
        }
      }
      return (to) => {
        to.u16(qids.length);
        for (const qid of qids) putQid(to, qid);
      };
    },
  };
};

export const clunk: Handler = (served, message) => {
  const fid = message.u32();
  return {
    fids: [fid],
    work: async () => {
      await served.fids.remove(fid);
      return NOTHING;
    },
  };
};

/** What is made in a folder, and told of by its qid. `make` reads its own fields, between the folder's and the group's. */
const making =
  (make: (served: Served, message: Parameters<Handler>[1]) => (path: string) => Promise<void>): Handler =>
  (served, message) => {
    const [fid, name] = [message.u32(), message.text()];
    const change = make(served, message);
    message.u32();
    return {
      fids: [fid],
      work: async () => {
        served.mustWrite();
        const path = named(served.fids.get(fid), name, 'EEXIST');
        await change(path);
        await served.changed(path, parentOf(path));
        return qidAnswer((await served.attributes(path)).qid);
      },
    };
  };

export const makeFolder = making((served, message) => {
  const mode = message.u32();
  return (path) => served.tree.makeFolder(path, mode & SETTABLE_MODE);
});

export const makeLink = making((served, message) => {
  const target = message.text();
  return async (path) => {
    if (target.includes('\0')) throw new ShareError('EINVAL');
    if (target === '') throw new ShareError('ENOENT');
    if (target.length > LONGEST_PATH) throw new ShareError('ENAMETOOLONG');
    await served.tree.makeLink(path, target);
  };
});

/** Linux makes a file without opening it this way; devices, pipes and sockets are not for a guest to make. */
export const makeNode = making((served, message) => {
  const [mode] = [message.u32(), message.u32(), message.u32()];
  return async (path) => {
    const kind = mode & Kind.MASK;
    if (kind !== 0 && kind !== Kind.FILE) throw new ShareError('EPERM');
    await (await served.tree.create(path, MAKE, mode & SETTABLE_MODE)).close();
  };
});

/** How a file is opened by flags of Linux's. */
export function howOf(flags: number): OpenHow {
  const access = flags & Open.ACCESS;
  if (access === Open.ACCESS) throw new ShareError('EINVAL');
  return {
    read: access !== Open.WRITE,
    write: access !== Open.READ,
    truncate: (flags & Open.TRUNCATE) !== 0,
    append: (flags & Open.APPEND) !== 0,
    sync: (flags & Open.SYNC) === Open.SYNC ? 'all' : (flags & Open.DSYNC) !== 0 ? 'data' : undefined,
  };
}

export const create: Handler = (served, message) => {
  const [fid, name, flags, mode] = [message.u32(), message.text(), message.u32(), message.u32()];
  message.u32();
  return {
    fids: [fid],
    work: async () => {
      served.mustWrite();
      const it = served.fids.get(fid);
      if (it.file !== undefined) throw new ShareError('EINVAL', 'it is open');
      const path = named(it, name, 'EEXIST');
      const how = howOf(flags);
      await served.fids.open(it, how, async () => {
        try {
          return await served.tree.create(path, how, mode & SETTABLE_MODE);
        } catch (error) {
          if ((flags & Open.EXCLUSIVE) !== 0 || (error as { code?: string }).code !== 'EEXIST') throw error;
          return served.tree.open(path, how);
        }
      });
      served.fids.move(it, path);
      it.isFolder = false;
      await served.changed(path, parentOf(path));
      const { qid } = await served.attributesOf(it);
      return (to) => putQid(to, qid).u32(0);
    },
  };
};

export const addName: Handler = (served, message) => {
  const [folder, fid, name] = [message.u32(), message.u32(), message.text()];
  return {
    fids: [folder, fid],
    work: async () => {
      served.mustWrite();
      const path = named(served.fids.get(folder), name, 'EEXIST');
      const { path: other } = served.fids.get(fid);
      if (other === '') throw new ShareError('EPERM');
      await served.tree.addName(other, path);
      await served.changed(parentOf(path));
      return NOTHING;
    },
  };
};

async function renameTo(served: Served, from: string, to: string): Promise<void> {
  if (from === '') throw new ShareError('EBUSY');
  if (from === to) return;
  served.fids.checkRename(from, to);
  await served.tree.rename(from, to);
  served.fids.renamed(from, to);
  await served.changed(parentOf(from), parentOf(to));
}

/** Nothing else is under way while paths change. */
const renaming = (work: () => Promise<void>): Request => ({
  fids: 'alone',
  work: async () => {
    await work();
    return NOTHING;
  },
});

export const rename: Handler = (served, message) => {
  const [fid, folder, name] = [message.u32(), message.u32(), message.text()];
  return renaming(async () => {
    served.mustWrite();
    const from = served.fids.get(fid).path;
    await renameTo(served, from, named(served.fids.get(folder), name, 'EBUSY'));
  });
};

export const renameAt: Handler = (served, message) => {
  const [folder, name, toFolder, toName] = [message.u32(), message.text(), message.u32(), message.text()];
  return renaming(async () => {
    served.mustWrite();
    const from = named(served.fids.get(folder), name, 'EBUSY');
    await renameTo(served, from, named(served.fids.get(toFolder), toName, 'EBUSY'));
  });
};

async function removeAt(served: Served, path: string, folder: boolean): Promise<void> {
  served.mustWrite();
  if (path === '') throw new ShareError('EBUSY');
  await (folder ? served.tree.removeFolder(path) : served.tree.removeFile(path));
  // Other names of the file may be left, whose times nobody looks at.
  await served.changed(parentOf(path));
}

export const unlinkAt: Handler = (served, message) => {
  const [fid, name, flags] = [message.u32(), message.text(), message.u32()];
  return {
    fids: [fid],
    work: async () => {
      served.mustWrite();
      if ((flags & ~REMOVE_DIRECTORY) !== 0) throw new ShareError('EINVAL');
      await removeAt(served, named(served.fids.get(fid), name, 'EINVAL'), flags !== 0);
      return NOTHING;
    },
  };
};

/** The fid is gone whether this succeeds or not. */
export const remove: Handler = (served, message) => {
  const fid = message.u32();
  return {
    fids: [fid],
    work: async () => {
      const { path } = served.fids.get(fid);
      try {
        served.mustWrite();
        await removeAt(served, path, path !== '' && isFolder(await served.tree.stat(path)));
      } finally {
        await served.fids.remove(fid);
      }
      return NOTHING;
    },
  };
};

export const readLink: Handler = (served, message) => {
  const fid = message.u32();
  return {
    fids: [fid],
    work: async () => {
      const target = await served.tree.readLink(served.fids.get(fid).path);
      return (to) => to.text(target);
    },
  };
};
