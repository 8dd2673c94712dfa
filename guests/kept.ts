// What is made of Debian's packages and kept in .cache: made once, made again when its recipe changes; several processes may ask at the same time.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locked } from '../scripts/lock.ts';
import { DragomanError } from '../src/api/errors.ts';
import { Apt } from './apt.ts';

const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));
/** One for all: they share an apt. */
const LOCK = join(CACHE, 'guest.lock');
const STAMP = 'stamp.json';

export interface Stamp {
  readonly recipe: string;
  /** Release of the kernel, as `uname -r` prints it. */
  readonly version: string;
  /** Versions of the packages, by name. */
  readonly packages: Readonly<Record<string, string>>;
}

export interface Recipe {
  /** Name of its folder in .cache. */
  readonly name: string;
  /** What is fetched, for messages. */
  readonly what: string;
  /** What is made from the packages changes when this does: a hash of what makes it. */
  readonly hash: string;
  /** Names of the files that it makes. */
  readonly files: readonly string[];
  /** Puts the files into the folder `ready`; `work`: a folder for anything else, which is removed. */
  readonly make: (place: { apt: Apt; ready: string; work: string }) => Promise<Omit<Stamp, 'recipe'>>;
}

export interface Kept {
  readonly version: string;
  /** Path of one of its files. */
  readonly path: (file: string) => string;
}

/** A hash of texts and of files' contents. */
export async function hashOf(parts: readonly (string | URL)[]): Promise<string> {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(typeof part === 'string' ? part : await readFile(part));
  return hash.digest('hex');
}

/** What is there already, if it was made by this recipe. */
async function cached(folder: string, { hash, files }: Recipe): Promise<Stamp | undefined> {
  try {
    const stamp: Stamp = JSON.parse(await readFile(join(folder, STAMP), 'utf8'));
    for (const file of files) await stat(join(folder, file));
    return stamp.recipe === hash ? stamp : undefined;
  } catch {
    return undefined;
  }
}

async function make(folder: string, { name, what, hash, make }: Recipe): Promise<Stamp> {
  process.stderr.write(`dragoman: fetching ${what} ...\n`);
  const apt = new Apt(join(CACHE, 'apt'));
  await apt.update();
  const work = join(CACHE, `${name}.${process.pid}`);
  const ready = join(work, 'ready');
  try {
    await mkdir(ready, { recursive: true });
    const stamp: Stamp = { recipe: hash, ...(await make({ apt, ready, work })) };
    await writeFile(join(ready, STAMP), `${JSON.stringify(stamp, null, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(ready, folder);
    return stamp;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The files of a recipe; fetches and makes them where they are missing. Throws GUEST_MISSING with the reason. */
export async function keep(recipe: Recipe): Promise<Kept> {
  const folder = join(CACHE, recipe.name);
  const there = (stamp: Stamp): Kept => ({ version: stamp.version, path: (file) => join(folder, file) });
  const found = await cached(folder, recipe);
  if (found !== undefined) return there(found);
  try {
    return there(await locked(LOCK, async () => (await cached(folder, recipe)) ?? (await make(folder, recipe))));
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    const reason = stderr?.trim().split('\n').at(-1) || message;
    throw new DragomanError('GUEST_MISSING', `cannot fetch ${recipe.what} by apt: ${reason}`, recipe.name, { cause: error });
  }
}
