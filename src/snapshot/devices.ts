// The devices in a snapshot: their shared state as it is, and what their objects on the host's thread keep.
import { DragomanError } from '../api/errors.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { DeviceHub, Piece } from '../devices/hub.ts';
import { LockState } from '../devices/lock.ts';
import { DEVICE_STATE } from '../layout/memory.ts';
import { bad } from './stream.ts';

/** A piece of device state by its owner, its fields and where they are: the same in two versions that mean the same by it. */
function describe({ owner, record }: Piece): string {
  const fields = Object.keys(record.fields).map((name) => `${name}@${(record.at as Record<string, number>)[name]}`);
  return `${owner}: ${record.size} ${fields.join(' ')}`;
}
export const describePieces = (hub: DeviceHub): string[] => hub.pieces.map(describe);

const sizeOf = (hub: DeviceHub): number => hub.pieces.reduce((sum, { record }) => sum + record.size, 0);

/** The shared state of all devices. No thread is inside one. */
export function saveDevices(hub: DeviceHub, { u8 }: SharedMemory): Uint8Array {
  if (hub.lock.owner !== 0) throw new DragomanError('INTERNAL', `thread ${hub.lock.owner} is inside a device`);
  const bytes = new Uint8Array(sizeOf(hub));
  let to = 0;
  for (const { at, record } of hub.pieces) {
    bytes.set(u8.subarray(DEVICE_STATE + at, DEVICE_STATE + at + record.size), to);
    to += record.size;
  }
  return bytes;
}

/** What a snapshot has of the devices. */
export interface SavedDevices {
  readonly records: readonly string[];
  readonly state: Uint8Array;
  /** By the numbers of devices. */
  readonly kept: ReadonlyMap<number, readonly Uint8Array[]>;
}

export const saveKept = (hub: DeviceHub): ReadonlyMap<number, readonly Uint8Array[]> =>
  new Map(
    hub.devices.flatMap((device, n) => {
      const saved = device.save?.() ?? [];
      return saved.some(({ length }) => length > 0) ? [[n, saved] as const] : [];
    }),
  );

/** Puts it into the devices of a machine that has just been built. Throws BAD_SNAPSHOT where they are others. */
export function putDevices(hub: DeviceHub, { u8 }: SharedMemory, { records, state, kept }: SavedDevices): void {
  const here = describePieces(hub);
  const other = Math.max(here.length, records.length);
  for (let n = 0; n < other; n++) {
    if (here[n] === records[n]) continue;
    const [one, two] = [here[n], records[n]].map((text) => text?.split(':')[0]);
    bad(
      `its devices are not those of this version of Dragoman: where it has ${two ?? 'none'}, there is ${one ?? 'none'}${one === two ? ' with other state' : ''}`,
    );
  }
  if (state.length !== sizeOf(hub)) bad('its devices have another size');
  let from = 0;
  for (const { at, record } of hub.pieces) {
    // Nobody was inside a device.
    if (record !== LockState) u8.set(state.subarray(from, from + record.size), DEVICE_STATE + at);
    from += record.size;
  }
  for (const [n, saved] of kept) if (hub.devices[n]?.restore?.(saved) !== true) bad('it is damaged: what waits for a device is not its');
  // Every thread maps what there is before its next access.
  hub.generation.bump();
}
