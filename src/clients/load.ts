// Modules of clients: those that come with Dragoman, by their names, and any other by its address. What was loaded once on a thread is known there.
import { DragomanError } from '../api/errors.ts';
import { host } from '../host/node.ts';
import type { MakeClient } from './client.ts';

/** Addresses of modules that come with Dragoman, as they are when built: written out, so that bundlers see them. */
const OWN = {
  inscount: new URL('./inscount.js', import.meta.url),
  coverage: new URL('./coverage.js', import.meta.url),
  trace: new URL('./trace.js', import.meta.url),
  sharing: new URL('./sharing.js', import.meta.url),
  shadow: new URL('./shadow.js', import.meta.url),
  races: new URL('./races.js', import.meta.url),
} as const;
const CODE = new URL('./client-code.js', import.meta.url);
export type OwnClient = keyof typeof OWN;

/** Address of a module beside this one: .ts in the sources, .js when built. */
const beside = ({ href }: URL): string => (import.meta.url.endsWith('.ts') ? href.replace(/js$/, 'ts') : href);
export const ownModule = (name: OwnClient): string => beside(OWN[name]);
/** What makes handlers (client-code.ts), on a thread of a CPU, which has it when there is a client. */
export const clientCodeNow = (): typeof import('./client-code.ts') => host.requireModule(beside(CODE)) as typeof import('./client-code.ts');

const known = new Map<string, MakeClient>();

function made(module: string, exported: { readonly default?: unknown }): MakeClient {
  if (typeof exported.default !== 'function')
    throw new DragomanError('BAD_OPTION', `${module} exports no client: its default export is to be a function`, 'clients');
  const make = exported.default as MakeClient;
  known.set(module, make);
  return make;
}

/** Loads a module. Rejects with BAD_OPTION where it is none of a client's. */
export async function loadClient(module: string): Promise<MakeClient> {
  const before = known.get(module);
  if (before !== undefined) return before;
  let exported: { readonly default?: unknown };
  try {
    exported = (await import(/* @vite-ignore */ module)) as { readonly default?: unknown };
  } catch (cause) {
    throw new DragomanError('BAD_OPTION', `the client ${module} cannot be loaded: ${(cause as Error).message}`, 'clients', { cause });
  }
  return made(module, exported);
}

/** The same at once: on threads that never wait for their event loop. */
export function loadClientNow(module: string): MakeClient {
  return known.get(module) ?? made(module, host.requireModule(module) as { readonly default?: unknown });
}
