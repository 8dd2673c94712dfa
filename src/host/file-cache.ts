// A folder of files that may be lost at any time, and that several processes use at once: a file is written beside its place and put there as a whole, and whatever goes wrong is as if it
// were not there. Bounded: what was used longest ago goes first.
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import type { KeptFiles } from './host.ts';

/** Bytes of all files at the most. */
const MOST_BYTES = 256 << 20;
/** A file in the making that is so old was left by a process that is gone. */
const ABANDONED_MS = 3_600_000;
const MAKING = '.making';

let made = 0;

export class FileCache implements KeptFiles {
  readonly #folder: string;
  readonly #most: number;
  readonly #onError: (error: unknown) => void;

  /** `onError`: is told what keeps a file from being written. `most`: of all files, in bytes. */
  constructor(folder: string, onError: (error: unknown) => void, most = MOST_BYTES) {
    this.#folder = folder;
    this.#onError = onError;
    this.#most = most;
  }

  sha256(bytes: Uint8Array): string {
    return createHash('sha256').update(bytes).digest('hex');
  }

  stamp(name: string): string | undefined {
    try {
      const { ino, size, mtimeMs } = statSync(join(this.#folder, name));
      return `${ino} ${size} ${mtimeMs}`;
    } catch {
      return undefined;
    }
  }

  read(name: string): Uint8Array | undefined {
    try {
      const path = join(this.#folder, name);
      if (!statSync(path).isFile()) return undefined;
      const { buffer, byteOffset, length } = readFileSync(path);
      return new Uint8Array(buffer, byteOffset, length);
    } catch {
      return undefined;
    }
  }

  touch(name: string): void {
    const now = new Date();
    try {
      utimesSync(join(this.#folder, name), now, now);
    } catch {}
  }

  /** It looks itself. */
  async look(): Promise<void> {}
  /** It has waited for the file. */
  async settle(): Promise<void> {}

  write(name: string, parts: readonly Uint8Array[]): void {
    const path = join(this.#folder, name);
    const making = `${path}.${process.pid}-${made++}${MAKING}`;
    try {
      // What is in it is run: nobody else may put anything there.
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      try {
        writeAll(making, parts);
        renameSync(making, path);
      } catch (error) {
        rmSync(making, { force: true });
        throw error;
      }
      this.#shrink(name);
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Takes files away until all together are small enough; not that of `name`. */
  #shrink(name: string): void {
    const now = Date.now();
    const files: { readonly path: string; readonly size: number; readonly usedMs: number }[] = [];
    let sum = 0;
    for (const entry of readdirSync(this.#folder)) {
      if (!entry.endsWith('.pack') && !entry.endsWith(MAKING)) continue;
      const path = join(this.#folder, entry);
      try {
        const { size, mtimeMs } = statSync(path);
        if (entry.endsWith(MAKING)) {
          if (now - mtimeMs > ABANDONED_MS) rmSync(path, { force: true });
          continue;
        }
        sum += size;
        if (entry !== name) files.push({ path, size, usedMs: mtimeMs });
      } catch {
        // Another process was quicker.
      }
    }
    files.sort((a, b) => a.usedMs - b.usedMs);
    for (const { path, size } of files) {
      if (sum <= this.#most) return;
      rmSync(path, { force: true });
      sum -= size;
    }
  }
}

/** So many pieces go into one call of the operating system. */
const PIECES = 512;
function writeAll(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    for (let k = 0; k < parts.length; k += PIECES) {
      const pieces = parts.slice(k, k + PIECES);
      const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
      if (writevSync(file, pieces) !== bytes) throw new Error('the disk is full');
    }
  } finally {
    closeSync(file);
  }
}
