// The options of a machine, a line each: kind and default. Whoever makes a machine goes through readOptions(); the command line reads its words by the
// same kinds (cli/flags.ts).

import { checkMac } from '../devices/virtio/ethernet.ts';
import { ENCODERS } from '../emit/module/builder.ts';
import { largestMemory, SMALLEST_REGIONS, TABLE_ENTRIES } from '../layout/memory.ts';
import { type KernelSymbols, readSymbols } from '../machine/report/symbols.ts';
import { checkReverse, REVERSE } from '../reverse/settings.ts';
import { isBlob } from './bytes.ts';
import { CLIENT, checkClients } from './clients.ts';
import type { DiskDevice } from './disks.ts';
import { BOOLEAN, CPUS, ENGINE } from './engine-options.ts';
import { DragomanError } from './errors.ts';
import { GDB_PORT } from './gdb.ts';
import {
  byProperty,
  defaults,
  having,
  integer,
  type Kind,
  list,
  mapped,
  needed,
  oneOf,
  optional,
  parseDecimal,
  plain,
  refuse,
  type Shape,
  shape,
  tagOf,
  type WordKind,
  word,
} from './kind.ts';
import type { Loading } from './loading.ts';
import {
  DEFAULT_ENCODER,
  DEFAULT_MAC,
  DEFAULT_MEMORY,
  defaultTimerSlackMs,
  LARGEST_TIMER_SLACK_MS,
  LONGEST_NOTE,
  type MachineOptions,
  MEMORY_GRAIN,
  MiB,
  MOST_DISKS,
  type NetOptions,
  SMALLEST_MEMORY,
} from './options.ts';
import { DEFAULT_MODE, MODES, type Mode, RELAX_TERMS, type RelaxTerm } from './relax.ts';
import { checkTags, DEFAULT_TAG, MOST_SHARES, TAG } from './shares.ts';
import { checkTraceFilter, TRACE_FILTER } from './trace.ts';

export { CPUS, ENGINE } from './engine-options.ts';

function bytes(what: string): Kind<Uint8Array> {
  const others = plain<Uint8Array>(what, () => false);
  return {
    what,
    take(value, name) {
      if (tagOf(value) === '[object Uint8Array]') return value as Uint8Array;
      if (tagOf(value) === '[object ArrayBuffer]') return new Uint8Array(value as ArrayBuffer);
      return others.take(value, name);
    },
  };
}
export const BYTES = bytes('a Uint8Array or an ArrayBuffer');
/** Of a Source, which was read by now (source.ts). */
const SOURCE = bytes('a Uint8Array, an ArrayBuffer, a Blob, a URL or a path');

export const TEXT: WordKind<string> = word(
  'a string',
  (value) => typeof value === 'string',
  (text) => text,
);
/** Text as System.map has it, which is parsed here and nowhere else. */
const SYMBOLS: Kind<KernelSymbols> = { what: 'a string', take: (value, name) => readSymbols(TEXT.take(value, name), name) };
const path = (of: string): WordKind<string> =>
  word(
    `the path of a ${of}`,
    (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
    (text) => text,
  );
export const PATH = path('file');
export const FOLDER = path('folder');
/** Text as UTF-8. */
export const TYPED: Kind<Uint8Array> = {
  what: 'a string, a Uint8Array or an ArrayBuffer',
  take: (value, name) => (typeof value === 'string' ? new TextEncoder().encode(value) : BYTES.take(value, name)),
};
const SIGNAL = plain<AbortSignal>('an AbortSignal', (value) => tagOf(value) === '[object AbortSignal]');
/** Longest time of setTimeout. */
const LONGEST_MS = 2 ** 31 - 1;
export const UNTIL = plain<string | RegExp>(
  'a string that is not empty, or a regular expression',
  (value) => (typeof value === 'string' && value !== '') || tagOf(value) === '[object RegExp]',
);
export const UNTIL_OPTIONS = shape({
  signal: optional(SIGNAL),
  timeoutMs: optional(
    plain<number>(
      `a number of milliseconds (0 to ${LONGEST_MS})`,
      (value) => typeof value === 'number' && value >= 0 && value <= LONGEST_MS,
    ),
  ),
});
export const WATCHED = shape({
  length: defaults(integer('a number of bytes', 1, 4096), 4),
  access: defaults(oneOf('write', 'read', 'readwrite'), 'write'),
});
export const STEPS = integer('a number of instructions', 1, 2 ** 31 - 1);
/** Of a snapshot. */
export const NOTE = plain<string>(
  `a string of up to ${LONGEST_NOTE} characters`,
  (value) => typeof value === 'string' && value.length <= LONGEST_NOTE,
);
export const SNAPSHOT = shape({ base: optional(SOURCE), note: optional(NOTE) });
/** Since power-on. */
export const INSTRUCTION = integer('a number of instructions', 0, Number.MAX_SAFE_INTEGER);
/** Of Machine.regions(), and the id of a region. */
const COUNTER = integer('a number', 0, Number.MAX_SAFE_INTEGER, '0 or more');
export const REGIONS = shape({ since: optional(COUNTER) });
export const REGION_ID = COUNTER;
/** The number of a CPU of so many. */
export const cpuNumber = (cpus: number): Kind<number> => integer('the number of a CPU', 0, cpus - 1);
export const TCP_PORT = integer('a TCP port', 0, 0xffff);
export const GDB = shape({ port: defaults(TCP_PORT, GDB_PORT), wait: defaults(BOOLEAN, false) });
const callback = <T>() => plain<(value: T) => unknown>('a function', (value) => typeof value === 'function');
const call = <T>() => plain<() => T>('a function', (value) => typeof value === 'function');
export const MAC: Kind<string> = { what: `a MAC address such as '${DEFAULT_MAC}'`, take: checkMac };

export const SEED = integer('a seed', 0, 0xffffffff);
export const PORT = integer('an I/O port', 0, 0xffff, '0 to 0xffff');
export const ENCODER = oneOf(...ENCODERS);
export const MAX_REGIONS = integer('a number of regions', SMALLEST_REGIONS, TABLE_ENTRIES);
export const TIMER_SLACK = word<number>(
  `a number of milliseconds (0 to ${LARGEST_TIMER_SLACK_MS})`,
  (value) => Number(value) >= 0 && Number(value) <= LARGEST_TIMER_SLACK_MS && typeof value === 'number',
  parseDecimal,
);

export const MODE = oneOf(...(Object.keys(MODES) as Mode[]));

const RELAX_TERM = oneOf(...RELAX_TERMS);
const RELAX_LIST = list(RELAX_TERM);
/** 'directmap', 'all,-directmap'. */
export const RELAX: WordKind<readonly RelaxTerm[]> = {
  ...RELAX_LIST,
  read: (text, name) => text.split(',').map((term) => RELAX_TERM.read(term, name)),
};

const UNITS: Readonly<Record<string, number>> = { '': MiB, k: 1024, m: MiB, g: 1024 * MiB };
/** '256M' in bytes. */
function parseSize(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * UNITS[unit!.toLowerCase()]!;
}

/** Bytes of memory beside so many CPUs. */
export function memoryBeside(cpus: number): WordKind<number> {
  const most = largestMemory(cpus);
  const range = `${SMALLEST_MEMORY / MiB}M to ${Math.floor(most / MiB)}M with ${cpus} CPU${cpus === 1 ? '' : 's'}, in steps of ${MEMORY_GRAIN / 1024}K`;
  const is = (value: unknown) => Number(value) >= SMALLEST_MEMORY && Number(value) <= most && Number(value) % MEMORY_GRAIN === 0;
  return word(
    `a size of memory (${range})`,
    (value) => typeof value === 'number' && is(value),
    parseSize,
    '; a number without a unit counts MiB',
  );
}

/** How a disk is used, and what it is made from. */
export type DiskSettings = { readonly readOnly: boolean; readonly snapshot: boolean; readonly format?: 'raw' | undefined } & (
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly blob: Blob }
  | { readonly kind: 'device'; readonly device: DiskDevice; readonly sectors: number }
);
const SECTOR = 512;
const IMAGE_USE = { readOnly: defaults(BOOLEAN, false), snapshot: defaults(BOOLEAN, false), format: optional(oneOf('raw')) };
const DEVICE = having<DiskDevice>({
  sectors: optional(integer('a number of sectors', 1, Math.floor(Number.MAX_SAFE_INTEGER / SECTOR))),
  size: optional(integer('a number of bytes', SECTOR, Number.MAX_SAFE_INTEGER)),
  read: needed(plain<DiskDevice['read']>('a function', (value) => typeof value === 'function')),
  write: optional(plain<NonNullable<DiskDevice['write']>>('a function', (value) => typeof value === 'function')),
  flush: optional(plain<NonNullable<DiskDevice['flush']>>('a function', (value) => typeof value === 'function')),
  open: optional(plain<NonNullable<DiskDevice['open']>>('a function', (value) => typeof value === 'function')),
  close: optional(plain<NonNullable<DiskDevice['close']>>('a function', (value) => typeof value === 'function')),
  readOnly: optional(BOOLEAN),
  snapshot: optional(BOOLEAN),
});
function deviceSettings(device: DiskDevice, name: string): DiskSettings {
  const { sectors, size, snapshot = false } = device;
  if (sectors === undefined && size === undefined) refuse(`${name}.sectors`, 'is missing: give it, or size');
  if (sectors !== undefined && size !== undefined) refuse(`${name}.size`, 'the size is given twice: sectors is enough');
  if (size !== undefined && size % SECTOR !== 0) refuse(`${name}.size`, `${size} bytes: not a multiple of ${SECTOR}`);
  const readOnly = device.readOnly ?? (device.write === undefined && !snapshot);
  if (!readOnly && !snapshot && device.write === undefined) refuse(`${name}.write`, 'is missing: give it, or snapshot');
  return { kind: 'device', device, readOnly, snapshot, sectors: sectors ?? size! / SECTOR };
}
const DISK = byProperty<DiskSettings>('an object with path, bytes, blob, or read and sectors', {
  path: mapped(shape({ path: needed(PATH), ...IMAGE_USE }), (disk) => ({ kind: 'path', ...disk })),
  bytes: mapped(shape({ bytes: needed(BYTES), ...IMAGE_USE }), (disk) => ({ kind: 'bytes', ...disk })),
  // Nobody can write to a Blob.
  blob: mapped(shape({ blob: needed(plain<Blob>('a Blob', isBlob)), ...IMAGE_USE }), (disk) => ({ kind: 'blob', ...disk, snapshot: true })),
  read: mapped(DEVICE, deviceSettings),
});

const OPTIONS = {
  kernel: optional(SOURCE),
  initrd: optional(SOURCE),
  append: defaults(TEXT, ''),
  kernelName: optional(TEXT),
  modules: defaults(list(shape({ data: needed(SOURCE), string: needed(TEXT) })), []),
  bios: optional(SOURCE),
  cpus: defaults(CPUS, 1),
  strictOrder: optional(BOOLEAN),
  lockstep: optional(
    shape({
      seed: optional(SEED),
      paced: defaults(BOOLEAN, true),
      onRecord: optional(callback<string>()),
      replay: optional(TEXT),
      reverse: optional(REVERSE),
    }),
  ),
  timerSlackMs: optional(TIMER_SLACK),
  memoryBytes: defaults(
    plain<number>('a number of bytes', (value) => typeof value === 'number'),
    DEFAULT_MEMORY,
  ),
  disks: defaults(list(DISK, MOST_DISKS), []),
  shares: defaults(
    list(shape({ path: needed(FOLDER), tag: defaults(TAG, DEFAULT_TAG), readOnly: defaults(BOOLEAN, false) }), MOST_SHARES),
    [],
  ),
  // A back end may be any object.
  net: optional(
    having<NetOptions>({
      onFrame: needed(callback()),
      connect: optional(callback()),
      open: optional(call<Promise<void>>()),
      close: optional(call<void>()),
      mac: optional(MAC),
    }),
  ),
  engine: defaults(ENGINE, 'jit'),
  encoder: defaults(ENCODER, DEFAULT_ENCODER),
  maxRegions: optional(MAX_REGIONS),
  codeCache: optional(FOLDER),
  mode: defaults(MODE, DEFAULT_MODE),
  relax: optional(RELAX),
  debugExitPort: optional(PORT),
  testDevice: defaults(BOOLEAN, false),
  onConsole: optional(callback<Uint8Array>()),
  virtioConsole: optional(BOOLEAN),
  onVirtioConsole: optional(callback<Uint8Array>()),
  signal: optional(SIGNAL),
  paused: defaults(BOOLEAN, false),
  onDebugConsole: optional(callback<Uint8Array>()),
  countInstructions: defaults(BOOLEAN, false),
  clients: defaults(list(CLIENT), []),
  onPost: optional(callback<Uint8Array>()),
  onTrace: optional(callback<string>()),
  traceFilter: optional(TRACE_FILTER),
  perfMap: defaults(BOOLEAN, false),
  onLoading: optional(callback<Loading>()),
  symbols: optional(SYMBOLS),
} satisfies Record<keyof MachineOptions, unknown>;

/** Options that were read: none is of the wrong kind or out of range, and where there is a default none is undefined. */
export type Settings = Omit<Shape<typeof OPTIONS>, 'timerSlackMs'> & {
  readonly timerSlackMs: number;
  /** The card's address. */
  readonly mac: string;
};
const MACHINE = shape(OPTIONS);

/** What only a kernel takes. */
const OF_A_KERNEL = ['initrd', 'append', 'modules'] as const;
interface Together {
  readonly kernel?: unknown;
  readonly bios?: unknown;
  readonly initrd?: unknown;
  readonly append?: string | undefined;
  readonly modules?: readonly unknown[] | undefined;
}
/** Throws BAD_OPTION where options do not go together. `nameOf`: an option as its user knows it. */
export function checkTogether(options: Together, nameOf: (option: keyof Together) => string = (option) => option): void {
  const { kernel, bios } = options;
  if (kernel === undefined && bios === undefined) refuse(nameOf('kernel'), `is missing: give it, or ${nameOf('bios')}`);
  if (kernel !== undefined && bios !== undefined) refuse(nameOf('bios'), `a ROM starts instead of a ${nameOf('kernel')}: give one of them`);
  if (kernel !== undefined) return;
  for (const option of OF_A_KERNEL) {
    const value = options[option];
    if (value !== undefined && (value as { length: number }).length !== 0)
      refuse(nameOf(option), `is for a ${nameOf('kernel')}, and none is given`);
  }
}

/** Throws BAD_OPTION where `given` are no options of a machine. Whether files are what they should be is asked later. `restored`: what it starts is there already. */
export function readOptions(given: unknown, restored = false): Settings {
  const options = MACHINE.take(given, '');
  const { cpus, memoryBytes, timerSlackMs, net, lockstep } = options;
  if (!restored) checkTogether(options);
  checkClients(options.clients, 'clients');
  checkTags(options.shares, 'shares');
  checkTraceFilter(options.traceFilter, cpus, options.onTrace !== undefined);
  memoryBeside(cpus).take(memoryBytes, 'memoryBytes');
  if (lockstep?.onRecord !== undefined && lockstep.replay !== undefined)
    refuse('lockstep.onRecord', 'a recording that is run again cannot be recorded');
  if (options.shares.length > 0 && (lockstep?.onRecord !== undefined || lockstep?.replay !== undefined))
    throw new DragomanError('NOT_SUPPORTED', 'not supported: a recording of a machine with shares, what is in which it has not', 'shares');
  checkReverse(options);
  return { ...options, timerSlackMs: timerSlackMs ?? defaultTimerSlackMs(cpus), mac: net?.mac ?? DEFAULT_MAC };
}
