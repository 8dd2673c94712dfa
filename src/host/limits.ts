// Whether the host's limits on this process leave enough for a machine's threads. Node gets over some of them only by ending without a word.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { DragomanError } from '../api/errors.ts';

/** What Node opens for a Worker's event loop, and what the Workers read while they start. */
const FILES_OF_THREAD = 5;
const FILES = 8;
/** Address space that V8 sets aside (measured with V8 14; it is not memory): for shared memories, and for each thread up to some number of them. */
const GiB = 2 ** 30;
const SPACE = 32 * GiB;
const SPACE_OF_THREADS = 32 * GiB;
const SPACE_OF_THREAD = 8 * GiB;
const THREADS_WITH_SPACE = 16;

function canOpen(count: number): boolean {
  const files: number[] = [];
  try {
    for (let k = 0; k < count; k++) files.push(openSync(devNull, 'r'));
    return true;
  } catch (error) {
    if (!['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  } finally {
    for (const file of files) closeSync(file);
  }
}

/** Bytes; Infinity where there is no limit, or where nobody tells (only Linux keeps to one). */
function addressSpace(): number {
  try {
    return Number(/^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Throws HOST_LIMIT where a machine with so many threads of its own (0: in lockstep) could not start. */
export function checkLimits(threads: number): void {
  if (!canOpen(FILES + FILES_OF_THREAD * threads))
    throw new DragomanError(
      'HOST_LIMIT',
      `too few files may be open: ${threads} threads need ${FILES + FILES_OF_THREAD * threads} more (ulimit -n)`,
    );
  const needed = SPACE + (threads === 0 ? 0 : SPACE_OF_THREADS + SPACE_OF_THREAD * Math.min(threads, THREADS_WITH_SPACE));
  const limit = addressSpace();
  if (limit < needed)
    throw new DragomanError(
      'HOST_LIMIT',
      `too little address space: ${Math.floor(limit / GiB)} GiB, and V8 sets ${needed / GiB} GiB aside, which costs no memory (ulimit -v)`,
    );
}
