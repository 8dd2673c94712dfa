// The names of the kernel that the session's machine runs, where its file has none, or is no longer there: serai's are beside it, and those of a kernel that was fetched are fetched again.
import { DragomanError, type Machine } from '../../../src/api/index.ts';
import type { Session } from './session.ts';

const asked = new WeakMap<Machine, Promise<void>>();

async function load({ started, serai }: Session, machine: Machine): Promise<void> {
  const kernel = started.peek()?.kernel;
  const from = kernel === undefined ? new URL('serai.map', serai) : kernel;
  try {
    const response = await (from instanceof File ? new Response(from) : fetch(from));
    if (response.ok) machine.loadSymbols(new Uint8Array(await response.arrayBuffer()));
  } catch (error) {
    // It has none, or cannot be fetched: addresses have no names then.
    if (!(error instanceof DragomanError || error instanceof TypeError)) throw error;
  }
}

/** Resolves when the machine has what names there are. The first call loads them. */
export function loadNames(session: Session, machine: Machine): Promise<void> {
  let loading = asked.get(machine);
  if (loading === undefined) {
    loading = load(session, machine);
    asked.set(machine, loading);
  }
  return loading;
}
