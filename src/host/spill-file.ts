// A temporary file that has no name: it is gone when it is closed, or when its process ends in whatever way.
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Spill } from '../disks/clusters.ts';
import { readAt, writeAt } from './file-io.ts';

/** Where QEMU has those of its own: /tmp is often in memory. */
function folder(): string {
  const { TMPDIR } = process.env;
  return TMPDIR === undefined && existsSync('/var/tmp') ? '/var/tmp' : tmpdir();
}

export class SpillFile implements Spill {
  readonly #fd: number;

  /** Throws where the host gives no file. */
  constructor(where = folder()) {
    const path = join(where, `dragoman-${randomUUID()}`);
    this.#fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  read(offset: number, into: Uint8Array): void {
    if (readAt(this.#fd, offset, into) < into.length) throw new Error('the temporary file became shorter');
  }

  write(offset: number, from: Uint8Array): void {
    writeAt(this.#fd, offset, from);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
