// A checkpoint: all that decides how a lockstep machine goes on, in this process' memory. What is in it is what a snapshot has (src/snapshot), and what is on its disks' overlays.
import type { SharedMemory } from '../cpu/state.ts';
import type { Chipset } from '../devices/chipset.ts';
import type { FrozenClusters } from '../disks/clusters.ts';
import type { Disk } from '../disks/disk.ts';
import { Overlay } from '../disks/overlay.ts';
import { Cpu } from '../layout/cpu.ts';
import { CONTROL, Control, controlWord, RAM, ROM, ROM_BYTES } from '../layout/memory.ts';
import type { Lockstep, SavedTurns } from '../machine/lockstep/lockstep.ts';
import type { SeededRandom } from '../machine/lockstep/random.ts';
import type { VirtualClock } from '../machine/lockstep/virtual-clock.ts';
import { putControl, type SavedControl, saveControl } from '../snapshot/control-fields.ts';
import { saveCpu } from '../snapshot/cpu-fields.ts';
import { describePieces, putDevices, saveDevices } from '../snapshot/devices.ts';
import { copyPages, type Pages, putPages } from './pages.ts';
import type { Position } from './position.ts';

/** What a machine is made of, as far as it is in a checkpoint. */
export interface Checkpointed {
  readonly shared: SharedMemory;
  readonly chipset: Chipset;
  readonly disks: readonly Disk[];
  readonly lockstep: Lockstep;
  readonly clock: VirtualClock;
  /** Of the entropy device. */
  readonly random: SeededRandom;
}

export interface Checkpoint {
  readonly position: Position;
  /** What comes behind it does not follow from what is before it: somebody else has changed the machine there. */
  readonly isBreak: boolean;
  readonly pages: Pages;
  readonly rom: Uint8Array | undefined;
  /** By CPU. */
  readonly cpus: readonly { readonly saved: Uint8Array; readonly count: number }[];
  readonly turns: SavedTurns;
  readonly entropy: number;
  readonly control: SavedControl;
  readonly clockSeen: number;
  readonly devices: Uint8Array;
  readonly kept: ReadonlyMap<number, readonly Uint8Array[]>;
  readonly overlays: readonly (FrozenClusters | undefined)[];
}

/** Instructions of all CPUs since power-on. */
export const executedAt = ({ cpus }: Checkpoint): number => cpus.reduce((sum, { count }) => sum + count, 0);

/** What the host has told a CPU that is about to go on: how many steps, and to go past a breakpoint. */
const ON_THE_WAY = [Cpu.at.stepsLeft, Cpu.at.debugPass];

const ramOf = ({ u8, plan }: SharedMemory): Uint8Array => u8.subarray(RAM, RAM + plan.ramBytes);
const clockSeen = ({ u8 }: SharedMemory): Float64Array => new Float64Array(u8.buffer, CONTROL + Control.at.clockSeen, 1);

/** CPUs forget all that they know of code, and what they have looked up; where the turns are. */
export function forget(lockstep: Lockstep): SavedTurns {
  const own = lockstep.cpus.map((cpu) => ON_THE_WAY.map((offset) => cpu.get(offset)));
  const turns = lockstep.save();
  for (const [n, cpu] of lockstep.cpus.entries()) ON_THE_WAY.forEach((offset, k) => cpu.set(offset, own[n]![k]!));
  return turns;
}

/** Of a machine that stands still. Its CPUs forget all that they know of code: so whoever goes on from here, at once or from the checkpoint, knows the same. `before`: the last checkpoint, whose pages may be shared. */
export function takeCheckpoint(machine: Checkpointed, position: Position, isBreak: boolean, before: Checkpoint | undefined): Checkpoint {
  const { shared, chipset, disks, lockstep, random } = machine;
  const { hub } = chipset;
  const turns = forget(lockstep);
  const hasRom = shared.i32[controlWord(Control.at.romBytes)] !== 0;
  return {
    position,
    isBreak,
    pages: copyPages(ramOf(shared), before?.pages),
    rom: hasRom ? (before?.rom ?? shared.u8.slice(ROM, ROM + ROM_BYTES)) : undefined,
    cpus: lockstep.cpus.map(({ index }) => ({ saved: saveCpu(shared, index), count: lockstep.count(index) })),
    turns,
    entropy: random.state,
    control: saveControl(shared),
    clockSeen: clockSeen(shared)[0]!,
    devices: saveDevices(hub, shared),
    kept: new Map(hub.devices.flatMap((device, n) => (device.save === undefined ? [] : [[n, device.save()] as const]))),
    overlays: disks.map((disk) => (disk instanceof Overlay ? disk.clusters.freeze() : undefined)),
  };
}

export function putCheckpoint(machine: Checkpointed, checkpoint: Checkpoint): void {
  const { shared, chipset, disks, lockstep, clock, random } = machine;
  const { hub } = chipset;
  putPages(ramOf(shared), checkpoint.pages);
  if (checkpoint.rom !== undefined) shared.u8.set(checkpoint.rom, ROM);
  putControl(shared, checkpoint.control);
  clockSeen(shared)[0] = checkpoint.clockSeen;
  const generation = hub.generation.word.load();
  putDevices(hub, shared, { records: describePieces(hub), state: checkpoint.devices, kept: checkpoint.kept });
  // No table of the address spaces that was made meanwhile is taken for one of then.
  hub.generation.word.store(generation);
  hub.generation.bump();
  checkpoint.overlays.forEach((frozen, n) => {
    const disk = disks[n];
    if (frozen !== undefined && disk instanceof Overlay) disk.clusters.putBack(frozen);
  });
  clock.set(checkpoint.position.ns);
  random.state = checkpoint.entropy;
  lockstep.putBack(checkpoint.turns, checkpoint.cpus);
}

export function dropCheckpoint({ overlays }: Checkpoint): void {
  for (const frozen of overlays) frozen?.release();
}
