// Snapshots of the session's machine: to bytes, and back. The page's settings go along as the snapshot's note, written as in an address.
import { DragomanError, describeSnapshot, Machine } from '../../../src/api/index.ts';
import { readAddress, writeAddress } from './address.ts';
import { type Report, reportOf, type Session } from './session.ts';
import { defaultSettings, restoreOptions, type Settings } from './settings.ts';

/** Addresses beside the page's own. */
const HERE = (): URL => new URL(document.baseURI);
const DEFAULTS: Settings = defaultSettings(1);

/** The machine stands still for a moment. Rejects as Machine.snapshot() does. */
export function saveSnapshot(machine: Machine, settings: Settings): Promise<Uint8Array> {
  return machine.snapshot({ note: writeAddress(HERE(), settings, DEFAULTS, { panel: undefined, tour: undefined }).search });
}

/** Names of a kernel that a page can fetch: a machine from a snapshot has no file to take them from. */
async function loadNames(machine: Machine, kernel: URL): Promise<void> {
  try {
    const response = await fetch(kernel);
    if (response.ok) machine.loadSymbols(new Uint8Array(await response.arrayBuffer()));
  } catch (error) {
    // It has none, or is gone: the machine goes on without.
    if (!(error instanceof DragomanError || error instanceof TypeError)) throw error;
  }
}

/** Ends the machine that runs, and goes on from a file. Resolves with what is wrong with it. */
export async function restoreSnapshot(session: Session, file: File): Promise<Report | undefined> {
  try {
    const facts = await describeSnapshot(file);
    const { cpus, memoryBytes, lockstep } = facts;
    const noted = readAddress(new URL(facts.note ?? '', HERE()), DEFAULTS, []).settings;
    const settings: Settings = {
      ...noted,
      cpus,
      memory: memoryBytes,
      seed: lockstep?.seed,
      reverse: lockstep !== undefined && noted.reverse,
    };
    const kernel = settings.kernel ?? session.serai;
    await session.start(settings, async (own) => {
      const machine = await Machine.restore(file, { ...restoreOptions(settings, facts, session.serai), ...own });
      if (kernel instanceof URL && facts.note !== undefined) await loadNames(machine, kernel);
      return machine;
    });
    return undefined;
  } catch (error) {
    return reportOf(`${file.name} is no snapshot to go on from`, error);
  }
}
