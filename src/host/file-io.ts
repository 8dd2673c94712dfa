// Reads and writes at a place of an open file, whole ones: the operating system may do less at a time.
import { readSync, writeSync } from 'node:fs';

/** Bytes a call of the operating system moves at most. */
const MOST_BYTES = 1 << 30;

/** Fills `into` from `offset`, as far as the file goes; the number of bytes read. */
export function readAt(fd: number, offset: number, into: Uint8Array): number {
  let done = 0;
  while (done < into.length) {
    const got = readSync(fd, into, done, Math.min(into.length - done, MOST_BYTES), offset + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

export function writeAt(fd: number, offset: number, from: Uint8Array): void {
  for (let done = 0; done < from.length; ) {
    done += writeSync(fd, from, done, Math.min(from.length - done, MOST_BYTES), offset + done);
  }
}
