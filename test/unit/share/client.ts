// A client of 9P2000.L for tests: makes messages by their fields and reads the answers', as Linux's does. Names are Latin-1 strings here as there.
import { LINUX_ERRORS, type LinuxError } from '../../../src/share/errors.ts';
import { MessageReader, MessageWriter } from '../../../src/share/message.ts';
import { NO_FID, RLERROR, T } from '../../../src/share/protocol.ts';
import type { ShareSession } from '../../../src/share/session.ts';

export const ROOT = 0;
export const MSIZE = 512 << 10;

export interface Qid {
  readonly type: number;
  readonly version: number;
  readonly path: bigint;
}
export interface Entry {
  readonly qid: Qid;
  readonly next: bigint;
  readonly type: number;
  readonly name: string;
}

/** The guest was told of an error. */
export class Refused extends Error {
  readonly number: number;
  constructor(number: number) {
    super(Object.entries(LINUX_ERRORS).find(([, value]) => value === number)?.[0] ?? `error ${number}`);
    this.number = number;
  }
}

const qidOf = (from: MessageReader): Qid => ({ type: from.u8(), version: from.u32(), path: from.u64() });

export class Client {
  readonly session: ShareSession;
  #tag = 1;
  #fid = 100;

  constructor(session: ShareSession) {
    this.session = session;
  }

  newFid(): number {
    return this.#fid++;
  }

  /** A message's bytes; its tag. */
  message(type: number, put: (to: MessageWriter) => unknown): { readonly bytes: Uint8Array; readonly tag: number } {
    const tag = type === T.VERSION ? 0xffff : this.#tag++ & 0x7fff;
    const to = new MessageWriter(type, tag);
    put(to);
    return { bytes: to.finish(), tag };
  }

  /** Asks; the fields of the answer. Throws Refused. */
  async ask(type: number, put: (to: MessageWriter) => unknown = () => {}, room = MSIZE): Promise<MessageReader> {
    const { bytes, tag } = this.message(type, put);
    const answer = await this.session.handle(bytes, room);
    const head = new MessageReader(answer, 0);
    const [size, kind, itsTag] = [head.u32(), head.u8(), head.u16()];
    if (size !== answer.length || itsTag !== tag || size > room)
      throw new Error(`an answer of ${answer.length} bytes, ${size}, tag ${itsTag} for ${tag}`);
    if (kind === RLERROR) throw new Refused(head.u32());
    if (kind !== type + 1) throw new Error(`an answer of type ${kind} to ${type}`);
    return head;
  }

  async version(bytes = MSIZE, text = '9P2000.L'): Promise<[number, string]> {
    const from = await this.ask(T.VERSION, (to) => to.u32(bytes).text(text));
    return [from.u32(), from.text()];
  }
  async attach(fid = ROOT, name = ''): Promise<Qid> {
    return qidOf(await this.ask(T.ATTACH, (to) => to.u32(fid).u32(NO_FID).text('root').text(name).u32(0)));
  }
  async walk(fid: number, newFid: number, names: readonly string[]): Promise<Qid[]> {
    const from = await this.ask(T.WALK, (to) => {
      to.u32(fid).u32(newFid).u16(names.length);
      for (const name of names) to.text(name);
    });
    return Array.from({ length: from.u16() }, () => qidOf(from));
  }
  /** A new fid for a path from the root, of which all is there. Throws ENOENT where a part is not. */
  async to(path: string): Promise<number> {
    const fid = this.newFid();
    const names = path === '' ? [] : path.split('/');
    await this.walk(ROOT, fid, []);
    for (const name of names) await this.walk(fid, fid, [name]);
    return fid;
  }
  async clunk(fid: number): Promise<void> {
    await this.ask(T.CLUNK, (to) => to.u32(fid));
  }
  async open(fid: number, flags: number): Promise<Qid> {
    return qidOf(await this.ask(T.LOPEN, (to) => to.u32(fid).u32(flags)));
  }
  async create(fid: number, name: string, flags: number, mode = 0o644): Promise<Qid> {
    return qidOf(await this.ask(T.LCREATE, (to) => to.u32(fid).text(name).u32(flags).u32(mode).u32(0)));
  }
  async read(fid: number, offset: number | bigint, count: number, room?: number): Promise<Buffer> {
    const from = await this.ask(T.READ, (to) => to.u32(fid).u64(BigInt(offset)).u32(count), room);
    return Buffer.from(from.bytes(from.u32()));
  }
  async write(fid: number, offset: number | bigint, text: string | Uint8Array): Promise<number> {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    return (await this.ask(T.WRITE, (to) => to.u32(fid).u64(BigInt(offset)).u32(bytes.length).bytes(bytes))).u32();
  }
  async list(fid: number, offset: bigint, count = 8192): Promise<Entry[]> {
    const from = await this.ask(T.READDIR, (to) => to.u32(fid).u64(offset).u32(count));
    const part = from.bytes(from.u32());
    const entries = new MessageReader(part, 0);
    const all: Entry[] = [];
    for (let used = 0; used < part.length; ) {
      const entry = { qid: qidOf(entries), next: entries.u64(), type: entries.u8(), name: entries.text() };
      used += 24 + entry.name.length;
      all.push(entry);
    }
    return all;
  }
  /** All of a folder, in as many requests as it takes. */
  async all(path: string, count?: number): Promise<Entry[]> {
    const fid = await this.to(path);
    await this.open(fid, 0);
    const all: Entry[] = [];
    for (let part = await this.list(fid, 0n, count); part.length > 0; part = await this.list(fid, all.at(-1)!.next, count))
      all.push(...part);
    await this.clunk(fid);
    return all;
  }
  async stat(fid: number) {
    const from = await this.ask(T.GETATTR, (to) => to.u32(fid).u64(0x7ffn));
    const [valid, qid] = [from.u64(), qidOf(from)];
    const [mode, uid, gid] = [from.u32(), from.u32(), from.u32()];
    const [nlink, rdev, size, blksize, blocks] = [from.u64(), from.u64(), from.u64(), from.u64(), from.u64()];
    const [atime, atimeNs, mtime, mtimeNs, ctime, ctimeNs] = [from.u64(), from.u64(), from.u64(), from.u64(), from.u64(), from.u64()];
    const [times, parts] = [
      { atime, mtime, ctime },
      { atimeNs, mtimeNs, ctimeNs },
    ];
    return { valid, qid, mode, uid, gid, nlink, rdev, size, blksize, blocks, ...times, ...parts };
  }
  async set(
    fid: number,
    valid: number,
    values: { mode?: number; uid?: number; gid?: number; size?: bigint; atime?: [bigint, bigint]; mtime?: [bigint, bigint] },
  ) {
    const { mode = 0, uid = 0xffffffff, gid = 0xffffffff, size = 0n, atime = [0n, 0n], mtime = [0n, 0n] } = values;
    await this.ask(T.SETATTR, (to) => {
      to.u32(fid).u32(valid).u32(mode).u32(uid).u32(gid).u64(size);
      for (const part of [...atime, ...mtime]) to.u64(part);
    });
  }
  async makeFolder(fid: number, name: string, mode = 0o755): Promise<Qid> {
    return qidOf(await this.ask(T.MKDIR, (to) => to.u32(fid).text(name).u32(mode).u32(0)));
  }
  async makeLink(fid: number, name: string, target: string): Promise<Qid> {
    return qidOf(await this.ask(T.SYMLINK, (to) => to.u32(fid).text(name).text(target).u32(0)));
  }
  async makeNode(fid: number, name: string, mode: number): Promise<Qid> {
    return qidOf(await this.ask(T.MKNOD, (to) => to.u32(fid).text(name).u32(mode).u32(1).u32(3).u32(0)));
  }
  async addName(folder: number, fid: number, name: string): Promise<void> {
    await this.ask(T.LINK, (to) => to.u32(folder).u32(fid).text(name));
  }
  async rename(fid: number, folder: number, name: string): Promise<void> {
    await this.ask(T.RENAME, (to) => to.u32(fid).u32(folder).text(name));
  }
  async renameAt(folder: number, name: string, toFolder: number, toName: string): Promise<void> {
    await this.ask(T.RENAMEAT, (to) => to.u32(folder).text(name).u32(toFolder).text(toName));
  }
  async unlinkAt(folder: number, name: string, flags = 0): Promise<void> {
    await this.ask(T.UNLINKAT, (to) => to.u32(folder).text(name).u32(flags));
  }
  async remove(fid: number): Promise<void> {
    await this.ask(T.REMOVE, (to) => to.u32(fid));
  }
  async readLink(fid: number): Promise<string> {
    return (await this.ask(T.READLINK, (to) => to.u32(fid))).text();
  }
  async sync(fid: number, dataOnly = 0): Promise<void> {
    await this.ask(T.FSYNC, (to) => to.u32(fid).u32(dataOnly));
  }
}

/** The name of the error that a promise is refused with; 'none'. */
export async function errorOf(promise: Promise<unknown>): Promise<LinuxError | 'none' | string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

export const errorsOf = (promises: readonly Promise<unknown>[]): Promise<string[]> => Promise.all(promises.map(errorOf));
