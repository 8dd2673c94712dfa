// The workload lmbench: kbench, with the rows that lmbench has as well.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kbenchInitrd, rowsOf, runAppend } from '../kbench/initrd.ts';
import { ensureGuest } from '../linux.ts';
import type { Workload, WorkloadImage } from './workload.ts';

const FOLDER = fileURLToPath(new URL('../../.cache/workload-lmbench/', import.meta.url));

async function image(): Promise<WorkloadImage> {
  const { kernel, busybox, version } = await ensureGuest();
  const [initrd, data] = [join(FOLDER, 'initrd'), await kbenchInitrd(busybox)];
  const there = await readFile(initrd).catch(() => undefined);
  if (there === undefined || !there.equals(data)) {
    // Whoever reads it at that moment has all of one or of the other.
    const own = `${initrd}.${process.pid}`;
    await mkdir(FOLDER, { recursive: true });
    await writeFile(own, data);
    await rename(own, initrd);
  }
  return { kernel, initrd, version };
}

export const LMBENCH: Workload = {
  name: 'lmbench',
  title: 'System calls, signals, processes and pages',
  rows: rowsOf('paper'),
  memoryMiB: 256,
  rate: false,
  image,
  append: runAppend,
};
