// Reads a snapshot into the memory of a machine that is about to be built, and puts what it has of CPUs and devices into that machine.
import { DragomanError } from '../api/errors.ts';
import type { RestoreOptions, Source } from '../api/options.ts';
import { BYTES, type Settings } from '../api/schema.ts';
import { readSource } from '../api/source.ts';
import type { RuntimeExports } from '../cpu/runtime.ts';
import { createMemory, type SharedMemory } from '../cpu/state.ts';
import type { Chipset } from '../devices/chipset.ts';
import type { ClusterStore } from '../disks/clusters.ts';
import type { Disk } from '../disks/disk.ts';
import { host } from '../host/node.ts';
import { CONTROL, Control, controlWord, DEVICE_STATE_BYTES, PAGE, planMemory, RAM, ROM, ROM_BYTES } from '../layout/memory.ts';
import { readBase } from './base.ts';
import { putControl } from './control-fields.ts';
import { putCpu } from './cpu-fields.ts';
import { putDevices } from './devices.ts';
import { checkImages, readOverlays } from './disks.ts';
import type { SnapshotHeader } from './header.ts';
import { type BasePages, PageKind, stretchesOf } from './pages.ts';
import { overlaid, readSections, type Sections } from './sections.ts';
import { settingsOf } from './settings.ts';
import { bad, SnapshotReader } from './stream.ts';

/** What a machine that goes on from a snapshot is built from. */
export class Saved {
  readonly header: SnapshotHeader;
  /** With the RAM as it was. */
  readonly shared: SharedMemory;
  /** By disk: what was written over it. */
  readonly overlays: readonly (ClusterStore | undefined)[];
  readonly #sections: Sections;
  /** Whether the options leave to the snapshot what code relies on. */
  readonly #relaxes: boolean;

  constructor(sections: Sections, shared: SharedMemory, overlays: readonly (ClusterStore | undefined)[], relaxes: boolean) {
    this.header = sections.header;
    this.shared = shared;
    this.overlays = overlays;
    this.#sections = sections;
    this.#relaxes = relaxes;
  }

  /** Inputs that wait for the end of a turn of a lockstep machine. */
  get inputs(): { readonly kind: 'serial' | 'virtioConsole' | 'frame'; readonly bytes: Uint8Array }[] {
    return (this.header.lockstep?.inputs ?? []).map(({ kind }, n) => ({ kind, bytes: this.#sections.inputs[n]! }));
  }

  /** Rejects with BAD_OPTION where the disks that were opened are not as they were. `names`: for people. */
  async checkDisks(disks: readonly Disk[], names: readonly string[]): Promise<void> {
    this.header.machine.disks.forEach(({ sectors }, n) => {
      const here = disks[n]!.sectors;
      if (here !== sectors)
        throw new DragomanError('BAD_OPTION', `the snapshot has one of ${sectors} sectors, and this has ${here}`, `disks[${n}]`);
    });
    await checkImages(disks, this.header.machine.disks, names);
  }

  /** No machine is made of it. */
  dropDisks(): void {
    for (const store of this.overlays) store?.close();
  }

  /** Puts all but the RAM into a machine whose CPUs and devices are in their power-on states. Throws BAD_SNAPSHOT where these are others. */
  putBack(chipset: Chipset, runtime: RuntimeExports): void {
    const { shared, header } = this;
    const { cpus, devices, kept, rom } = this.#sections;
    const { control, lockstep, records, clock } = header;
    const romBytes = control.romBytes!;
    if (romBytes < 0 || romBytes > ROM_BYTES || romBytes > 0 !== header.rom) bad('it is damaged: its ROM');
    putControl(shared, control);
    if (rom !== undefined) shared.u8.set(rom, ROM);
    new Float64Array(shared.u8.buffer, CONTROL + Control.at.clockSeen, 1)[0] = clock.seen;
    if (lockstep !== undefined && this.#relaxes) shared.i32[controlWord(Control.at.relax)] = lockstep.relax;
    putDevices(chipset.hub, shared, { records, state: devices, kept });
    for (const [n, cpu] of cpus.entries()) putCpu(shared, n, cpu, runtime);
  }
}

/** The pages of the base that a snapshot wants. */
async function baseOf(header: SnapshotHeader, given: Uint8Array | undefined): Promise<BasePages | undefined> {
  if (header.base === undefined) return undefined;
  if (given === undefined) return bad('it was saved against a base: give that as well (option base, --base FILE)');
  if (host.sha256(given) !== header.base) return bad('it was saved against another base than this');
  return readBase(given, header.machine.memoryBytes / PAGE);
}

async function fillMemory(reader: SnapshotReader, { header, kinds }: Sections, base: BasePages | undefined): Promise<SharedMemory> {
  const { cpus, memoryBytes } = header.machine;
  const shared = createMemory(planMemory(cpus, memoryBytes));
  const ram = shared.u8.subarray(RAM, RAM + memoryBytes);
  for (const [first, end] of stretchesOf(kinds, PageKind.HERE)) await reader.fill(ram.subarray(first * PAGE, end * PAGE));
  for (const [first, end] of stretchesOf(kinds, PageKind.BASE))
    for (let page = first; page < end; page++) {
      if (base!.kinds[page] !== PageKind.HERE) bad('it is damaged: a page that its base has not');
      ram.set(base!.store.at(base!.places[page]!), page * PAGE);
    }
  return shared;
}

/**
 * Reads a snapshot. Throws BAD_SNAPSHOT where it is none that this version reads, NO_FILE, and BAD_OPTION where the options are none or contradict it. `begin`: is told what the machine will be before its
 * memory is read, which takes longest.
 */
export async function readSnapshot(
  from: Source,
  given: RestoreOptions,
  begin: (settings: Settings) => Promise<void>,
): Promise<{ readonly settings: Settings; readonly saved: Saved }> {
  const { base: baseFrom, ...options } = given;
  const bytes = BYTES.take(await readSource(from), 'snapshot');
  const baseBytes = baseFrom === undefined ? undefined : BYTES.take(await readSource(baseFrom), 'base');
  try {
    const reader = new SnapshotReader(bytes);
    try {
      const sections = await readSections(reader, DEVICE_STATE_BYTES);
      const settings = settingsOf(sections.header, options);
      await begin(settings);
      const base = await baseOf(sections.header, baseBytes);
      const shared = await fillMemory(reader, sections, base);
      const overlays = await readOverlays(reader, overlaid(sections), true);
      try {
        await reader.end();
      } catch (error) {
        for (const store of overlays) store?.close();
        throw error;
      }
      return { settings, saved: new Saved(sections, shared, overlays, options.relax === undefined && options.mode === undefined) };
    } finally {
      reader.cancel();
    }
  } catch (error) {
    // Which file it was.
    if (!(error instanceof DragomanError) || error.code !== 'BAD_SNAPSHOT' || typeof from !== 'string') throw error;
    throw new DragomanError(error.code, error.message, from, { cause: error });
  }
}
