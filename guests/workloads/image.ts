// Makes and keeps the image of a workload: programs of Debian's packages with what they need, busybox, scripts, files and modules, in an initial RAM disk for the kernel of guests/linux.ts.
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Unpacked } from '../apt.ts';
import { type CpioEntry, cpio } from '../cpio.ts';
import type { KbenchRun } from '../kbench/initrd.ts';
import { hashOf, keep } from '../kept.ts';
import { ensureGuest } from '../linux.ts';
import { collectModules, type Module } from '../modules.ts';
import { type GuestFile, programFiles } from '../programs.ts';
import type { WorkloadImage } from './workload.ts';

export interface ImageOptions {
  readonly name: string;
  /** The file of scripts/ that has the rows. */
  readonly script: string;
  /** By package: paths in it of the files that the guest needs; shared objects are found. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  /** Files of our own by their paths in the guest, with what is in them. */
  readonly files?: Readonly<Record<string, URL | string>>;
  /** Modules of the kernel's that /init loads; what they depend on comes along. */
  readonly modules?: readonly string[];
  /** Bytes of a disk without anything on it. */
  readonly diskBytes?: number;
}

const OURS = ['../elf.ts', '../programs.ts', '../modules.ts', '../cpio.ts', 'image.ts', 'scripts/init.sh', 'scripts/row.sh'];
const here = (name: string) => new URL(name, import.meta.url);
const script = (name: string) => here(`scripts/${name}`);

/** Folders that the paths of files are in, each after the one that it is in. */
export function foldersOf(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  return [...folders].sort();
}

/** The archive. `files`: without busybox, /init, and what the kernel mounts on. */
export function archive(files: readonly GuestFile[], modules: readonly Module[]): Buffer {
  const all: GuestFile[] = [
    ...files,
    ...modules.map(({ name, data }) => ({ path: `lib/modules/${name}.ko`, data })),
    { path: 'lib/modules/order', data: Buffer.from(modules.map(({ name }) => `${name}\n`).join('')) },
  ];
  const empty = ['bin', 'dev', 'proc', 'root', 'sys', 'tmp', 'mnt'];
  const folders = [...new Set([...empty, ...foldersOf(all.map(({ path }) => path))])].sort();
  const entries: CpioEntry[] = [
    ...folders.map((path) => ({ path, directory: true }) as const),
    { path: 'dev/console', character: [5, 1], mode: 0o600 },
    { path: 'dev/null', character: [1, 3], mode: 0o666 },
    ...all.map(({ path, data }) => ({ path, data, mode: 0o755 })),
  ];
  return cpio(entries);
}

/** The image; fetches and makes what is missing. Throws GUEST_MISSING with the reason. */
export async function workloadImage(options: ImageOptions): Promise<WorkloadImage> {
  const { name, packages, files = {}, modules = [], diskBytes } = options;
  const guest = await ensureGuest();
  const sources: Record<string, URL | string> = {
    init: script('init.sh'),
    'scripts/row.sh': script('row.sh'),
    'scripts/workload.sh': script(options.script),
    ...files,
  };
  const kernelPackage = `linux-image-${guest.version}`;
  const names = [...Object.keys(packages), ...(modules.length === 0 ? [] : [kernelPackage])];
  const { path } = await keep({
    name: `workload-${name}`,
    what: `the guest ${name} (${names.join(', ')})`,
    hash: await hashOf([
      JSON.stringify([options, guest.version]),
      pathToFileURL(guest.busybox),
      ...OURS.map(here),
      ...Object.values(sources),
    ]),
    files: ['initrd', ...(diskBytes === undefined ? [] : ['disk'])],
    make: async ({ apt, ready, work }) => {
      const source = new Unpacked(apt, work);
      const found = await programFiles(source, packages);
      const own = Object.entries(sources).map(async ([path, from]) => ({
        path,
        data: typeof from === 'string' ? Buffer.from(from) : await readFile(from),
      }));
      const busybox: GuestFile = { path: 'bin/busybox', data: await readFile(guest.busybox) };
      const [root] = modules.length === 0 ? [] : await source.unpacked([kernelPackage]);
      const kernelModules = root === undefined ? [] : await collectModules(join(root, 'lib/modules', guest.version), modules);
      await writeFile(join(ready, 'initrd'), archive([busybox, ...found, ...(await Promise.all(own))], kernelModules));
      if (diskBytes !== undefined) {
        const disk = await open(join(ready, 'disk'), 'w');
        await disk.truncate(diskBytes);
        await disk.close();
      }
      return { version: guest.version, packages: source.versions };
    },
  });
  return {
    kernel: guest.kernel,
    initrd: path('initrd'),
    version: guest.version,
    ...(diskBytes === undefined ? {} : { disk: path('disk') }),
  };
}

/** The kernel's command line: no message of the kernel's on the console but of its end; what is behind `--` are arguments of /init. */
export const workloadAppend = ({ seconds, slices, limitSeconds, rows }: KbenchRun): string =>
  `console=ttyS0 loglevel=1 -- run ${Math.round(seconds * 1000)} ${slices} ${limitSeconds} ${rows.join(' ')}`;
