// What a machine of the page is made from: what its form asks for.
import {
  DEFAULT_MEMORY,
  type EncoderName,
  type EngineName,
  type MachineOptions,
  type Mode,
  type RelaxTerm,
} from '../../../src/api/index.ts';
import { usualCpus } from '../../serai/cpus.ts';

/** A file that somebody brought, or where one is fetched from. */
export type Image = File | URL;

export interface Settings {
  /** Undefined: serai. */
  readonly kernel: Image | undefined;
  readonly initrd: Image | undefined;
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
}

/** `cores`: of the browser's host. */
export const defaultSettings = (cores: number): Settings => ({
  kernel: undefined,
  initrd: undefined,
  append: '',
  cpus: usualCpus(cores),
  memory: DEFAULT_MEMORY,
  engine: 'jit',
  encoder: 'binaryen',
  mode: 'relaxed',
  relax: undefined,
  seed: undefined,
});

/** Some browsers have files of a page's origin that they cannot write: there each run starts cold. */
const keepsFiles = (): boolean => typeof FileSystemFileHandle === 'function' && 'createWritable' in FileSystemFileHandle.prototype;

/** `serai`: where the demo kernel is; `threads`: whether CPUs may have some. */
export function machineOptions(settings: Settings, serai: URL, threads: boolean): MachineOptions {
  const { kernel = serai, memory, seed, ...same } = settings;
  return {
    ...same,
    kernel,
    memoryBytes: memory,
    lockstep: seed === undefined && threads ? undefined : { seed },
    // Lockstep waits for its encoder, which is megabytes where it is Binaryen: who did not ask for lockstep gets the other.
    encoder: seed === undefined && !threads ? 'direct' : same.encoder,
    codeCache: keepsFiles() ? 'page' : undefined,
  };
}

/** What an image is called. */
export const nameOf = (image: Image): string => (image instanceof File ? image.name : (image.pathname.split('/').pop() ?? image.href));
