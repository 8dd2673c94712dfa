// What the threads of a machine say to each other, and how a Worker is started from a source or a built tree.

import type { EngineImage } from '../../cpu/runtime.ts';
import type { RunEnd } from '../../devices/device.ts';
import type { EncoderName } from '../../emit/module/builder.ts';
import type { ThreadOf } from '../../host/host.ts';
import type { BoardConfig } from '../board/board.ts';
import type { Profile } from '../report/profile.ts';
import type { CodeCacheData } from '../translating.ts';

export interface CpuWorkerData {
  readonly board: BoardConfig;
  readonly image: EngineImage;
  readonly index: number;
  readonly thread: number;
  /** Nanoseconds that the timer of a CPU that has long been idle may be late. */
  readonly timerSlackNs: number;
  /** Whether a CPU in HLT may poll for what wakes it before it sleeps: there is a core of the host for each CPU. */
  readonly polls: boolean;
}

export interface TranslatorWorkerData {
  readonly board: BoardConfig;
  readonly firstSlot: number;
  readonly profile: Profile | undefined;
  readonly encoder: EncoderName;
  /** Undefined: nothing is kept. */
  readonly codeCache: CodeCacheData | undefined;
}

export interface TimerWorkerData {
  /** Milliseconds between two kicks (Pending.KICK) of a CPU that runs, at the least, and half of the most. */
  readonly kickMs: number;
  readonly board: BoardConfig;
  readonly thread: number;
}

/** `module`: a client's. */
export interface ClientWorkerData {
  readonly module: string;
}
/** Undefined: it can be loaded there. */
export interface ClientWorkerMessage {
  readonly error?: string;
}

/** From a CPU's Worker to the host. */
export type CpuMessage =
  | { readonly kind: 'ended'; readonly cpu: number; readonly exit: number; readonly arg: number; readonly data: number }
  /** It rests, for Cpu.debugStop. */
  | { readonly kind: 'debug' }
  | { readonly kind: 'end-run'; readonly reason: RunEnd };

/** Addresses of the Workers' modules beside this one, as they are when built: written out, so that bundlers see them. */
const WORKERS = {
  'cpu-worker': new URL('./cpu-worker.js', import.meta.url),
  'timer-worker': new URL('./timer-worker.js', import.meta.url),
  'translator-worker': new URL('./translator-worker.js', import.meta.url),
  'client-worker': new URL('./client-worker.js', import.meta.url),
};
export type WorkerName = keyof typeof WORKERS;

/** What the thread of a CPU is called on the host (`top -H`, `taskset`), where Node gives threads names. */
export const cpuThreadName = (index: number): string => `CPU ${index}`;
export const TIMEKEEPER = 'timekeeper';
export const TRANSLATOR = 'translator';

/** Whether a thread of a machine makes so little garbage that room for a little is enough. */
export const isFrugal = (name: WorkerName): boolean => name === 'cpu-worker' || name === 'timer-worker';
const threadOf = (name: WorkerName, thread: string, urgent = true): ThreadOf => ({
  module: workerUrl(name),
  name: thread,
  frugal: isFrugal(name),
  urgent,
});

/** Threads of a machine, those first that it waits for: the translator where it begins (its first loops are hot at once), each CPU's, the timekeeper. `goesOn`: it goes on from a snapshot. */
export const threadsFor = (cpuCount: number, jit: boolean, goesOn: boolean): readonly ThreadOf[] => [
  ...(jit ? [threadOf('translator-worker', TRANSLATOR, !goesOn)] : []),
  ...Array.from({ length: cpuCount }, (_, index) => threadOf('cpu-worker', cpuThreadName(index))),
  threadOf('timer-worker', TIMEKEEPER),
];

/** Address of a Worker's module: .ts in the sources, .js when built. */
export const workerUrl = (name: WorkerName): URL =>
  import.meta.url.endsWith('.ts') ? new URL(WORKERS[name].href.replace(/js$/, 'ts')) : WORKERS[name];
