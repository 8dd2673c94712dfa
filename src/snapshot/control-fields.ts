// What of the machine-wide control block is in a snapshot: as with CPUs (cpu-fields.ts), every field is of one kind.
import type { SharedMemory } from '../cpu/state.ts';
import { Control, controlWord } from '../layout/memory.ts';

/**
 * 'saved': the guest's, or what its code is found by. 'made': from the machine's options and its plan. 'clock': set from the guest's time. 'counter': for statistics. 'thread': what the
 * threads of this run tell each other. 'debug': the host's breakpoints.
 */
export type ControlFieldKind = 'saved' | 'made' | 'clock' | 'counter' | 'thread' | 'debug';
type ControlField = keyof typeof Control.at;

const KINDS: Readonly<Record<ControlFieldKind, readonly ControlField[]>> = {
  saved: ['romBytes', 'shadowRam', 'a20', 'directOrigin'],
  // biome-ignore format: by what they are
  made: [
    'cpuCount', 'ramBytes', 'cpus', 'cpuStride', 'pageMeta', 'relax', 'hotThreshold', 'hotWithin', 'stopOnFault', 'haltBehind', 'countInstructions', 'trace', 'traceRangeCount', 'traceFrom', 'traceRanges', 'strictOrder', 'lockstep',
    'pauseMask', 'prof', 'keptPages', 'lapics', 'lapicTable', 'mostRegions',
  ],
  clock: ['clockAsks', 'clockStart', 'clockChanges', 'clockLag', 'clockLagSince', 'clockSeen', 'paused', 'pausedAt'],
  // biome-ignore format: by what they are
  counter: [
    'statCacheHits', 'statCacheMisses', 'statRegions', 'statModuleBytes', 'statTranslateUs', 'statPublishUs', 'statFailedRegions', 'statFlushes', 'statModules',
  ],
  // biome-ignore format: by what they are
  thread: [
    'stop', 'epoch', 'heatHead', 'heatTail', 'heatSignal', 'ioSignal', 'timerSignal', 'slotNext', 'pointsNext', 'published', 'consumedSignal', 'encoder', 'dropped', 'exclusive', 'heatLock',
    'codeMapNext', 'asleepForGood', 'encoderFailed', 'timekeeperRest', 'clientChanges', 'clientTells', 'placed', 'flameHz',
    'regionLogEnd', 'regionLogFirst', 'regionsLogged',
  ],
  debug: ['debugCount', 'debugChanges', 'debugPoints'],
};

/** The kinds of each field: one, if the table is right. */
export const controlFieldKinds = (field: string): ControlFieldKind[] =>
  (Object.entries(KINDS) as [ControlFieldKind, readonly string[]][]).flatMap(([kind, fields]) => (fields.includes(field) ? [kind] : []));

const word = (field: ControlField) => controlWord(Control.at[field]);

/** Words by their names. */
export type SavedControl = Readonly<Record<string, number>>;
/** Their names. */
export const SAVED_CONTROL: readonly string[] = KINDS.saved;

export const saveControl = ({ i32 }: SharedMemory): SavedControl =>
  Object.fromEntries(KINDS.saved.map((field) => [field, i32[word(field)]!]));

export function putControl({ i32 }: SharedMemory, saved: SavedControl): void {
  for (const field of KINDS.saved) i32[word(field)] = saved[field]!;
}
