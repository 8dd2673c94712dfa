// What the requests of a session work on, and how a request is made: its fields are read at once, its work is done when its turn comes.
import { ShareError } from './errors.ts';
import { type Fid, Fids, LONGEST_PATH } from './fids.ts';
import type { MessageReader, MessageWriter } from './message.ts';
import type { ShareTree } from './tree.ts';
import type { Attributes, AttributeView, Qid } from './view.ts';

/** What the guest may send at first, and at most. */
export const MOST_BYTES = 512 << 10;
/** The least that a session can work with. */
export const LEAST_BYTES = 4096;
const LONGEST_NAME = 255;

export class Served {
  readonly tree: ShareTree;
  readonly view: AttributeView;
  readonly readOnly: boolean;
  readonly fids = new Fids();
  /** Bytes of a message, as agreed on; 0: no version was agreed on yet. */
  messageBytes = 0;

  constructor(tree: ShareTree, view: AttributeView, readOnly: boolean) {
    this.tree = tree;
    this.view = view;
    this.readOnly = readOnly;
  }

  async attributes(path: string): Promise<Attributes> {
    return this.view.of(await this.tree.stat(path));
  }

  /** Of what an fid stands for: of the file itself where it is open, whatever became of its name. */
  async attributesOf({ file, path }: Fid): Promise<Attributes> {
    return file === undefined ? this.attributes(path) : this.view.of(await file.stat());
  }

  /** Throws EROFS where nothing is to be changed. */
  mustWrite(): void {
    if (this.readOnly) throw new ShareError('EROFS');
  }

  /** The guest changed what has these paths, as far as they are there. */
  async changed(...paths: readonly string[]): Promise<void> {
    if (!this.view.keepsTimes) return;
    for (const path of paths) {
      const stat = await this.tree.stat(path).catch(() => undefined);
      if (stat !== undefined) this.view.changed(stat);
    }
  }
}

/** What an answer is made of: its fields are written behind its header. */
export type Answer = (to: MessageWriter) => unknown;

/** `fids`: those whose requests come one after another ('alone': none beside this one). */
export interface Request {
  readonly fids: readonly number[] | 'alone';
  /** What is thrown is an error for the guest. */
  readonly work: () => Promise<Answer>;
  /** Bytes that the answer may have, where that is known to be more than a few. */
  readonly room?: number;
}

/** `room`: bytes that there are for the answer. Throws EINVAL where the message is none. */
export type Handler = (served: Served, message: MessageReader, room: number) => Request;

export const NOTHING: Answer = () => {};

export const putQid = (to: MessageWriter, { type, version, path }: Qid): MessageWriter => to.u8(type).u32(version).u64(path);

export const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

/** Whether it is a name that something may have. Throws. */
function checkName(name: string): void {
  if (name === '' || name.includes('/') || name.includes('\0')) throw new ShareError('EINVAL', 'no name');
  if (name.length > LONGEST_NAME) throw new ShareError('ENAMETOOLONG');
}

/** What is below a folder. */
export function below(folder: string, name: string): string {
  const path = folder === '' ? name : `${folder}/${name}`;
  if (path.length > LONGEST_PATH) throw new ShareError('ENAMETOOLONG');
  return path;
}

/** Where a name of a guest's leads from a folder: '..' leads to the folder above, but never out of the tree. Throws where it is none. */
export function walked(folder: string, name: string): string {
  checkName(name);
  if (name === '.') return folder;
  return name === '..' ? parentOf(folder) : below(folder, name);
}

/** The path of something that is to be made, or to be gone. Throws where it is no name for that; `dots`: what '.' and '..' are. */
export function named({ path, isFolder }: Fid, name: string, dots: 'EEXIST' | 'EINVAL' | 'EBUSY'): string {
  checkName(name);
  if (name === '.' || name === '..') throw new ShareError(dots);
  if (!isFolder) throw new ShareError('ENOTDIR');
  return below(path, name);
}
