// What a snapshot is of, by its header alone: for programs that are about to go on from one, and need to know what to give restore().
import type { SnapshotFacts, Source } from '../api/options.ts';
import { BYTES } from '../api/schema.ts';
import { readSource } from '../api/source.ts';
import { readHeader } from './header.ts';
import { SnapshotReader } from './stream.ts';

/** Reads the header. Rejects with BAD_SNAPSHOT where it is none that this version reads, NO_FILE, BAD_OPTION; what is damaged behind the header is found by restore() alone. */
export async function describeSnapshot(snapshot: Source): Promise<SnapshotFacts> {
  const reader = new SnapshotReader(BYTES.take(await readSource(snapshot), 'snapshot'));
  try {
    const { machine, lockstep, base, note } = readHeader(await reader.header());
    const { cpus, memoryBytes, disks } = machine;
    return {
      cpus,
      memoryBytes,
      disks: disks.length,
      lockstep: lockstep && { seed: lockstep.seed, engine: lockstep.engine },
      hasBase: base !== undefined,
      note,
    };
  } finally {
    reader.cancel();
  }
}
