// A disk that is an array of bytes in memory: the guest writes into it, as into a file.
import { type Disk, SECTOR } from './disk.ts';

export class BytesDisk implements Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly #bytes: Uint8Array;
  readonly #release: () => void;

  /** Whole sectors. `release`: of whatever keeps others away from them. */
  constructor(bytes: Uint8Array, readOnly: boolean, release: () => void) {
    this.sectors = bytes.length / SECTOR;
    this.readOnly = readOnly;
    this.#bytes = bytes;
    this.#release = release;
  }

  read(offset: number, into: Uint8Array): void {
    into.set(this.#bytes.subarray(offset, offset + into.length));
  }

  write(offset: number, from: Uint8Array): void {
    this.#bytes.set(from, offset);
  }

  flush(): void {}

  close(): void {
    this.#release();
  }
}
