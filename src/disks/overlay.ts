// A disk whose writes go elsewhere: to clusters in memory, and in a file of the host's that nobody sees once these are many. What is behind it is only read, and what
// was written is gone when the disk is closed.
import { type Disk, SECTOR } from './disk.ts';

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
const MAP_WORDS = CLUSTER / SECTOR / 32;

export class Overlay implements Disk {
  readonly sectors: number;
  readonly readOnly = false;
  readonly isLater: boolean;
  readonly #base: Disk;
  readonly #room: OverlayRoom;
  /** Cluster of the disk to its slot: numbered in the order in which they came, the first ones in memory. */
  readonly #slots = new Map<number, number>();
  /** By slot: which sectors were written. */
  #maps = new Uint32Array(64 * MAP_WORDS);
  readonly #memory: Uint8Array[] = [];
  #spill: Spill | undefined;

  constructor(base: Disk, room: OverlayRoom) {
    this.sectors = base.sectors;
    this.isLater = base.isLater === true;
    this.#base = base;
    this.#room = room;
  }

  read(offset: number, into: Uint8Array): unknown {
    const waits: unknown[] = [];
    /** Up to here it is read, or the base is asked. */
    let done = 0;
    const ask = (end: number) => {
      if (end > done) waits.push(this.#base.read(offset + done, into.subarray(done, end)));
    };
    this.#pieces(offset, into.length, (cluster, within, at, end) => {
      const slot = this.#slots.get(cluster);
      if (slot === undefined) return;
      const shift = within - at;
      for (let start = at, stop = at; start < end; start = stop) {
        const isWritten = this.#has(slot, start + shift);
        do stop = Math.min(end, stop + SECTOR - ((stop + shift) % SECTOR));
        while (stop < end && this.#has(slot, stop + shift) === isWritten);
        if (!isWritten) continue;
        ask(start);
        this.#load(slot, start + shift, into.subarray(start, stop));
        done = stop;
      }
    });
    ask(into.length);
    return this.isLater ? Promise.all(waits) : undefined;
  }

  write(offset: number, from: Uint8Array): unknown {
    this.#pieces(offset, from.length, (cluster, within, at, end) => {
      const slot = this.#slots.get(cluster) ?? this.#add(cluster);
      const last = within + end - at;
      // What is less than a sector leaves the rest of it as the base has it.
      for (const edge of [within, last]) if (edge % SECTOR !== 0) this.#fetch(slot, cluster, edge - (edge % SECTOR));
      this.#store(slot, within, from.subarray(at, end));
      for (let sector = within; sector < last; sector += SECTOR) this.#mark(slot, sector);
    });
    return this.isLater ? Promise.resolve() : undefined;
  }

  /** There is nothing that lasts. */
  flush(): unknown {
    return this.isLater ? Promise.resolve() : undefined;
  }

  close(): void {
    this.#slots.clear();
    this.#memory.length = 0;
    this.#spill?.close();
    this.#spill = undefined;
    this.#base.close();
  }

  /** Cuts a range at the borders of clusters: each piece by its cluster and its place there, and where it is in the range. */
  #pieces(offset: number, length: number, each: (cluster: number, within: number, at: number, end: number) => void): void {
    for (let at = 0; at < length; ) {
      const place = offset + at;
      const end = Math.min(length, at + CLUSTER - (place % CLUSTER));
      each(Math.floor(place / CLUSTER), place % CLUSTER, at, end);
      at = end;
    }
  }

  #add(cluster: number): number {
    const slot = this.#slots.size;
    if (slot * CLUSTER < this.#room.memoryBytes) this.#memory.push(new Uint8Array(CLUSTER));
    else this.#spill ??= this.#room.openSpill();
    if ((slot + 1) * MAP_WORDS > this.#maps.length) {
      const maps = new Uint32Array(2 * this.#maps.length);
      maps.set(this.#maps);
      this.#maps = maps;
    }
    this.#slots.set(cluster, slot);
    return slot;
  }

  #has(slot: number, within: number): boolean {
    const sector = Math.floor(within / SECTOR);
    return ((this.#maps[slot * MAP_WORDS + (sector >> 5)]! >>> (sector & 31)) & 1) !== 0;
  }

  #mark(slot: number, within: number): void {
    const sector = Math.floor(within / SECTOR);
    this.#maps[slot * MAP_WORDS + (sector >> 5)]! |= 1 << (sector & 31);
  }

  /** Takes a sector from a base that answers at once; only such ones are written in less. */
  #fetch(slot: number, cluster: number, within: number): void {
    if (this.#has(slot, within)) return;
    const sector = new Uint8Array(SECTOR);
    this.#base.read(cluster * CLUSTER + within, sector);
    this.#store(slot, within, sector);
    this.#mark(slot, within);
  }

  #load(slot: number, within: number, into: Uint8Array): void {
    const bytes = this.#memory[slot];
    if (bytes !== undefined) into.set(bytes.subarray(within, within + into.length));
    else this.#spill!.read((slot - this.#memory.length) * CLUSTER + within, into);
  }

  #store(slot: number, within: number, from: Uint8Array): void {
    const bytes = this.#memory[slot];
    if (bytes !== undefined) bytes.set(from, within);
    else this.#spill!.write((slot - this.#memory.length) * CLUSTER + within, from);
  }
}
