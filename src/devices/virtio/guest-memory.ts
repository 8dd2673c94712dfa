// Guest RAM as a device that masters the bus sees it: little-endian reads, the shared indices of a ring, and copies
// to and from scattered buffers. Nothing here trusts an address: whoever got one from the guest asks `contains` first.

/** A piece of guest RAM: checked to be inside, never empty. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

export class GuestMemory {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #halves: Uint16Array;
  readonly #written: ((address: number, bytes: number) => void) | undefined;

  /** `written` is told of what the device stored into guest RAM: translations of code there are stale. */
  constructor(ram: Uint8Array, written?: (address: number, bytes: number) => void) {
    this.bytes = ram;
    this.#view = new DataView(ram.buffer, ram.byteOffset, ram.length);
    this.#halves = new Uint16Array(ram.buffer, ram.byteOffset, ram.length >> 1);
    this.#written = written;
  }

  /** True where [address, address + length) is RAM; `high` is the upper half of a 64-bit address. */
  contains(address: number, high: number, length: number): boolean {
    return high === 0 && address + length <= this.bytes.length;
  }

  u16(address: number): number {
    return this.#view.getUint16(address, true);
  }

  u32(address: number): number {
    return this.#view.getUint32(address, true);
  }

  setU32(address: number, value: number): void {
    this.#view.setUint32(address, value, true);
  }

  /** A word that the guest's CPUs write while we look (even address): everything they stored before is seen after it. */
  loadIndex(address: number): number {
    return Atomics.load(this.#halves, address >>> 1);
  }

  /** Publishes everything stored before. */
  storeIndex(address: number, value: number): void {
    Atomics.store(this.#halves, address >>> 1, value);
  }

  view(segment: Segment): Uint8Array {
    return this.bytes.subarray(segment.address, segment.address + segment.length);
  }

  /** Copies from the segments, `offset` bytes in, until `into` is full or they end; the number of bytes copied. */
  gather(segments: readonly Segment[], offset: number, into: Uint8Array): number {
    let done = 0;
    for (const one of slice(segments, offset, into.length)) {
      into.set(this.view(one), done);
      done += one.length;
    }
    return done;
  }

  /** Copies `from` into the segments, `offset` bytes in; what does not fit is left out. The number of bytes copied. */
  scatter(segments: readonly Segment[], offset: number, from: Uint8Array): number {
    let done = 0;
    for (const one of slice(segments, offset, from.length)) {
      this.bytes.set(from.subarray(done, done + one.length), one.address);
      this.#written?.(one.address, one.length);
      done += one.length;
    }
    return done;
  }

  /** Somebody stored into these through a view. */
  written(segments: readonly Segment[]): void {
    if (this.#written === undefined) return;
    for (const one of segments) this.#written(one.address, one.length);
  }
}

/** The part [offset, offset + length) of a scattered buffer, as far as it goes. */
export function slice(segments: readonly Segment[], offset: number, length: number): Segment[] {
  const out: Segment[] = [];
  let skip = offset;
  let left = length;
  for (const one of segments) {
    if (left <= 0) break;
    if (skip >= one.length) {
      skip -= one.length;
      continue;
    }
    const take = Math.min(one.length - skip, left);
    out.push({ address: one.address + skip, length: take });
    skip = 0;
    left -= take;
  }
  return out;
}
