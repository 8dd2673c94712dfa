// The clients that are attached to a machine, as all of its threads know them: a list as text in shared memory, which changes while no CPU runs. Each thread makes the clients anew by it
// (client-code.ts).
import { DragomanError } from '../api/errors.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { Level } from '../instrument/hooks.ts';
import { CLIENT_TABLE, CLIENT_TABLE_BYTES, Control, controlWord } from '../layout/memory.ts';
import type { MachineFacts, OptionTexts, Range } from './client.ts';
import type { Placed } from './room.ts';

/** A client in the list. */
export interface ClientEntry {
  /** Another one for each that was ever attached. */
  readonly id: number;
  /** Of a client that comes with Dragoman; else the address of its module. */
  readonly name: string;
  readonly module: string;
  readonly options: OptionTexts;
  readonly level: Level | undefined;
  readonly ranges: readonly Range[] | undefined;
  readonly placed: Placed;
}

const changes = controlWord(Control.at.clientChanges);

/** The list's version: another one behind each change. Odd while it changes. */
export const clientVersion = ({ i32 }: SharedMemory): number => Atomics.load(i32, changes);

/** Writes the list. No CPU runs. Throws BAD_OPTION where it is too long. */
export function writeClients(shared: SharedMemory, list: readonly ClientEntry[]): void {
  const text = new TextEncoder().encode(JSON.stringify(list));
  if (text.length + 4 > CLIENT_TABLE_BYTES) throw new DragomanError('BAD_OPTION', 'the options of all clients are too long', 'clients');
  Atomics.add(shared.i32, changes, 1);
  shared.i32[CLIENT_TABLE >> 2] = text.length;
  shared.u8.set(text, CLIENT_TABLE + 4);
  Atomics.add(shared.i32, changes, 1);
}

/** The list and its version. The thread may wait for whoever writes it. */
export function readClients(shared: SharedMemory): { readonly list: readonly ClientEntry[]; readonly version: number } {
  for (;;) {
    const version = clientVersion(shared);
    if ((version & 1) !== 0) continue;
    if (version === 0) return { list: [], version };
    const text = shared.u8.slice(CLIENT_TABLE + 4, CLIENT_TABLE + 4 + shared.i32[CLIENT_TABLE >> 2]!);
    if (clientVersion(shared) === version) return { list: JSON.parse(new TextDecoder().decode(text)), version };
  }
}

export const factsOf = ({ plan }: SharedMemory): MachineFacts => ({ cpus: plan.cpuCount, ramBytes: plan.ramBytes });
