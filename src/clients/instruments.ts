// The clients of a list as instruments, on a thread that makes code.

import type { SharedMemory } from '../cpu/state.ts';
import { hasHooks, type Level } from '../instrument/hooks.ts';
import type { Instrument } from '../instrument/instrument.ts';
import { codeLevel } from '../instrument/places.ts';
import type { Builder } from '../ir/builder.ts';
import { ClientBuilder } from './builder.ts';
import type { Client, MakeClient, Range } from './client.ts';
import { type ClientEntry, factsOf } from './table.ts';

/** What decides which code a client gets. */
export interface Scope {
  readonly level?: Level | undefined;
  readonly ranges?: readonly Range[] | undefined;
}

/** Whether a client gets code of a level at an EIP; undefined: some code of that level. */
export const isCovered = ({ level, ranges }: Scope, of: Level, eip: number | undefined): boolean =>
  (level === undefined || level === of) &&
  (ranges === undefined || eip === undefined || ranges.some(([from, to]) => eip >= from && eip < to));

/** A client of the list as an instrument. */
export function asInstrument({ id, name, placed, level, ranges }: ClientEntry, client: Client): Instrument {
  const scope: Scope = { level: level ?? client.level, ranges: ranges ?? client.ranges };
  const { block, instruction, access, branch, region, crossing, exactState = false } = client;
  const builder = (b: Builder, exact = exactState) => new ClientBuilder(b.code, placed, id, exact);
  const instrument: Instrument = {
    name: `client ${id} ${name}`,
    covers: (of, eip) => isCovered(scope, of, eip),
    ranges: scope.ranges,
    ...(block && {
      block: (b, { mode, engine, eip, instructions, level }) =>
        block.call(client, builder(b), {
          engine,
          eip,
          instructions,
          level: level ?? codeLevel(mode!),
        }),
    }),
    ...(instruction && { instruction: (b, at) => instruction.call(client, builder(b), at) }),
    ...(branch && { branch: (b, at) => branch.call(client, builder(b), at) }),
    ...(region && { region: (b, at) => region.call(client, builder(b), at) }),
    // Half of the state is that of the one side, half that of the other.
    ...(crossing && { crossing: (b, at) => crossing.call(client, builder(b, false), at) }),
    ...(access && { access: (b, at) => access.call(client, builder(b), at) }),
  };
  // A region that is left at its start is begun once more.
  return { ...instrument, repeats: !hasHooks(instrument) };
}

/** A client of the list, as a thread has it. */
export interface MadeClient {
  readonly entry: ClientEntry;
  readonly client: Client;
  readonly instrument: Instrument;
}

/** The clients of a list, on this thread. `load`: gives what a module exports. */
export const makeClients = (shared: SharedMemory, list: readonly ClientEntry[], load: (module: string) => MakeClient): MadeClient[] =>
  list.map((entry) => {
    const client = load(entry.module)(entry.options, factsOf(shared));
    return { entry, client, instrument: asInstrument(entry, client) };
  });

/** The same as instruments. */
export const instrumentsOf = (shared: SharedMemory, list: readonly ClientEntry[], load: (module: string) => MakeClient): Instrument[] =>
  makeClients(shared, list, load).map(({ instrument }) => instrument);
