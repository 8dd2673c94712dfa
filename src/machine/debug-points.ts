// The host's breakpoints: what its users set, and the table of them that the engine reads (Control.debugPoints).
import type { Breakpoint as PublicBreakpoint, WatchAccess } from '../api/debug.ts';
import { DragomanError } from '../api/errors.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { Breakpoint, BreakpointKind } from '../layout/cpu.ts';
import { CONTROL, Control, controlWord, DEBUG_POINTS } from '../layout/memory.ts';

const KINDS: Readonly<Record<WatchAccess, number>> = {
  read: BreakpointKind.READ,
  write: BreakpointKind.WRITE,
  readwrite: BreakpointKind.READ | BreakpointKind.WRITE,
};
/** A piece of a range that one entry of the table is for: aligned, so that it is in one page. */
const PIECE = 8;

interface Point {
  readonly kinds: number;
  readonly first: number;
  readonly length: number;
}

/** `length` bytes from `address` on, as aligned pieces of 1, 2, 4 or 8 bytes. */
function pieces(address: number, length: number, kinds: number): Point[] {
  const all: Point[] = [];
  for (let at = address; at < address + length; ) {
    let size = PIECE;
    while (at % size !== 0 || at + size > address + length) size /= 2;
    all.push({ kinds, first: at, length: size });
    at += size;
  }
  return all;
}

class Entry implements PublicBreakpoint {
  readonly kind: 'code' | 'data';
  readonly address: number;
  readonly length: number;
  readonly access: WatchAccess | undefined;
  readonly points: readonly Point[];
  hits = 0;
  readonly #remove: (entry: Entry) => Promise<void>;

  constructor(address: number, length: number, access: WatchAccess | undefined, remove: (entry: Entry) => Promise<void>) {
    this.kind = access === undefined ? 'code' : 'data';
    this.address = address;
    this.length = length;
    this.access = access;
    this.points =
      access === undefined ? [{ kinds: BreakpointKind.EXECUTE, first: address, length: 1 }] : pieces(address, length, KINDS[access]);
    this.#remove = remove;
  }
  remove(): Promise<void> {
    return this.#remove(this);
  }
}

export class DebugPoints {
  readonly #shared: SharedMemory;
  /** Runs something while no CPU does. */
  readonly #still: (change: () => void) => Promise<void>;
  readonly #entries = new Set<Entry>();
  /** Whose the entries of the table are. */
  #owners: readonly Entry[] = [];

  constructor(shared: SharedMemory, still: (change: () => void) => Promise<void>) {
    this.#shared = shared;
    this.#still = still;
  }

  /** `access`: undefined for an instruction. Throws HOST_LIMIT where there are too many. */
  async add(address: number, length: number, access: WatchAccess | undefined): Promise<PublicBreakpoint> {
    const entry = new Entry(address, length, access, (gone) => this.#remove(gone));
    const count = [...this.#entries, entry].reduce((sum, { points }) => sum + points.length, 0);
    if (count > DEBUG_POINTS)
      throw new DragomanError(
        'HOST_LIMIT',
        `there may be ${DEBUG_POINTS} breakpoints (one for each aligned 8 bytes of data); this would make ${count}`,
      );
    this.#entries.add(entry);
    await this.#still(() => this.#write());
    return entry;
  }

  async #remove(entry: Entry): Promise<void> {
    if (this.#entries.delete(entry)) await this.#still(() => this.#write());
  }

  #write(): void {
    const { i32 } = this.#shared;
    const table = [...this.#entries].flatMap((entry) => entry.points.map((point) => ({ entry, point })));
    this.#owners = table.map(({ entry }) => entry);
    table.forEach(({ point }, n) => {
      const at = CONTROL + Control.at.debugPoints + n * Breakpoint.size;
      i32[(at + Breakpoint.at.kinds) >> 2] = point.kinds;
      i32[(at + Breakpoint.at.first) >> 2] = point.first;
      i32[(at + Breakpoint.at.length) >> 2] = point.length;
    });
    i32[controlWord(Control.at.debugCount)] = table.length;
    i32[controlWord(Control.at.debugChanges)]!++;
  }

  /** A CPU stopped at entry `index` of the table: all breakpoints on that instruction, or the one on that data. */
  met(index: number): PublicBreakpoint[] {
    const all = this.#at(index);
    for (const entry of all) entry.hits++;
    return all;
  }

  #at(index: number): Entry[] {
    const owner = this.#owners[index];
    if (owner === undefined) return [];
    return owner.kind === 'code' ? this.#owners.filter(({ kind, address }) => kind === 'code' && address === owner.address) : [owner];
  }

  /** Whether there is one on the instruction at a linear address. */
  isAt(linear: number): boolean {
    return this.#owners.some(({ kind, address }) => kind === 'code' && address === linear);
  }
}
