// A Blob (or a File of a page's user) as a disk: it can be of any size, is read when the guest reads, and cannot be written.
import { type Disk, SECTOR } from './disk.ts';

export class BlobDisk implements Disk {
  readonly sectors: number;
  readonly readOnly = true;
  readonly isLater = true;
  readonly #blob: Blob;

  /** Whole sectors. */
  constructor(blob: Blob) {
    this.sectors = blob.size / SECTOR;
    this.#blob = blob;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    into.set(new Uint8Array(await this.#blob.slice(offset, offset + into.length).arrayBuffer()));
  }

  write(): Promise<void> {
    return Promise.reject(new TypeError('a Blob cannot be written'));
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}
}
