// A guest's session with a share: a server of 9P2000.L. A message in, its answer out, whatever is in the message: what is wrong with it is an error for the guest (Rlerror).
import { getAttributes, notSupported, setAttributes, statFileSystem } from './attributes.ts';
import { errorNumber, LINUX_ERRORS, ShareError } from './errors.ts';
import { DATA_AT, getLock, lock, open, read, readFolder, sync, write } from './files.ts';
import { HEADER_BYTES, MessageReader, MessageWriter } from './message.ts';
import {
  addName,
  attach,
  clunk,
  create,
  makeFolder,
  makeLink,
  makeNode,
  readLink,
  remove,
  rename,
  renameAt,
  unlinkAt,
  walk,
} from './names.ts';
import { Order } from './order.ts';
import { RLERROR, T, VERSION } from './protocol.ts';
import { type Handler, LEAST_BYTES, MOST_BYTES, Served } from './served.ts';
import type { ShareTree } from './tree.ts';
import type { AttributeView } from './view.ts';

export { MOST_BYTES } from './served.ts';
/** Every answer may be an error instead. */
export const ERROR_BYTES = HEADER_BYTES + 4;

/** Forgets all that was, and agrees on how large messages are. */
const version: Handler = (served, message) => {
  const [bytes, text] = [message.u32(), message.text()];
  return {
    fids: 'alone',
    work: async () => {
      if (bytes < LEAST_BYTES) throw new ShareError('EMSGSIZE');
      await served.fids.clear();
      const known = text === VERSION;
      served.messageBytes = known ? Math.min(bytes, MOST_BYTES) : 0;
      return (to) => to.u32(Math.min(bytes, MOST_BYTES)).text(known ? VERSION : 'unknown');
    },
  };
};

const HANDLERS: ReadonlyMap<number, Handler> = new Map([
  [T.STATFS, statFileSystem],
  [T.LOPEN, open],
  [T.LCREATE, create],
  [T.SYMLINK, makeLink],
  [T.MKNOD, makeNode],
  [T.RENAME, rename],
  [T.READLINK, readLink],
  [T.GETATTR, getAttributes],
  [T.SETATTR, setAttributes],
  [T.XATTRWALK, notSupported],
  [T.XATTRCREATE, notSupported],
  [T.READDIR, readFolder],
  [T.FSYNC, sync],
  [T.LOCK, lock],
  [T.GETLOCK, getLock],
  [T.LINK, addName],
  [T.MKDIR, makeFolder],
  [T.RENAMEAT, renameAt],
  [T.UNLINKAT, unlinkAt],
  [T.VERSION, version],
  [T.AUTH, notSupported],
  [T.ATTACH, attach],
  [T.WALK, walk],
  [T.READ, read],
  [T.WRITE, write],
  [T.CLUNK, clunk],
  [T.REMOVE, remove],
]);

export interface SessionOptions {
  readonly readOnly: boolean;
  readonly view: AttributeView;
  /** Something failed that is no error of a file system; the guest gets EIO. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

export class ShareSession {
  readonly #served: Served;
  readonly #order = new Order();
  readonly #onFault: ((error: unknown) => void) | undefined;
  /** Requests that are under way, by their tags: they resolve when they are answered. */
  readonly #tags = new Map<number, Promise<unknown>>();

  /** The tree is its maker's to close. */
  constructor(tree: ShareTree, { readOnly, view, onFault }: SessionOptions) {
    this.#served = new Served(tree, view, readOnly);
    this.#onFault = onFault;
  }

  /** Fids of the guest: none where it has not mounted the share. */
  get fids(): number {
    return this.#served.fids.count;
  }

  /**
   * Answers a message, a header at the least; `room`: bytes that the guest has for the answer, ERROR_BYTES at the least. Nothing of the message is looked at once it was answered, and it must stay as it is until
   * then. Never rejects.
   */
  handle(message: Uint8Array, room: number): Promise<Uint8Array> {
    const head = new MessageReader(message, 4);
    const [type, tag] = [head.u8(), head.u16()];
    const answer = type === T.FLUSH ? this.#flush(message, tag) : this.#answer(message, type, tag, room);
    const safe = answer.catch((error: unknown) => this.#refusal(tag, error));
    if (type !== T.FLUSH) {
      this.#tags.set(tag, safe);
      void safe.then(() => {
        if (this.#tags.get(tag) === safe) this.#tags.delete(tag);
      });
    }
    return safe;
  }

  /** Forgets all fids and closes what is open, behind what is under way. */
  async close(): Promise<void> {
    await this.#order.run('alone', () => this.#served.fids.clear());
  }

  async #answer(message: Uint8Array, type: number, tag: number, room: number): Promise<Uint8Array> {
    const handler = HANDLERS.get(type);
    if (handler === undefined) throw new ShareError('EOPNOTSUPP');
    const { messageBytes } = this.#served;
    if (messageBytes === 0 && type !== T.VERSION) throw new ShareError('EPROTO', 'no version was agreed on');
    if (message.length > (messageBytes || MOST_BYTES)) throw new ShareError('EMSGSIZE');
    const most = Math.min(room, messageBytes || MOST_BYTES);
    const { fids, work, room: needed } = handler(this.#served, new MessageReader(message), most);
    const write = await this.#order.run(fids, work);
    const to = new MessageWriter(type + 1, tag, needed);
    write(to);
    if (to.length > most) throw new ShareError('EMSGSIZE');
    return to.finish();
  }

  /** What was begun is done to its end, and answered first. */
  async #flush(message: Uint8Array, tag: number): Promise<Uint8Array> {
    await this.#tags.get(new MessageReader(message).u16());
    return new MessageWriter(T.FLUSH + 1, tag).finish();
  }

  #refusal(tag: number, error: unknown): Uint8Array {
    const number = errorNumber(error);
    if (number === undefined) this.#onFault?.(error);
    return new MessageWriter(RLERROR, tag, DATA_AT).u32(number ?? LINUX_ERRORS.EIO).finish();
  }
}
