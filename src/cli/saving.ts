// `--save FILE`: the machine's snapshot, when its console has printed the text of --save-at, or when somebody asks by key. The file is written beside its place and put there when it is whole.
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DragomanError } from '../api/errors.ts';
import { Matcher } from '../machine/matcher.ts';
import type { RunArguments } from './arguments.ts';
import { reasonOf } from './inputs.ts';

const refuse = (path: string, why: string, cause?: unknown): never => {
  throw new DragomanError('BAD_OPTION', `cannot write: ${why}`, path, { cause });
};

/** Where a file is that a path leads to, and its mode; it may not be there yet. Throws where anything else is there: a device, a pipe, a folder. */
function placeOf(path: string): { readonly place: string; readonly mode: number } {
  try {
    const place = realpathSync(path);
    const stat = statSync(place);
    if (!stat.isFile()) refuse(path, 'it is no file, and only a file is put in the place of another');
    return { place, mode: stat.mode & 0o777 };
  } catch (error) {
    if (error instanceof DragomanError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') refuse(path, reasonOf(error), error);
    return { place: resolve(path), mode: 0o666 };
  }
}

/** Throws BAD_OPTION where nothing could be written there: looked at before the run. */
export function checkPlace(path: string): void {
  const { place } = placeOf(path);
  try {
    if (!statSync(dirname(place)).isDirectory()) refuse(path, 'no such folder');
  } catch (error) {
    if (error instanceof DragomanError) throw error;
    refuse(path, 'no such folder', error);
  }
}

/** Writes a file at once and as a whole: nobody ever finds a part of it there. Throws BAD_OPTION. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const { place, mode } = placeOf(path);
  const making = `${place}.${process.pid}.making`;
  try {
    const file = openSync(making, 'wx', mode);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(making, place);
  } catch (error) {
    rmSync(making, { force: true });
    refuse(path, reasonOf(error), error);
  }
}

/** Disks whose images the guest writes: what is on them is not in a snapshot. */
export function notSaved(disks: RunArguments['disks']): string | undefined {
  const through = disks.filter(({ readOnly, snapshot }) => !readOnly && !snapshot).map(({ path }) => path);
  if (through.length === 0) return undefined;
  return `what is on ${through.join(' and ')} is not in the snapshot: keep a copy as it is at that moment, or give the disk with ',snapshot'`;
}

export class Saving {
  readonly #path: string;
  readonly #text: string | undefined;
  readonly #matcher: Matcher | undefined;
  readonly #snapshot: () => Promise<Uint8Array>;
  #saved: Promise<string | undefined> | undefined;
  /** Those that were asked for by key. */
  #asked: Promise<unknown> = Promise.resolve();

  /** `text`: saves when the console has printed it; undefined: only when somebody asks. `snapshot`: takes it, of the machine that runs. */
  constructor(path: string, text: string | undefined, snapshot: () => Promise<Uint8Array>) {
    this.#path = path;
    this.#text = text;
    this.#matcher = text === undefined ? undefined : new Matcher(text);
    this.#snapshot = snapshot;
  }

  /** The console printed this. */
  see(bytes: Uint8Array): void {
    if (this.#matcher !== undefined && this.#saved === undefined && this.#matcher.push(bytes) >= 0) this.#saved = this.#save();
  }

  /** Saves now, in the place of what was saved before: what is to be said of it. */
  now(): Promise<string> {
    const saved = this.#save();
    this.#asked = saved;
    return saved.then((wrong) => wrong ?? `the machine is saved in ${this.#path}`);
  }

  /** Resolves when nothing is being saved (any more): with what is wrong, for people; undefined: the machine is in its file, or nobody wanted it there. */
  async done(): Promise<string | undefined> {
    await this.#asked;
    if (this.#text === undefined) return undefined;
    return this.#saved ?? `the machine was not saved in ${this.#path}: the guest has not printed '${this.#text}'`;
  }

  async #save(): Promise<string | undefined> {
    try {
      writeWhole(this.#path, await this.#snapshot());
      return undefined;
    } catch (error) {
      if (!(error instanceof DragomanError)) throw error;
      return `the machine was not saved: ${error.message}`;
    }
  }
}
