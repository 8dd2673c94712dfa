// Brings the guest that npm run linux, the boot tests and the benchmarks run: Debian's i386 kernel with a busybox initrd of our own.
// Made once, kept in .cache/guest (kept.ts).
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Apt, Unpacked } from './apt.ts';
import { buildInitrd, READY, STRESS } from './initrd.ts';
import { hashOf, keep, type Stamp } from './kept.ts';

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

/** Changes when what we build from the packages changes. */
const hash = () => hashOf([...['initrd.ts', 'modules.ts', 'cpio.ts'].map((name) => new URL(name, import.meta.url)), pathToFileURL(STRESS)]);

async function make({ apt, ready, work }: { apt: Apt; ready: string; work: string }): Promise<Omit<Stamp, 'recipe'>> {
  const image = (await apt.dependencies('linux-image-686')).find((name) => /^linux-image-.*-686$/.test(name));
  if (image === undefined) throw new Error('linux-image-686 depends on no kernel image');
  const version = image.replace('linux-image-', '');
  const source = new Unpacked(apt, work);
  const [kernel, tools] = (await source.unpacked([image, 'busybox-static'])) as [string, string];
  const busybox = join(tools, 'bin/busybox');
  await copyFile(join(kernel, `boot/vmlinuz-${version}`), join(ready, 'vmlinuz'));
  await copyFile(busybox, join(ready, 'busybox'));
  await writeFile(join(ready, 'initrd.gz'), await buildInitrd(busybox, join(kernel, `lib/modules/${version}`)));
  return { version, packages: source.versions };
}

/** The guest's files; fetches and builds them where they are missing. Throws GUEST_MISSING with the reason. */
export async function ensureGuest(): Promise<Guest> {
  const { version, path } = await keep({
    name: 'guest',
    what: 'the Debian guest (linux-image-686, busybox-static)',
    hash: await hash(),
    files: ['vmlinuz', 'initrd.gz', 'busybox'],
    make,
  });
  return { kernel: path('vmlinuz'), initrd: path('initrd.gz'), busybox: path('busybox'), version };
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
