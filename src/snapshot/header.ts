// The header of a snapshot: what the machine is made of, its clocks, and how long each section is. Read as anything from outside is: a header that is not this is BAD_SNAPSHOT.
import { DragomanError } from '../api/errors.ts';
import { defaults, integer, list, needed, oneOf, optional, plain, shape, type Taken } from '../api/kind.ts';
import { MOST_CPUS, MOST_DISKS } from '../api/options.ts';
import { ALL_RELAXATIONS } from '../api/relax.ts';
import { ENGINE, MAC, MAX_REGIONS, memoryBeside, NOTE, PORT, SEED, TEXT } from '../api/schema.ts';
import { MOST_SHARES, TAG } from '../api/shares.ts';
import { PAGE } from '../layout/memory.ts';
import { SAVED_CONTROL } from './control-fields.ts';
import { SAVED_CPU_FIELDS } from './cpu-fields.ts';
import { clustersOf } from './disks.ts';
import { bad } from './stream.ts';

/** Bytes that may wait for a guest, and pieces of them. */
export const MOST_KEPT_BYTES = 256 << 20;
const MOST_KEPT = 1 << 20;
const MOST_RECORDS = 4096;

const BOOLEAN = plain<boolean>('true or false', (value) => typeof value === 'boolean');
const finite = (what: string, least: number, most: number) =>
  plain<number>(what, (value) => typeof value === 'number' && value >= least && value <= most);
/** A century of nanoseconds: a double counts them by eights. */
const NS = finite('a time', 0, 3.2e18);
const HASH = plain<string>('a SHA-256', (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value));
const WORD = integer('a word', -(2 ** 31), 2 ** 31 - 1);
const COUNT = integer('a number', 0, Number.MAX_SAFE_INTEGER);
const BYTES_KEPT = integer('a number of bytes', 0, MOST_KEPT_BYTES);
const TEXTS = list(TEXT, MOST_RECORDS);

const SLICE = shape({
  cpu: needed(integer('a CPU', 0, MOST_CPUS - 1)),
  length: needed(COUNT),
  left: needed(integer('a number', -(2 ** 31), 2 ** 31 - 1)),
  ns: needed(finite('a time', 0, 1e3)),
  start: needed(NS),
});

const LOCKSTEP = shape({
  seed: needed(SEED),
  turns: needed(COUNT),
  ns: needed(NS),
  /** States of the two generators: of turns, and of the entropy device. */
  choices: needed(WORD),
  entropy: needed(WORD),
  slice: optional(SLICE),
  /** Inputs that wait for the end of a turn: bytes of each in the section of inputs. */
  inputs: needed(list(shape({ kind: needed(oneOf('serial', 'virtioConsole', 'frame')), bytes: needed(BYTES_KEPT) }), MOST_KEPT)),
  engine: needed(ENGINE),
  relax: needed(integer('relaxations', 0, ALL_RELAXATIONS)),
  maxRegions: optional(MAX_REGIONS),
});

const DISK = shape({
  sectors: needed(COUNT),
  readOnly: needed(BOOLEAN),
  /** What its image was like (disks/image.ts). */
  image: optional(shape({ hash: needed(HASH), modifiedMs: optional(finite('a time', -8.64e15, 8.64e15)) })),
  /** Clusters that were written over it; undefined: it has no overlay. */
  overlay: optional(COUNT),
});

const HEADER = shape({
  machine: needed(
    shape({
      cpus: needed(integer('a number of CPUs', 1, MOST_CPUS)),
      memoryBytes: needed(COUNT),
      debugExitPort: optional(PORT),
      testDevice: needed(BOOLEAN),
      virtioConsole: needed(BOOLEAN),
      debugConsole: needed(BOOLEAN),
      /** The network card's address. */
      net: optional(MAC),
      shares: defaults(list(shape({ tag: needed(TAG), readOnly: needed(BOOLEAN) }), MOST_SHARES), []),
      disks: needed(list(DISK, MOST_DISKS)),
    }),
  ),
  /** SHA-256 of the kernel, or of the ROM: whose translations are kept. */
  guest: needed(HASH),
  /** The guest's clock, nanoseconds since power-on; what its timers have seen of it; and power-on, Unix milliseconds. */
  clock: needed(shape({ ns: needed(NS), seen: needed(NS), startWallMs: needed(finite('a time', 0, 8.64e15)) })),
  lockstep: optional(LOCKSTEP),
  /** Its maker's. */
  note: optional(NOTE),
  /** The snapshot that this one is saved against. */
  base: optional(HASH),
  pages: needed(COUNT),
  /** Whether there is a section of the ROM. */
  rom: defaults(BOOLEAN, false),
  control: needed(plain<Record<string, number>>('words', (value) => typeof value === 'object' && value !== null)),
  /** What the sections of CPUs and devices hold: another version of Dragoman may have other fields. */
  cpuFields: needed(TEXTS),
  records: needed(TEXTS),
  /** What devices keep on the host's side: their numbers, and the length of each piece. */
  kept: needed(list(shape({ device: needed(COUNT), bytes: needed(list(BYTES_KEPT, MOST_KEPT)) }), MOST_RECORDS)),
});
export type SnapshotHeader = Taken<typeof HEADER>;
export type SavedLockstep = Taken<typeof LOCKSTEP>;

const CHANGED = 'it was saved by another version of Dragoman';

/** Bytes of all sections of kept things and inputs. */
const keptBytes = ({ kept, lockstep }: SnapshotHeader): number =>
  [...kept.flatMap(({ bytes }) => bytes), ...(lockstep?.inputs ?? []).map(({ bytes }) => bytes)].reduce((sum, bytes) => sum + bytes, 0);

/** Throws BAD_SNAPSHOT. */
export function readHeader(json: unknown): SnapshotHeader {
  const damaged = (what: string): never => bad(`it is damaged, or ${CHANGED}: ${what}`);
  let header: SnapshotHeader;
  try {
    header = HEADER.take(json, 'header');
    memoryBeside(header.machine.cpus).take(header.machine.memoryBytes, 'memoryBytes');
  } catch (error) {
    if (error instanceof DragomanError) return damaged(error.message);
    throw error;
  }
  const { machine, lockstep, pages, control, cpuFields } = header;
  if (String(cpuFields) !== String(SAVED_CPU_FIELDS)) bad(`${CHANGED}, whose CPUs have other fields`);
  if (String(Object.keys(control)) !== String(SAVED_CONTROL)) bad(CHANGED);
  for (const [name, value] of Object.entries(control)) if (!Number.isInteger(value) || (value | 0) !== value) damaged(name);
  if (pages > machine.memoryBytes / PAGE) damaged('more pages than memory');
  for (const { sectors, overlay = 0 } of machine.disks) if (overlay > clustersOf(sectors)) damaged('more of a disk than there is');
  if (keptBytes(header) > MOST_KEPT_BYTES) damaged('too much input that waits');
  if (lockstep?.slice !== undefined && lockstep.slice.cpu >= machine.cpus) damaged('a CPU that there is not');
  return header;
}

/** The same before it is written: a guest that was sent more than this cannot be saved. Throws NOT_SUPPORTED. */
export function checkKept(header: SnapshotHeader): void {
  if (keptBytes(header) > MOST_KEPT_BYTES)
    throw new DragomanError('NOT_SUPPORTED', `not supported: more than ${MOST_KEPT_BYTES >> 20} MiB of input wait for the guest`);
}
