// Disks of machines that go on from snapshots: what was written over an image comes with the snapshot, and an image that is not as it was is refused.
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { type DiskOptions, DragomanError, Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { WHOLE_BYTES } from '../../../src/disks/image.ts';
import { EXIT, image, SECTOR, WRITES_WAITS_AND_READS } from '../machine/disk-guest.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-disks-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, bytes: Uint8Array) => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof DragomanError ? `${error.code} ${error.message}` : error),
  );

/** A snapshot of a machine that has written to its disk. */
async function saved(disk: DiskOptions, options: MachineOptions = {}, base?: Uint8Array): Promise<Uint8Array> {
  const written = Promise.withResolvers<void>();
  const machine = await Machine.create({
    kernel: WRITES_WAITS_AND_READS,
    memoryBytes: 4 * MiB,
    debugExitPort: EXIT,
    disks: [disk],
    onDebugConsole: () => written.resolve(),
    ...options,
  });
  void machine.run();
  await written.promise;
  const snapshot = await machine.snapshot({ base });
  await machine.close();
  return snapshot;
}
/** What the guest that goes on reads there. */
async function goesOn(snapshot: Uint8Array, disk: DiskOptions, base?: Uint8Array): Promise<number[]> {
  const shown: number[] = [];
  const machine = await Machine.restore(snapshot, { disks: [disk], base, onDebugConsole: (bytes) => shown.push(...bytes) });
  machine.sendInput(Buffer.from('q'));
  await machine.run();
  return shown;
}
const READ = [0, 0x11, 0x22, 0x33, 0x44];

it.each<[string, MachineOptions]>([
  ['threads', {}],
  ['lockstep', { lockstep: { paced: false } }],
])('%s: what was written over a file comes with the snapshot', async (_, options) => {
  const path = file('over', image());
  const disk = { path, snapshot: true };
  const snapshot = await saved(disk, options);
  expect(await goesOn(snapshot, disk)).toEqual(READ);
  // And once more: it is the snapshot's own.
  expect(await goesOn(snapshot, disk)).toEqual(READ);
  expect(readFileSync(path)).toEqual(Buffer.from(image()));
  const against = await saved(disk, options, snapshot);
  expect(await goesOn(against, disk, snapshot)).toEqual(READ);
  expect(await refusal(Machine.restore(snapshot, { disks: [{ path }] }))).toMatch(/^BAD_OPTION disks\[0\].snapshot: .*written over/);
});

it.each<[string, () => DiskOptions]>([
  ['bytes', () => ({ bytes: image(), snapshot: true })],
  ['a Blob', () => ({ blob: new Blob([image()]), snapshot: true })],
  ['an object', () => ({ size: 8 * SECTOR, snapshot: true, read: (at, length) => image().slice(at, at + length) })],
])('over %s as well', async (_, disk) => {
  expect(await goesOn(await saved(disk()), disk())).toEqual(READ);
});

it('an image that was written through must be as it was then', async () => {
  const path = file('through', image());
  const snapshot = await saved({ path });
  const now = readFileSync(path);
  expect(now.subarray(SECTOR, SECTOR + 4)).toEqual(Buffer.from(READ.slice(1)));
  expect(await goesOn(snapshot, { path })).toEqual(READ);
  now[5 * SECTOR]! ^= 1;
  writeFileSync(path, now);
  expect(await refusal(Machine.restore(snapshot, { disks: [{ path }] }))).toMatch(/^BAD_OPTION .*through: the image is not as it was/);
  // Nobody holds it.
  await (await Machine.create({ kernel: WRITES_WAITS_AND_READS, memoryBytes: 4 * MiB, disks: [{ path }] })).close();
});

it('a large image is known by samples and its time: where these say different things, that is told', async () => {
  const bytes = new Uint8Array(WHOLE_BYTES + 4 * MiB).fill(0x5a);
  const path = file('large', bytes);
  const disk = { path, snapshot: true };
  const snapshot = await saved(disk);
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    expect(await goesOn(snapshot, disk)).toEqual(READ);
    expect(told).not.toHaveBeenCalled();
    utimesSync(path, 1, 1);
    expect(await goesOn(snapshot, disk)).toEqual(READ);
    expect(told).toHaveBeenCalledWith(expect.stringMatching(/large: the image may have been written/));
    bytes[MiB - 1] = 0;
    writeFileSync(path, bytes);
    expect(await refusal(Machine.restore(snapshot, { disks: [disk] }))).toMatch(/^BAD_OPTION .*not as it was/);
  } finally {
    told.mockRestore();
  }
});

it('what is damaged is refused, and nothing is left open', async () => {
  const disk = { bytes: image(), snapshot: true };
  const snapshot = await saved(disk);
  for (let n = 1; n < 24; n++) {
    // Behind the last bit of what is packed are some that mean nothing.
    if (n === 9) continue;
    const damaged = snapshot.slice();
    damaged[snapshot.length - n]! ^= 0x10;
    expect(await refusal(Machine.restore(damaged, { disks: [disk] }))).toMatch(/^BAD_SNAPSHOT/);
  }
  expect(await goesOn(snapshot, disk)).toEqual(READ);
});
