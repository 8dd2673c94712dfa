// A disk whose writes go elsewhere (clusters.ts). What is behind it is only read, and what was written is gone when the disk is closed.
import { CLUSTER, type Cluster, type ClusterStore, isWritten } from './clusters.ts';
import { type Disk, SECTOR } from './disk.ts';

export class Overlay implements Disk {
  readonly sectors: number;
  readonly readOnly = false;
  readonly isLater: boolean;
  /** What is behind it. */
  readonly base: Disk;
  /** What was written. */
  readonly clusters: ClusterStore;

  constructor(base: Disk, clusters: ClusterStore) {
    this.sectors = base.sectors;
    this.isLater = base.isLater === true;
    this.base = base;
    this.clusters = clusters;
  }

  read(offset: number, into: Uint8Array): unknown {
    const waits: unknown[] = [];
    /** Up to here it is read, or the base is asked. */
    let done = 0;
    const ask = (end: number) => {
      if (end > done) waits.push(this.base.read(offset + done, into.subarray(done, end)));
    };
    this.#pieces(offset, into.length, (cluster, within, at, end) => {
      const found = this.clusters.find(cluster);
      if (found === undefined) return;
      const shift = within - at;
      for (let start = at, stop = at; start < end; start = stop) {
        const written = isWritten(found, start + shift);
        do stop = Math.min(end, stop + SECTOR - ((stop + shift) % SECTOR));
        while (stop < end && isWritten(found, stop + shift) === written);
        if (!written) continue;
        ask(start);
        this.clusters.load(found, start + shift, into.subarray(start, stop));
        done = stop;
      }
    });
    ask(into.length);
    return this.isLater ? Promise.all(waits) : undefined;
  }

  write(offset: number, from: Uint8Array): unknown {
    this.#pieces(offset, from.length, (cluster, within, at, end) => {
      const own = this.clusters.own(cluster);
      const last = within + end - at;
      // What is less than a sector leaves the rest of it as the base has it.
      for (const edge of [within, last]) if (edge % SECTOR !== 0) this.#fetch(own, cluster, edge - (edge % SECTOR));
      this.clusters.store(own, within, from.subarray(at, end));
    });
    return this.isLater ? Promise.resolve() : undefined;
  }

  /** There is nothing that lasts. */
  flush(): unknown {
    return this.isLater ? Promise.resolve() : undefined;
  }

  close(): void {
    this.clusters.close();
    this.base.close();
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

  /** Takes a sector from a base that answers at once; only such ones are written in less. */
  #fetch(own: Cluster, cluster: number, within: number): void {
    if (isWritten(own, within)) return;
    const sector = new Uint8Array(SECTOR);
    this.base.read(cluster * CLUSTER + within, sector);
    this.clusters.store(own, within, sector);
  }
}
