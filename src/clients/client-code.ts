// A CPU's handlers for the clients of a list. Apart from all else, as it brings what makes handlers with it: a thread loads it when there is a client.
import type { Instance } from '../cpu/runtime.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { instrumentsAsked } from '../instrument/index.ts';
import { controlWord } from '../layout/memory.ts';
import { ClientCalls } from './calls.ts';
import type { MakeClient } from './client.ts';
import { ClientHandlers } from './handlers.ts';
import { makeClients } from './instruments.ts';
import type { ClientEntry } from './table.ts';

/** What a CPU has of its clients. */
export interface ClientCode {
  readonly handlers: ClientHandlers;
  readonly calls: ClientCalls;
}

/** `cpu`: address of its state. `load`: gives what a module exports. */
export function clientCode(
  instance: Instance,
  shared: SharedMemory,
  cpu: number,
  list: readonly ClientEntry[],
  load: (module: string) => MakeClient,
): ClientCode {
  const others = instrumentsAsked((offset) => shared.i32[controlWord(offset)]!);
  const clients = makeClients(shared, list, load);
  const instruments = clients.map(({ instrument }) => instrument);
  return { handlers: new ClientHandlers(instance, shared, others, instruments), calls: new ClientCalls(shared, cpu, clients) };
}
