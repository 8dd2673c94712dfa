// Brings the guest that npm run linux, the boot tests and the benchmarks run: Debian's i386 kernel with a busybox initrd of our own.
// Made once, kept in .cache/guest; several processes may ask at the same time.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locked } from '../scripts/lock.ts';
import { DragomanError } from '../src/api/errors.ts';
import { Apt, unpack } from './apt.ts';
import { buildInitrd, READY, STRESS } from './initrd.ts';

export { READY } from './initrd.ts';

export interface Guest {
  /** Path of the bzImage. */
  readonly kernel: string;
  /** Path of the compressed initial RAM disk. */
  readonly initrd: string;
  /** Path of the static busybox, an i386 executable. */
  readonly busybox: string;
  /** Release of the kernel, as `uname -r` prints it. */
  readonly version: string;
}

const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));
const GUEST = join(CACHE, 'guest');
const LOCK = join(CACHE, 'guest.lock');
const STAMP = 'stamp.json';

interface Stamp {
  readonly recipe: string;
  readonly version: string;
  readonly packages: Readonly<Record<string, string>>;
}

/** Changes when what we build from the packages changes. */
async function recipe(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['initrd.ts', 'cpio.ts']) hash.update(await readFile(new URL(name, import.meta.url)));
  hash.update(await readFile(STRESS));
  return hash.digest('hex');
}

const guestAt = (version: string): Guest => ({
  kernel: join(GUEST, 'vmlinuz'),
  initrd: join(GUEST, 'initrd.gz'),
  busybox: join(GUEST, 'busybox'),
  version,
});

/** The guest that is already there, if it was built by this recipe. */
async function cached(wanted: string): Promise<Guest | undefined> {
  try {
    const stamp: Stamp = JSON.parse(await readFile(join(GUEST, STAMP), 'utf8'));
    const guest = guestAt(stamp.version);
    for (const file of [guest.kernel, guest.initrd, guest.busybox]) await stat(file);
    return stamp.recipe === wanted ? guest : undefined;
  } catch {
    return undefined;
  }
}

async function build(wanted: string): Promise<Guest> {
  process.stderr.write('dragoman: fetching the Debian guest (linux-image-686, busybox-static) ...\n');
  const apt = new Apt(join(CACHE, 'apt'));
  await apt.update();
  const image = (await apt.dependencies('linux-image-686')).find((name) => /^linux-image-.*-686$/.test(name));
  if (image === undefined) throw new Error('linux-image-686 depends on no kernel image');
  const version = image.replace('linux-image-', '');
  const [kernelDeb, busyboxDeb] = await apt.download([image, 'busybox-static']);
  const work = join(CACHE, `guest.${process.pid}`);
  try {
    const packages = {
      [image]: await unpack(kernelDeb, join(work, 'kernel')),
      'busybox-static': await unpack(busyboxDeb, join(work, 'busybox')),
    };
    const ready = join(work, 'ready');
    await mkdir(ready);
    const busybox = join(work, 'busybox/bin/busybox');
    await copyFile(join(work, `kernel/boot/vmlinuz-${version}`), join(ready, 'vmlinuz'));
    await copyFile(busybox, join(ready, 'busybox'));
    await writeFile(join(ready, 'initrd.gz'), await buildInitrd(busybox, join(work, `kernel/lib/modules/${version}`)));
    const stamp: Stamp = { recipe: wanted, version, packages };
    await writeFile(join(ready, STAMP), `${JSON.stringify(stamp, null, 2)}\n`);
    await rm(GUEST, { recursive: true, force: true });
    await rename(ready, GUEST);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return guestAt(version);
}

/** The guest's files; fetches and builds them where they are missing. Throws GUEST_MISSING with the reason. */
export async function ensureGuest(): Promise<Guest> {
  const wanted = await recipe();
  const there = await cached(wanted);
  if (there !== undefined) return there;
  try {
    return await locked(LOCK, async () => (await cached(wanted)) ?? (await build(wanted)));
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    const reason = stderr?.trim().split('\n').at(-1) || message;
    throw new DragomanError('GUEST_MISSING', `cannot fetch Debian's kernel and busybox by apt: ${reason}`, 'guest', { cause: error });
  }
}

/**
 * For tests: the guest, or the reason why tests that need it are skipped (`describe.skipIf(!guest)`). Under CI a missing guest is
 * an error, so that nothing is skipped unseen.
 */
export async function guestOrSkip(): Promise<{ guest: Guest; reason: '' } | { guest: undefined; reason: string }> {
  try {
    return { guest: await ensureGuest(), reason: '' };
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    const reason = (error as Error).message;
    process.stderr.write(`skipped: tests that boot Debian's kernel (${reason})\n`);
    return { guest: undefined, reason };
  }
}

if (import.meta.main) {
  const guest = await ensureGuest();
  process.stdout.write(`${JSON.stringify({ ...guest, ready: READY }, null, 2)}\n`);
}
