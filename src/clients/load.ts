// Modules of clients by their addresses; those that come with Dragoman have addresses of their own. What was loaded once on a thread is known there.
import { DragomanError } from '../api/errors.ts';
import type { MakeClient } from './client.ts';

const OWN = 'dragoman:';
/** The address of a client that comes with Dragoman. */
export const ownModule = (name: string): string => `${OWN}${name}`;

/** How a thread comes by such a client, by its name. */
export type ImportOwn = (name: string) => Promise<MakeClient>;

const known = new Map<string, MakeClient>();

async function imported(module: string): Promise<MakeClient> {
  let exported: { readonly default?: unknown };
  try {
    exported = (await import(/* @vite-ignore */ /* webpackIgnore: true */ module)) as { readonly default?: unknown };
  } catch (cause) {
    throw new DragomanError('BAD_OPTION', `the client ${module} cannot be loaded: ${(cause as Error).message}`, 'clients', { cause });
  }
  if (typeof exported.default !== 'function')
    throw new DragomanError('BAD_OPTION', `${module} exports no client: its default export is to be a function`, 'clients');
  return exported.default as MakeClient;
}

/** Loads a module. Rejects with BAD_OPTION where it is none of a client's. */
export async function loadClient(module: string, importOwn: ImportOwn): Promise<MakeClient> {
  const before = known.get(module);
  if (before !== undefined) return before;
  const make = module.startsWith(OWN) ? await importOwn(module.slice(OWN.length)) : await imported(module);
  known.set(module, make);
  return make;
}

/** Whether that has been done on this thread. */
export const isLoaded = (module: string): boolean => known.has(module);

/** What was loaded on this thread. */
export function loadedClient(module: string): MakeClient {
  const make = known.get(module);
  if (make === undefined) throw new DragomanError('INTERNAL', `the client ${module} was not loaded on this thread`);
  return make;
}
