// In a page: runs a guest on each kind of disk that a browser has.
import { DragomanError, Machine } from '../../src/api/index.ts';

interface Guest {
  readonly kernel: readonly number[];
  /** Port at which it ends. */
  readonly exit: number;
  readonly disk: readonly number[];
}

/** By kind of disk: what the guest showed, and what is in the disk then; last the codes of the errors that a path gives, of a disk and of a share. */
export async function tryDisks({ kernel, exit, disk }: Guest): Promise<unknown[]> {
  const fresh = () => Uint8Array.from(disk);
  const [bytes, kept, given] = [fresh(), fresh(), fresh()];
  const blob = new Blob([fresh()]);
  const object = {
    size: given.length,
    read: async (offset: number, length: number) => given.slice(offset, offset + length),
    write: async (offset: number, from: Uint8Array) => given.set(from, offset),
  };
  const options = { kernel: Uint8Array.from(kernel), memoryBytes: 4 << 20, debugExitPort: exit };
  const tried: unknown[] = [];
  for (const [name, one, after] of [
    ['bytes', { bytes }, async () => bytes],
    ['snapshot', { bytes: kept, snapshot: true }, async () => kept],
    ['blob', { blob }, async () => new Uint8Array(await blob.arrayBuffer())],
    ['object', object, async () => given],
  ] as const) {
    const shown: number[] = [];
    const machine = await Machine.create({ ...options, disks: [one], onDebugConsole: (piece) => shown.push(...piece) });
    await machine.run();
    tried.push([name, shown, [...(await after())]]);
  }
  for (const [name, more] of [
    ['path', { disks: [{ path: 'disk.img' }] }],
    ['share', { shares: [{ path: 'folder' }] }],
  ] as const) {
    const error = await Machine.create({ ...options, ...more }).catch((e: unknown) => e);
    tried.push([name, error instanceof DragomanError ? error.code : String(error)]);
  }
  return tried;
}
