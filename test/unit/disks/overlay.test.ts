// The overlay of a snapshot: what it reads is held against a plain array, whatever was written before, in memory or in its file; and what it does where there is no room.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BytesDisk } from '../../../src/disks/bytes-disk.ts';
import { CLUSTER, ClusterStore, type OverlayRoom, writtenStretches } from '../../../src/disks/clusters.ts';
import type { Disk } from '../../../src/disks/disk.ts';
import { Overlay } from '../../../src/disks/overlay.ts';
import { SpillFile } from '../../../src/host/spill-file.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-overlay-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const SECTOR = 512;
const BYTES = 40 * CLUSTER + 3 * SECTOR;
const pattern = () => Uint8Array.from({ length: BYTES }, (_, i) => (i * 7 + (i >> 9)) & 0xff);
const base = (bytes: Uint8Array): Disk => new BytesDisk(bytes, true, () => {});
/** The same, answering later. */
function later(bytes: Uint8Array): Disk {
  const now = base(bytes);
  const read = async (offset: number, into: Uint8Array) => {
    await new Promise((resolve) => setImmediate(resolve));
    now.read(offset, into);
  };
  return { sectors: now.sectors, readOnly: true, isLater: true, read, write: fail, flush: fail, close() {} };
}
const fail = () => Promise.reject(new Error('the base is only read'));
const inMemory: OverlayRoom = {
  memoryBytes: BYTES + CLUSTER,
  openSpill: () => {
    throw new Error('no file is wanted');
  },
};
/** Little of it in memory. */
const spilling: OverlayRoom = { memoryBytes: 3 * CLUSTER, openSpill: () => new SpillFile(folder) };

function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe.each([
  ['in memory', inMemory, base, 1],
  ['in memory, sectors', inMemory, base, SECTOR],
  ['in a file', spilling, base, 1],
  ['over a base that answers later', spilling, later, SECTOR],
])('%s', (_, room, make, grain) => {
  it('reads what was written, and else what is below', async () => {
    const below = pattern();
    const model = pattern();
    const disk = new Overlay(make(below), new ClusterStore(room));
    const below0 = below.slice();
    const random = numbers(grain + room.memoryBytes);
    for (let round = 0; round < 800; round++) {
      const most = round % 10 === 0 ? 3 * CLUSTER : 4 * SECTOR;
      const length = Math.max(grain, random(most) - (random(most) % grain));
      const size = length - (length % grain);
      const at = random(BYTES - size);
      const offset = at - (at % grain);
      if (random(2) === 0) {
        const bytes = new Uint8Array(size).fill(random(256));
        bytes[size >> 1] = random(256);
        await disk.write(offset, bytes);
        model.set(bytes, offset);
      } else {
        const into = new Uint8Array(size);
        await disk.read(offset, into);
        expect(Buffer.compare(into, model.subarray(offset, offset + size))).toBe(0);
      }
    }
    const all = new Uint8Array(BYTES);
    await disk.read(0, all);
    expect(Buffer.compare(all, model)).toBe(0);
    expect(Buffer.compare(below, below0)).toBe(0);
    disk.close();
    // Its file has no name.
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('takes a cluster at a time, and a file only when it has no more memory', () => {
  const opened: number[] = [];
  const sizes: number[] = [];
  const disk = new Overlay(
    base(pattern()),
    new ClusterStore({
      memoryBytes: 2 * CLUSTER,
      openSpill: () => {
        opened.push(sizes.length);
        return { read() {}, write: (offset, from) => sizes.push(offset, from.length), close: () => opened.push(-1) };
      },
    }),
  );
  const sector = new Uint8Array(SECTOR);
  disk.write(9 * CLUSTER, sector);
  disk.write(10 * CLUSTER - SECTOR, sector);
  disk.write(3 * CLUSTER, sector);
  expect(opened).toEqual([]);
  disk.write(5 * CLUSTER + SECTOR, sector);
  disk.write(0, sector);
  disk.write(9 * CLUSTER, sector);
  expect([opened, sizes]).toEqual([[0], [SECTOR, SECTOR, CLUSTER, SECTOR]]);
  disk.close();
  expect(opened).toEqual([0, -1]);
});

it('fails where there is no room, and keeps what it has', () => {
  let isFull = true;
  const disk = new Overlay(
    base(pattern()),
    new ClusterStore({
      memoryBytes: CLUSTER,
      openSpill: () => ({
        read: (_, into) => into.fill(0x77),
        write: () => {
          if (isFull) throw new Error('ENOSPC');
        },
        close() {},
      }),
    }),
  );
  const [ones, into] = [new Uint8Array(SECTOR).fill(1), new Uint8Array(SECTOR)];
  disk.write(0, ones);
  expect(() => disk.write(CLUSTER, ones)).toThrow('ENOSPC');
  disk.read(0, into);
  expect(into).toEqual(ones);
  // What did not come to the file is not read from there.
  disk.read(CLUSTER, into);
  expect(into).toEqual(pattern().subarray(CLUSTER, CLUSTER + SECTOR));
  isFull = false;
  disk.write(CLUSTER, ones);
  disk.read(CLUSTER, into);
  expect(into[0]).toBe(0x77);
});

it('fails where the host gives no file', () => {
  const disk = new Overlay(base(pattern()), new ClusterStore({ memoryBytes: 0, openSpill: () => new SpillFile(join(folder, 'none')) }));
  expect(() => disk.write(0, new Uint8Array(SECTOR))).toThrow('ENOENT');
});

it.each([
  ['in memory', { ...inMemory, memoryBytes: 4 * BYTES }],
  ['in a file', spilling],
])('%s: a view keeps what was written, whatever is written then, and can be put back', async (_, room) => {
  const store = new ClusterStore(room);
  const disk = new Overlay(base(pattern()), store);
  const random = numbers(7);
  const write = (count: number) => {
    for (let n = 0; n < count; n++) {
      const size = 1 + random(2 * CLUSTER);
      disk.write(random(BYTES - size), new Uint8Array(size).fill(random(256)));
    }
  };
  const all = () => {
    const bytes = new Uint8Array(BYTES);
    disk.read(0, bytes);
    return bytes;
  };
  write(20);
  const [first, then] = [store.freeze(), all()];
  write(30);
  const [second, later] = [store.freeze(), all()];
  expect(Buffer.compare(then, later)).not.toBe(0);
  write(30);
  store.putBack(first);
  expect(Buffer.compare(all(), then)).toBe(0);
  write(30);
  store.putBack(second);
  first.release();
  expect(Buffer.compare(all(), later)).toBe(0);
  disk.close();
  // What a view has can be read behind the end.
  const [cluster, found] = [...second.clusters][0]!;
  const [[from]] = [...writtenStretches(found.map)] as [[number, number]];
  const sector = new Uint8Array(SECTOR);
  second.load(found, from, sector);
  expect(sector).toEqual(later.subarray(cluster * CLUSTER + from, cluster * CLUSTER + from + SECTOR));
  second.release();
});

it('uses places of its file again', () => {
  const places: number[] = [];
  const store = new ClusterStore({
    memoryBytes: 0,
    openSpill: () => ({ read() {}, write: (offset) => places.push(offset / CLUSTER), close() {} }),
  });
  const sector = new Uint8Array(SECTOR);
  for (let n = 0; n < 6; n++) {
    const view = store.freeze();
    store.store(store.own(0), 0, sector);
    view.release();
  }
  expect(Math.max(...places)).toBe(1);
});
