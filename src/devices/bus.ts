// The machine's port space and memory-mapped I/O space, as one thread sees them. Handlers are objects of this thread;
// where a PCI base address register put them is shared state, so a generation word in shared memory tells every
// thread to look again before it makes an access. What a device has at a fixed place is its own: a second claim is an error. What the guest moves gets
// what is left, and covers nothing up.
import { DragomanError } from '../api/errors.ts';
import type { SharedWord } from '../layout/view.ts';
import type { AccessSize, MmioHandlers, MmioRead, MmioSpace, MmioWrite, PortHandlers, PortRead, PortSpace, PortWrite } from './device.ts';

/** Counts remaps of the address spaces. `listeners` bring this thread's tables up to date. */
export class BusGeneration {
  readonly word: SharedWord;
  readonly listeners: (() => void)[] = [];
  /** The generation this thread's tables stand for. */
  seen: number;

  constructor(word: SharedWord) {
    this.word = word;
    this.seen = word.load();
  }

  /** Has all threads, this one included, read the shared mapping again before the next access. */
  bump(): void {
    this.word.add(1);
  }

  refresh(): void {
    this.seen = this.word.load();
    for (const listener of this.listeners) listener();
  }
}

const ALL_ONES_READ: PortRead = () => 0xffffffff;
const IGNORE_WRITE: PortWrite = () => {};
const claimedTwice = (place: string, one: string, other: string): DragomanError =>
  new DragomanError('INTERNAL', `two devices claim ${place}: ${one} and ${other}`);

const sizeMask = (size: AccessSize): number => (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff);

/** All 65536 I/O ports: a table of handler numbers. */
export class Ports implements PortSpace {
  readonly #table = new Uint16Array(0x10000);
  readonly #reads: PortRead[] = [ALL_ONES_READ];
  readonly #writes: PortWrite[] = [IGNORE_WRITE];
  readonly #widths: AccessSize[] = [4];
  readonly #free: number[] = [];
  readonly #owners: string[] = ['nobody'];
  readonly #generation: BusGeneration;
  readonly #owner: () => string;

  /** `owner`: the name of the device that claims something. */
  constructor(generation: BusGeneration, owner: () => string) {
    this.#generation = generation;
    this.#owner = owner;
  }

  map(first: number, count: number, handlers: PortHandlers): void {
    for (let port = first; port < first + count; port++)
      if (this.claimed(port)) throw claimedTwice(`port 0x${port.toString(16)}`, this.#owners[this.#table[port]], this.#owner());
    this.#table.fill(this.#slot(handlers), first, first + count);
  }

  place(first: number, count: number, handlers: PortHandlers): () => void {
    const table = this.#table.subarray(first, first + count);
    const slot = this.#slot(handlers);
    table.forEach((other, n) => other === 0 && (table[n] = slot));
    return () => {
      table.forEach((other, n) => other === slot && (table[n] = 0));
      this.#reads[slot] = ALL_ONES_READ;
      this.#writes[slot] = IGNORE_WRITE;
      this.#free.push(slot);
    };
  }

  claimed(port: number): boolean {
    return this.#table[port] !== 0;
  }

  #slot(handlers: PortHandlers): number {
    const slot = this.#free.pop() ?? this.#reads.length;
    this.#reads[slot] = handlers.read ?? ALL_ONES_READ;
    this.#writes[slot] = handlers.write ?? IGNORE_WRITE;
    this.#widths[slot] = handlers.width ?? 1;
    this.#owners[slot] = this.#owner();
    return slot;
  }

  read(port: number, size: AccessSize): number {
    if (this.#generation.word.load() !== this.#generation.seen) this.#generation.refresh();
    return this.#read(port, size);
  }

  write(port: number, size: AccessSize, value: number): void {
    if (this.#generation.word.load() !== this.#generation.seen) this.#generation.refresh();
    this.#write(port, size, value >>> 0);
  }

  #read(at: number, size: AccessSize): number {
    const port = at & 0xffff;
    const slot = this.#table[port];
    if (size === 1) return this.#reads[slot](port, 1) & 0xff;
    if (this.#widths[slot] >= size && this.#table[(port + size - 1) & 0xffff] === slot) {
      return (this.#reads[slot](port, size) & sizeMask(size)) >>> 0;
    }
    if (size === 2) return this.#read(port, 1) | (this.#read(port + 1, 1) << 8);
    return (this.#read(port, 2) | (this.#read(port + 2, 2) << 16)) >>> 0;
  }

  #write(at: number, size: AccessSize, value: number): void {
    const port = at & 0xffff;
    const slot = this.#table[port];
    if (size === 1 || (this.#widths[slot] >= size && this.#table[(port + size - 1) & 0xffff] === slot)) {
      this.#writes[slot](port, size, (value & sizeMask(size)) >>> 0);
    } else if (size === 2) {
      this.#write(port, 1, value & 0xff);
      this.#write(port + 1, 1, value >>> 8);
    } else {
      this.#write(port, 2, value & 0xffff);
      this.#write(port + 2, 2, value >>> 16);
    }
  }
}

interface MmioRange {
  readonly owner: string;
  /** Where offset 0 is. */
  readonly base: number;
  readonly first: number;
  /** First address behind the range. */
  readonly end: number;
  readonly read: MmioRead;
  readonly write: MmioWrite;
}

/** Guest physical addresses outside RAM: ranges in ascending order. */
export class Mmio implements MmioSpace {
  #ranges: MmioRange[] = [];
  /** The range of the last access: most accesses come in runs. */
  #last: MmioRange | undefined;
  readonly #generation: BusGeneration;
  readonly #owner: () => string;

  /** `owner`: the name of the device that claims something. */
  constructor(generation: BusGeneration, owner: () => string) {
    this.#generation = generation;
    this.#owner = owner;
  }

  map(base: number, bytes: number, handlers: MmioHandlers): void {
    const other = this.#ranges.find((range) => range.first < base + bytes && range.end > base);
    if (other !== undefined) throw claimedTwice(`the memory at 0x${Math.max(base, other.first).toString(16)}`, other.owner, this.#owner());
    this.#add([{ owner: this.#owner(), base, first: base, end: base + bytes, ...handlers }]);
  }

  place(base: number, bytes: number, handlers: MmioHandlers): () => void {
    const end = base + bytes;
    const pieces: MmioRange[] = [];
    let first = base;
    // The ranges are in order, and the last one is behind them all.
    for (const other of [...this.#ranges, { first: end, end }]) {
      if (other.first > first && first < end)
        pieces.push({ owner: this.#owner(), base, first, end: Math.min(other.first, end), ...handlers });
      first = Math.max(first, other.end);
    }
    this.#add(pieces);
    return () => {
      this.#ranges = this.#ranges.filter((range) => !pieces.includes(range));
      this.#last = undefined;
    };
  }

  #add(ranges: readonly MmioRange[]): void {
    this.#ranges = [...this.#ranges, ...ranges].sort((a, b) => a.first - b.first);
    this.#last = undefined;
  }

  /** Reads at guest physical `address` (signed or unsigned); all ones where nothing answers. */
  read(address: number, size: AccessSize): number {
    if (this.#generation.word.load() !== this.#generation.seen) this.#generation.refresh();
    const phys = address >>> 0;
    const range = this.#find(phys);
    if (range !== undefined && phys + size <= range.end) return (range.read(phys - range.base, size) & sizeMask(size)) >>> 0;
    if (size === 1 || !this.#anyIn(phys, phys + size)) return sizeMask(size) >>> 0;
    let value = 0;
    for (let i = 0; i < size; i++) {
      const part = this.#find(phys + i);
      value |= (part === undefined ? 0xff : part.read(phys + i - part.base, 1) & 0xff) << (8 * i);
    }
    return value >>> 0;
  }

  write(address: number, size: AccessSize, value: number): void {
    if (this.#generation.word.load() !== this.#generation.seen) this.#generation.refresh();
    const phys = address >>> 0;
    const range = this.#find(phys);
    if (range !== undefined && phys + size <= range.end) {
      range.write(phys - range.base, size, (value & sizeMask(size)) >>> 0);
      return;
    }
    if (size === 1 || !this.#anyIn(phys, phys + size)) return;
    for (let i = 0; i < size; i++) {
      const part = this.#find(phys + i);
      if (part !== undefined) part.write(phys + i - part.base, 1, (value >>> (8 * i)) & 0xff);
    }
  }

  #anyIn(from: number, to: number): boolean {
    return this.#find(from) !== undefined || this.#find(to - 1) !== undefined;
  }

  #find(phys: number): MmioRange | undefined {
    const last = this.#last;
    if (last !== undefined && phys >= last.first && phys < last.end) return last;
    const ranges = this.#ranges;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ranges[middle].end <= phys) low = middle + 1;
      else high = middle;
    }
    const range = ranges[low];
    if (range === undefined || phys < range.first) return undefined;
    this.#last = range;
    return range;
  }
}
