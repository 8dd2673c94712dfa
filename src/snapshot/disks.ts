// The disks in a snapshot: what their images were like, and what was written over those that have an overlay. An overlay is a section of its index (for each cluster its number on the disk and which of its sectors were
// written) and, behind all pages, the bytes of these sectors.
import { DragomanError } from '../api/errors.ts';
import { CLUSTER, type Cluster, ClusterStore, type FrozenClusters, MAP_WORDS, writtenStretches } from '../disks/clusters.ts';
import { type Disk, SECTOR } from '../disks/disk.ts';
import { type DiskImage, imageNow, imageOf, isWhole } from '../disks/image.ts';
import { Overlay } from '../disks/overlay.ts';
import { host } from '../host/node.ts';
import { bad, type SnapshotReader } from './stream.ts';

const ENTRY_WORDS = 1 + MAP_WORDS;
const ENTRY_BYTES = ENTRY_WORDS * 4;

export interface SavedDisk {
  /** Undefined: it is not known, and the user's affair. */
  readonly image: DiskImage | undefined;
  /** What was written over it; undefined: it has no overlay. */
  readonly overlay: FrozenClusters | undefined;
}

const baseOf = (disk: Disk): Disk => (disk instanceof Overlay ? disk.base : disk);

/** What can be known of disks while a machine runs: images that nobody writes. Its function says the rest, of a machine that stands still. */
export async function beginDisks(disks: readonly Disk[]): Promise<() => SavedDisk[]> {
  const known: (DiskImage | undefined)[] = [];
  for (const disk of disks) known.push(baseOf(disk).readOnly ? await imageOf(baseOf(disk)) : undefined);
  return () =>
    disks.map((disk, n) => ({
      image: baseOf(disk).readOnly || disk.isLater === true ? known[n] : imageNow(disk),
      overlay: disk instanceof Overlay ? disk.clusters.freeze() : undefined,
    }));
}

export function indexOf({ clusters }: FrozenClusters): Uint8Array {
  const words = new Uint32Array(clusters.size * ENTRY_WORDS);
  [...clusters].forEach(([number, { map }], n) => {
    words[n * ENTRY_WORDS] = number;
    words.set(map, n * ENTRY_WORDS + 1);
  });
  return new Uint8Array(words.buffer);
}

/** Bytes of all sectors that were written, in the order of the index. */
export function* sectorsOf(overlay: FrozenClusters): Generator<Uint8Array> {
  for (const cluster of overlay.clusters.values() as Iterable<Cluster>)
    for (const [from, to] of writtenStretches(cluster.map)) {
      const bytes = new Uint8Array(to - from);
      overlay.load(cluster, from, bytes);
      yield bytes;
    }
}

export const indexBytes = (clusters: number): number => clusters * ENTRY_BYTES;
/** Clusters of a disk. */
export const clustersOf = (sectors: number): number => Math.ceil((sectors * SECTOR) / CLUSTER);

interface Entry {
  readonly cluster: number;
  readonly map: Uint32Array;
}

/** `sectors`: of the disk. Throws BAD_SNAPSHOT. */
function readIndex(index: Uint8Array, sectors: number): Entry[] {
  const words = new Uint32Array(index.slice().buffer);
  let last = -1;
  return Array.from({ length: words.length / ENTRY_WORDS }, (_, n) => {
    const cluster = words[n * ENTRY_WORDS]!;
    const map = words.slice(n * ENTRY_WORDS + 1, (n + 1) * ENTRY_WORDS);
    const end = Math.max(0, ...[...writtenStretches(map)].map(([, to]) => to));
    if (cluster <= last || cluster * CLUSTER + end > sectors * SECTOR) bad('it is damaged: what was written over a disk');
    last = cluster;
    return { cluster, map };
  });
}

/** Reads what was written over disks, which comes behind the pages: undefined for those that have no overlay. `keep`: false where nobody wants it. Throws BAD_SNAPSHOT. */
export async function readOverlays(
  reader: SnapshotReader,
  disks: readonly { readonly sectors: number; readonly index: Uint8Array | undefined }[],
  keep: boolean,
): Promise<(ClusterStore | undefined)[]> {
  const stores: (ClusterStore | undefined)[] = [];
  try {
    for (const { sectors, index } of disks) {
      const store = index === undefined || !keep ? undefined : new ClusterStore(host.overlayRoom);
      stores.push(store);
      for (const { cluster, map } of index === undefined ? [] : readIndex(index, sectors))
        for (const [from, to] of writtenStretches(map)) {
          const bytes = await reader.take(to - from);
          store?.store(store.own(cluster), from, bytes);
        }
    }
    return stores;
  } catch (error) {
    for (const store of stores) store?.close();
    throw error;
  }
}

/** Looks whether disks are as they were. `names`: for people. Throws BAD_OPTION. */
export async function checkImages(
  disks: readonly Disk[],
  saved: readonly { readonly image: DiskImage | undefined }[],
  names: readonly string[],
): Promise<void> {
  for (const [n, disk] of disks.entries()) {
    const base = baseOf(disk);
    const then = saved[n]!.image;
    const now = then === undefined ? undefined : await imageOf(base);
    if (then === undefined || now === undefined) continue;
    if (then.hash !== now.hash)
      throw new DragomanError(
        'BAD_OPTION',
        'the image is not as it was when the snapshot was taken: the guest, which has part of its file system in memory, would damage it',
        names[n],
      );
    if (!isWhole(base) && then.modifiedMs !== undefined && then.modifiedMs !== now.modifiedMs)
      console.error(
        `dragoman: ${names[n]}: the image may have been written since the snapshot was taken (samples of it are the same, the time of its last change is not): if it was, the guest will damage it`,
      );
  }
}
