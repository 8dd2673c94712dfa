// A folder of files of a browser's origin (File System standard, "origin private file system"), as a thread of it sees them: one file is read when it is asked for, and written behind
// whoever writes it. The browser puts a file there as a whole, and may take all of them away when it wants the room.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Hasher, KeptFiles } from './host.ts';

/** Where the origin keeps those of all machines. */
const ROOT = 'dragoman';
/** Bytes of all files of a folder at the most. */
const MOST_BYTES = 256 << 20;

/** SHA-256, hexadecimal. */
export const hashOf = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));
export function hasher(): Hasher {
  const hash = sha256.create();
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) };
}

export { hasOriginFiles } from './origin-folder.ts';

/** A path as the name of one folder. */
const nameOf = (path: string): string => encodeURIComponent(path).replaceAll('.', '%2E');

export class OriginFiles implements KeptFiles {
  readonly #folder: string;
  readonly #name: string;
  readonly #most: number;
  readonly #onError: (error: unknown) => void;
  #file: File | undefined;
  #bytes: Uint8Array | undefined;
  #written: Promise<void> = Promise.resolve();

  /** Of `folder` the file `name`. `onError`: is told what keeps it from being written. `most`: of all files, in bytes. */
  constructor(folder: string, name: string, onError: (error: unknown) => void, most = MOST_BYTES) {
    this.#folder = folder;
    this.#name = name;
    this.#onError = onError;
    this.#most = most;
  }

  readonly sha256 = hashOf;

  async #open(create: boolean): Promise<FileSystemDirectoryHandle> {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create });
    return root.getDirectoryHandle(nameOf(this.#folder), { create });
  }

  async look(): Promise<void> {
    try {
      const before = this.stamp(this.#name);
      this.#file = await (await (await this.#open(false)).getFileHandle(this.#name)).getFile();
      if (this.stamp(this.#name) !== before) this.#bytes = new Uint8Array(await this.#file.arrayBuffer());
    } catch {
      this.#file = undefined;
      this.#bytes = undefined;
    }
  }

  stamp(name: string): string | undefined {
    const file = name === this.#name ? this.#file : undefined;
    return file && `${file.size} ${file.lastModified}`;
  }

  read(name: string): Uint8Array | undefined {
    return name === this.#name ? this.#bytes : undefined;
  }

  write(name: string, parts: readonly Uint8Array[]): void {
    const blob = new Blob(parts as Uint8Array<ArrayBuffer>[]);
    this.#written = this.#written
      .then(async () => {
        const folder = await this.#open(true);
        const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
        // Takes the place of what was there when it is closed; where that fails, nothing does.
        await writable.write(blob);
        await writable.close();
        await this.#shrink(folder, name);
        await this.look();
      })
      .catch(this.#onError);
  }

  /** When a file was read last is not known here. */
  touch(): void {}

  settle(): Promise<void> {
    return this.#written;
  }

  /** Takes away what was written longest ago until all together are small enough; not the file `name`. */
  async #shrink(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
    const files: File[] = [];
    for await (const entry of folder.values()) if (entry.kind === 'file') files.push(await entry.getFile());
    let sum = files.reduce((all, { size }) => all + size, 0);
    for (const file of files.sort((a, b) => a.lastModified - b.lastModified)) {
      if (sum <= this.#most) return;
      if (file.name === name) continue;
      await folder.removeEntry(file.name);
      sum -= file.size;
    }
  }
}
