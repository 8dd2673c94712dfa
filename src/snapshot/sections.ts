// The sections of a snapshot up to its pages, in their order.
import { PAGE, ROM_BYTES } from '../layout/memory.ts';
import { SAVED_CPU_BYTES } from './cpu-fields.ts';
import { indexBytes } from './disks.ts';
import { readHeader, type SnapshotHeader } from './header.ts';
import { PageKind } from './pages.ts';
import { bad, type SnapshotReader } from './stream.ts';

export interface Sections {
  readonly header: SnapshotHeader;
  readonly cpus: readonly Uint8Array[];
  /** Shared state of the devices. */
  readonly devices: Uint8Array;
  /** By the numbers of devices. */
  readonly kept: ReadonlyMap<number, readonly Uint8Array[]>;
  readonly inputs: readonly Uint8Array[];
  readonly rom: Uint8Array | undefined;
  /** PageKind by page. */
  readonly kinds: Uint8Array;
  /** By disk: the index of what was written over it (disks.ts). */
  readonly overlays: readonly (Uint8Array | undefined)[];
}

/** Bytes of a piece of device state, as describePieces has it. */
function recordBytes(text: string): number {
  const bytes = Number(/^[^:]*: (\d+) /.exec(text)?.[1]);
  return Number.isInteger(bytes) ? bytes : bad('it is damaged: a record without a size');
}

async function takeAll(reader: SnapshotReader, sizes: readonly number[]): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for (const size of sizes) all.push(await reader.take(size));
  return all;
}

/** What readOverlays of disks.ts reads by. */
export const overlaid = ({ header, overlays }: Sections) => header.machine.disks.map(({ sectors }, n) => ({ sectors, index: overlays[n] }));

/** Reads a snapshot as far as its pages, whose bytes come next. `mostState`: bytes of device state that there may be. */
export async function readSections(reader: SnapshotReader, mostState: number): Promise<Sections> {
  const header = readHeader(await reader.header());
  const { machine, records, kept, lockstep } = header;
  const state = records.reduce((sum, text) => sum + recordBytes(text), 0);
  if (state > mostState) bad('it is damaged: too much state of devices');
  const cpus = await takeAll(reader, new Array<number>(machine.cpus).fill(SAVED_CPU_BYTES));
  const devices = await reader.take(state);
  const pieces = new Map<number, readonly Uint8Array[]>();
  for (const { device, bytes } of kept) pieces.set(device, await takeAll(reader, bytes));
  const inputs = await takeAll(
    reader,
    (lockstep?.inputs ?? []).map(({ bytes }) => bytes),
  );
  const rom = header.rom ? await reader.take(ROM_BYTES) : undefined;
  const kinds = await reader.take(machine.memoryBytes / PAGE);
  const here = kinds.reduce((sum, kind) => sum + (kind === PageKind.HERE ? 1 : 0), 0);
  const known = header.base === undefined ? PageKind.HERE : PageKind.BASE;
  if (here !== header.pages || kinds.some((kind) => kind > known)) bad('it is damaged: its pages are not those of its header');
  const overlays: (Uint8Array | undefined)[] = [];
  for (const { overlay } of machine.disks) overlays.push(overlay === undefined ? undefined : await reader.take(indexBytes(overlay)));
  return { header, cpus, devices, kept: pieces, inputs, rom, kinds, overlays };
}
