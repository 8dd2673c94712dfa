// Snapshots of the session's machine: to bytes, and back. The page's settings go along as the snapshot's note, written as in an address.
import { describeSnapshot, Machine } from '../../../src/api/index.ts';
import { readAddress, writeAddress } from './address.ts';
import { type Report, reportOf, type Session } from './session.ts';
import { defaultSettings, restoreOptions, type Settings } from './settings.ts';

/** Addresses beside the page's own, without what that says. */
const HERE = (): URL => new URL('?', document.baseURI);
const DEFAULTS: Settings = defaultSettings(1);

/** The machine stands still for a moment. Rejects as Machine.snapshot() does. */
export function saveSnapshot(machine: Machine, settings: Settings): Promise<Uint8Array> {
  return machine.snapshot({ note: writeAddress(HERE(), settings, DEFAULTS, { panel: undefined, tour: undefined }).search });
}

/** Ends the machine that runs, and goes on from a file. Resolves with what is wrong with it. */
export async function restoreSnapshot(session: Session, file: File): Promise<Report | undefined> {
  try {
    const facts = await describeSnapshot(file);
    const { cpus, memoryBytes, lockstep } = facts;
    // One of the command line's goes on as the form says.
    const noted =
      facts.note === undefined ? session.settings.value : readAddress(new URL(facts.note || '?', HERE()), DEFAULTS, []).settings;
    const settings: Settings = {
      ...noted,
      cpus,
      memory: memoryBytes,
      seed: lockstep?.seed,
      reverse: lockstep !== undefined && noted.reverse,
    };
    await session.start(settings, (own) => {
      // Its card has the address that is in the snapshot.
      const net = own.net && { ...own.net, mac: undefined };
      return Machine.restore(file, { ...restoreOptions(settings, facts, session.serai), ...own, net });
    });
    return undefined;
  } catch (error) {
    return reportOf(`${file.name} is no snapshot to go on from`, error);
  }
}
