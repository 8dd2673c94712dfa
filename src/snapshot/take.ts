// Takes a snapshot: copies all of a machine that stands still, in one go, and packs it while the machine goes on.
import type { SharedMemory } from '../cpu/state.ts';
import type { Chipset } from '../devices/chipset.ts';
import type { Disk } from '../disks/disk.ts';
import { CONTROL, Control, controlWord, PAGE, RAM, ROM, ROM_BYTES } from '../layout/memory.ts';
import type { BoardConfig } from '../machine/board/board.ts';
import { readBase } from './base.ts';
import { saveControl } from './control-fields.ts';
import { SAVED_CPU_FIELDS, saveCpu } from './cpu-fields.ts';
import { describePieces, saveDevices, saveKept } from './devices.ts';
import { beginDisks, indexOf, type SavedDisk, sectorsOf } from './disks.ts';
import { checkKept, type SavedLockstep, type SnapshotHeader } from './header.ts';
import { type BasePages, savePages } from './pages.ts';
import { writeSnapshot } from './stream.ts';

/** What of a lockstep machine is neither in its memory nor in its header: `inputs` by their kinds, with their bytes. */
export interface LockstepState {
  readonly state: Omit<SavedLockstep, 'inputs' | 'engine' | 'relax' | 'maxRegions'>;
  readonly inputs: readonly { readonly kind: 'serial' | 'virtioConsole' | 'frame'; readonly bytes: Uint8Array }[];
}

/** A machine whose CPUs are threads is what these are; of one in lockstep there is more. */
export interface Snapshotted {
  readonly shared: SharedMemory;
  readonly chipset: Chipset;
  readonly config: BoardConfig;
  /** In their order. */
  readonly disks: readonly Disk[];
  /** SHA-256 of the kernel or the ROM. */
  readonly guest: string;
  readonly engine: 'jit' | 'interpreter';
  readonly maxRegions: number | undefined;
  /** Its maker's. */
  readonly note: string | undefined;
  /** Saves what a lockstep machine has, and forgets what one that goes on from here does not know. Undefined: it is none. */
  readonly lockstep: (() => LockstepState) | undefined;
}

interface Taken {
  readonly header: SnapshotHeader;
  readonly sections: readonly Uint8Array[];
  readonly pages: Iterable<Uint8Array>;
  readonly disks: readonly SavedDisk[];
}

function take(machine: Snapshotted, base: BasePages | undefined, disks: readonly SavedDisk[]): Taken {
  const { shared, chipset, config, guest, engine, maxRegions, note } = machine;
  const { plan, u8, i32 } = shared;
  const { hub } = chipset;
  const lockstep = machine.lockstep?.();
  const cpus = Array.from({ length: plan.cpuCount }, (_, n) => saveCpu(shared, n));
  const kept = [...saveKept(hub)];
  const { virtio } = config;
  const hasRom = i32[controlWord(Control.at.romBytes)] !== 0;
  const now = hub.clock.now();
  const { kinds, store } = savePages(u8.subarray(RAM, RAM + plan.ramBytes), base);
  const header: SnapshotHeader = {
    machine: {
      cpus: plan.cpuCount,
      memoryBytes: plan.ramBytes,
      debugExitPort: config.debugExitPort,
      testDevice: config.testDevice,
      virtioConsole: virtio.console ?? false,
      debugConsole: config.debugConsole,
      net: virtio.net?.[0]?.mac,
      shares: virtio.shares ?? [],
      disks: (virtio.disks ?? []).map(({ capacitySectors, readOnly }, n) => ({
        sectors: capacitySectors,
        readOnly: readOnly ?? false,
        image: disks[n]!.image,
        overlay: disks[n]!.overlay?.clusters.size,
      })),
    },
    guest,
    clock: {
      ns: now,
      seen: Math.min(new Float64Array(u8.buffer, CONTROL + Control.at.clockSeen, 1)[0]!, now),
      startWallMs: config.startWallMs,
    },
    lockstep: lockstep && {
      ...lockstep.state,
      inputs: lockstep.inputs.map(({ kind, bytes }) => ({ kind, bytes: bytes.length })),
      engine,
      relax: i32[controlWord(Control.at.relax)]!,
      maxRegions,
    },
    note,
    base: base?.id,
    pages: store.count,
    rom: hasRom,
    control: saveControl(shared),
    cpuFields: SAVED_CPU_FIELDS,
    records: describePieces(hub),
    kept: kept.map(([device, pieces]) => ({ device, bytes: pieces.map(({ length }) => length) })),
  };
  checkKept(header);
  return {
    header,
    sections: [
      ...cpus,
      saveDevices(hub, shared),
      ...kept.flatMap(([, pieces]) => pieces),
      ...(lockstep?.inputs ?? []).map(({ bytes }) => bytes),
      ...(hasRom ? [u8.slice(ROM, ROM + ROM_BYTES)] : []),
      kinds,
      ...disks.flatMap(({ overlay }) => (overlay === undefined ? [] : [indexOf(overlay)])),
    ],
    pages: store.bytes(),
    disks,
  };
}

/** `still`: runs something while no CPU runs; the machine goes on behind it. `base`: a snapshot that this one is saved against. Throws BAD_SNAPSHOT where that is none. */
export async function takeSnapshot(
  machine: Snapshotted,
  base: Uint8Array | undefined,
  still: <T>(work: () => T) => Promise<T>,
): Promise<Uint8Array> {
  const pages = base === undefined ? undefined : await readBase(base, machine.shared.plan.ramBytes / PAGE);
  const lookAtDisks = await beginDisks(machine.disks);
  const { header, sections, pages: bytes, disks } = await still(() => take(machine, pages, lookAtDisks()));
  try {
    return await writeSnapshot(
      header,
      (function* () {
        yield* sections;
        yield* bytes;
        for (const { overlay } of disks) if (overlay !== undefined) yield* sectorsOf(overlay);
      })(),
    );
  } finally {
    for (const { overlay } of disks) overlay?.release();
  }
}
