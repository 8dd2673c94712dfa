// What was written over a disk: clusters in memory, and in a file of the host's that nobody sees once these are many. All of them can be frozen at any time: a view keeps what it saw, and who writes to a cluster
// that a view has writes to a copy.
import { SECTOR } from './disk.ts';

/** Where clusters are beyond those in memory. Calls throw where it is full. */
export interface Spill {
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
  close(): void;
}

/** What an overlay may take of the host. */
export interface OverlayRoom {
  /** Bytes of clusters in memory. */
  readonly memoryBytes: number;
  /** For what is more than that. Throws where there is no such thing. */
  readonly openSpill: () => Spill;
}

export const CLUSTER = 64 << 10;
/** Words that have a bit for each sector of a cluster. */
export const MAP_WORDS = CLUSTER / SECTOR / 32;

export interface Cluster {
  /** Which of its sectors were written. */
  readonly map: Uint32Array;
  /** Undefined: they are in the file. */
  readonly bytes: Uint8Array | undefined;
  /** Its place in the file, in clusters. */
  readonly place: number;
  /** Views that have it, and the store itself where it is its cluster still. */
  users: number;
}

/** The clusters of one instant, by their numbers on the disk. */
export interface FrozenClusters {
  readonly clusters: ReadonlyMap<number, Cluster>;
  /** Fills `into` with bytes of one of them. */
  load(cluster: Cluster, within: number, into: Uint8Array): void;
  /** It is not wanted any more. Once. */
  release(): void;
}

export function isWritten({ map }: Cluster, within: number): boolean {
  const sector = Math.floor(within / SECTOR);
  return ((map[sector >> 5]! >>> (sector & 31)) & 1) !== 0;
}

/** Stretches of sectors of a cluster that were written: [first byte, behind the last]. */
export function* writtenStretches(map: Uint32Array): Generator<readonly [from: number, to: number]> {
  const has = (sector: number) => ((map[sector >> 5]! >>> (sector & 31)) & 1) !== 0;
  const sectors = MAP_WORDS * 32;
  for (let from = 0; from < sectors; from++) {
    if (!has(from)) continue;
    let to = from + 1;
    while (to < sectors && has(to)) to++;
    yield [from * SECTOR, to * SECTOR];
    from = to;
  }
}

export class ClusterStore {
  readonly #room: OverlayRoom;
  #clusters = new Map<number, Cluster>();
  /** Clusters in memory; places of the file so far, and those that nobody uses. */
  #inMemory = 0;
  #places = 0;
  readonly #free: number[] = [];
  #spill: Spill | undefined;
  #views = 0;
  #closed = false;

  constructor(room: OverlayRoom) {
    this.#room = room;
  }

  find(cluster: number): Cluster | undefined {
    return this.#clusters.get(cluster);
  }

  /** A cluster that may be written to. Throws where there is no room. */
  own(cluster: number): Cluster {
    const before = this.#clusters.get(cluster);
    if (before?.users === 1) return before;
    const made = this.#make(before?.map);
    if (before !== undefined) {
      for (const [from, to] of writtenStretches(before.map)) {
        const bytes = new Uint8Array(to - from);
        this.load(before, from, bytes);
        this.#put(made, from, bytes);
      }
      this.#drop(before);
    }
    this.#clusters.set(cluster, made);
    return made;
  }

  load({ bytes, place }: Cluster, within: number, into: Uint8Array): void {
    if (bytes !== undefined) into.set(bytes.subarray(within, within + into.length));
    else this.#spill!.read(place * CLUSTER + within, into);
  }

  /** Writes to a cluster that own() gave: its sectors that this reaches are written from here on. */
  store(cluster: Cluster, within: number, from: Uint8Array): void {
    this.#put(cluster, within, from);
    const last = Math.floor((within + from.length - 1) / SECTOR);
    for (let sector = Math.floor(within / SECTOR); sector <= last; sector++) cluster.map[sector >> 5]! |= 1 << (sector & 31);
  }

  /** All that is written now, as it is now, until the view is released: also behind close(). */
  freeze(): FrozenClusters {
    const clusters = new Map([...this.#clusters].sort(([a], [b]) => a - b));
    for (const cluster of clusters.values()) cluster.users++;
    this.#views++;
    return {
      clusters,
      load: (cluster, within, into) => this.load(cluster, within, into),
      release: () => {
        for (const cluster of clusters.values()) this.#drop(cluster);
        this.#views--;
        this.#shut();
      },
    };
  }

  /** All is as it was when the view was frozen, which goes on to be one. */
  putBack({ clusters }: FrozenClusters): void {
    for (const cluster of clusters.values()) cluster.users++;
    for (const cluster of this.#clusters.values()) this.#drop(cluster);
    this.#clusters = new Map(clusters);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cluster of this.#clusters.values()) this.#drop(cluster);
    this.#clusters.clear();
    this.#shut();
  }

  #shut(): void {
    if (!this.#closed || this.#views > 0) return;
    this.#spill?.close();
    this.#spill = undefined;
  }

  #put({ bytes, place }: Cluster, within: number, from: Uint8Array): void {
    if (bytes !== undefined) bytes.set(from, within);
    else this.#spill!.write(place * CLUSTER + within, from);
  }

  #make(map: Uint32Array | undefined): Cluster {
    const common = { map: map?.slice() ?? new Uint32Array(MAP_WORDS), users: 1 };
    if (this.#inMemory * CLUSTER < this.#room.memoryBytes) {
      this.#inMemory++;
      return { ...common, bytes: new Uint8Array(CLUSTER), place: 0 };
    }
    this.#spill ??= this.#room.openSpill();
    return { ...common, bytes: undefined, place: this.#free.pop() ?? this.#places++ };
  }

  #drop(cluster: Cluster): void {
    if (--cluster.users > 0) return;
    if (cluster.bytes === undefined) this.#free.push(cluster.place);
    else this.#inMemory--;
  }
}
