// Keeps two writers, or a writer and its readers, away from one disk image: in this process, in another, and where the other is QEMU.
import { createRequire } from 'node:module';

// Locks of an open file (fcntl's F_OFD_SETLK; flock on macOS) end with it, so nothing is left behind where a process is killed. QEMU (block/file-posix.c)
// locks a byte for each thing that it does to an image, and one for each that others must not do meanwhile.
const DOES = 100;
const FORBIDS = 200;
const KINDS = 4;
const READ = 0;
const WRITE = 1;
const RESIZE = 3;

interface FileLocks {
  /** False where another open file has a lock that is in the way. */
  tryLock(fd: number, offset: number, length: number, how?: { readonly shared?: boolean }): boolean;
}

let locks: FileLocks | undefined | null;

/** undefined where the host has none that we know (there are binaries for Linux with glibc, macOS and Windows): images are not locked there. */
function fileLocks(): FileLocks | undefined {
  if (locks === undefined) {
    try {
      locks = createRequire(import.meta.url)('fs-native-extensions') as FileLocks;
    } catch {
      locks = null;
    }
  }
  return locks ?? undefined;
}

/** Errors of file systems that have no locks. */
const NO_LOCKS = ['ENOLCK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'];

/**
 * Locks an image until `fd` is closed: a writer for itself, readers beside readers. False where somebody else uses it otherwise. A QEMU that already writes
 * is not seen by our reader (nor where there are no locks), but it sees us.
 */
export function lockImage(fd: number, readOnly: boolean): boolean {
  const file = fileLocks();
  if (file === undefined) return true;
  try {
    if (!readOnly) return file.tryLock(fd, DOES, FORBIDS + KINDS - DOES);
    return [DOES + READ, FORBIDS + WRITE, FORBIDS + RESIZE].every((byte) => file.tryLock(fd, byte, 1, { shared: true }));
  } catch (error) {
    if (NO_LOCKS.includes((error as NodeJS.ErrnoException).code ?? '')) return true;
    throw error;
  }
}
