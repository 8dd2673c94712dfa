// What a machine of the page is made from: what its form asks for.
import {
  DEFAULT_MEMORY,
  type EncoderName,
  type EngineName,
  type MachineOptions,
  MiB,
  type Mode,
  type RelaxTerm,
  type RestoreOptions,
  type ReverseOptions,
  type SnapshotFacts,
} from '../../../src/api/index.ts';
import { usualCpus } from '../../serai/cpus.ts';

/** A file that somebody brought, or where one is fetched from. */
export type Image = File | URL;

/** A file that is a disk in memory, or the name of one that the browser keeps. */
export type PageDisk = File | string;

export interface Settings {
  /** Undefined: serai. */
  readonly kernel: Image | undefined;
  readonly initrd: Image | undefined;
  /** /dev/vda, /dev/vdb ... */
  readonly disks: readonly PageDisk[];
  /** Name of the network that it is plugged into; undefined: it has no card. */
  readonly network: string | undefined;
  readonly append: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly engine: EngineName;
  readonly encoder: EncoderName;
  readonly mode: Mode;
  /** Undefined: what the mode has. */
  readonly relax: readonly RelaxTerm[] | undefined;
  /** Of a lockstep machine; undefined: CPUs on threads. */
  readonly seed: number | undefined;
  /** Whether it can go back: in lockstep, by the interpreter alone. */
  readonly reverse: boolean;
}

/** `cores`: of the browser's host. */
export const defaultSettings = (cores: number): Settings => ({
  kernel: undefined,
  initrd: undefined,
  disks: [],
  network: undefined,
  append: '',
  cpus: usualCpus(cores),
  memory: DEFAULT_MEMORY,
  engine: 'jit',
  encoder: 'binaryen',
  mode: 'relaxed',
  relax: undefined,
  seed: undefined,
  reverse: false,
});

/** Some browsers have files of a page's origin that they cannot write: there each run starts cold. */
const keepsFiles = (): boolean => typeof FileSystemFileHandle === 'function' && 'createWritable' in FileSystemFileHandle.prototype;

/** A way back takes some tenths of a second, and a phone has room for it. */
const HISTORY: ReverseOptions = { every: 5_000_000, memoryBytes: 256 * MiB };

/** `serai`: where the demo kernel is; `threads`: whether CPUs may have some. */
export function machineOptions(settings: Settings, serai: URL, threads: boolean): MachineOptions {
  // Disks and network: attachments.ts.
  const { kernel = serai, memory, seed, reverse, disks: _disks, network: _network, ...same } = settings;
  return {
    ...same,
    kernel,
    memoryBytes: memory,
    lockstep: seed === undefined && !reverse && threads ? undefined : { seed, reverse: reverse && HISTORY },
    // Lockstep waits for its encoder, which is megabytes where it is Binaryen: who did not ask for lockstep gets the other.
    encoder: seed === undefined && !reverse && !threads ? 'direct' : same.encoder,
    codeCache: keepsFiles() ? 'page' : undefined,
  };
}

/** Of a machine that goes on from a snapshot, which has the rest. `serai`: as above. */
export function restoreOptions(settings: Settings, { lockstep }: SnapshotFacts, serai: URL): RestoreOptions {
  const { kernel, initrd, append, cpus, memoryBytes, ...rest } = machineOptions(settings, serai, true);
  return { ...rest, engine: lockstep?.engine ?? rest.engine, lockstep: lockstep && { reverse: settings.reverse && HISTORY } };
}

/** What an image is called. */
export const nameOf = (image: Image): string => (image instanceof File ? image.name : (image.pathname.split('/').pop() ?? image.href));
