// What a machine needs of the program that it runs in: threads, hashes, the engine's files. node.ts and browser.ts each give it; package.json's
// `browser` field puts the one in the other's place when a bundle for browsers is made (and one *-binaryen.ts in the other's).

import type { Loading } from '../api/loading.ts';
import type { OverlayRoom } from '../disks/clusters.ts';
import type { Disk } from '../disks/disk.ts';
import type { NetworkHost } from '../net/host-ends.ts';
import type { ShareTree } from '../share/tree.ts';

/** The engine's files, of which `npm run build` makes build/. */
export const ENGINE_FILES = ['handlers.json', 'runtime.wasm', 'handlers.wasm', 'runtime-strict.wasm', 'handlers-strict.wasm'];

/** Which engine a machine runs on. */
export interface EngineVariant {
  /** That for hosts that are no x86. */
  readonly strictOrder: boolean;
  /** Its functions have names for profilers. */
  readonly named: boolean;
  /** It counts what the client prof wants. */
  readonly prof: boolean;
}

/** Names of the files of one. */
export function partsOf({ strictOrder, prof }: EngineVariant): { runtime: string; handlers: string; names: string } {
  const variant = strictOrder ? '-strict' : '';
  return { runtime: `runtime${variant}.wasm`, handlers: `handlers${variant}${prof ? '-prof' : ''}.wasm`, names: `runtime${variant}.names` };
}

/** Files of the engine that a machine needs: WebAssembly to run as it is, and what is read. */
export interface EngineFiles {
  readonly compiled: readonly string[];
  readonly read: readonly string[];
}
export function engineFiles(variant: EngineVariant): EngineFiles {
  const { runtime, handlers, names } = partsOf(variant);
  return { compiled: [runtime, handlers], read: ['handlers.json', ...(variant.named ? [runtime, handlers, names] : [])] };
}

export type OnLoading = (loading: Loading) => unknown;

/** Handlers that count for the client prof, in the place of those of ENGINE_FILES. */
export const PROF_FILES = ['handlers-prof.wasm', 'handlers-strict-prof.wasm'];

/** What is run of packages, also in build/, and which versions they are. */
export const PACKAGE_FILES = ['binaryen.js', 'binaryen.wasm', 'iced-x86.js', 'iced_x86_bg.wasm', 'packages.json'];

/** Names of the runtime's functions, for profilers: a section "name" for each runtime of ENGINE_FILES. */
export const NAME_FILES = ['runtime.names', 'runtime-strict.names'];

/** A thread of its own, made from a module. */
export interface HostWorker {
  /** The name it was given, where the host knows names of threads. */
  readonly threadName?: string | null;
  /** Ends it where it is. */
  terminate(): unknown;
}

/** What a thread runs, and what it is called. */
export interface ThreadOf {
  readonly module: URL;
  readonly name: string;
  /** Whether it makes so little garbage for so long a life that room for a little of it is enough. */
  readonly frugal?: boolean | undefined;
  /** Whether nothing begins without it. */
  readonly urgent?: boolean | undefined;
}

export interface WorkerStart extends ThreadOf {
  /** What workerData() gives there. */
  readonly data: unknown;
  readonly onMessage?: ((message: unknown) => void) | undefined;
  readonly onError: (error: unknown) => void;
  /** Once, after the last of the others, or instead of them where it was terminated. */
  readonly onExit: (code: number) => void;
}

/** A SHA-256 that is still being computed. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Hexadecimal; once. */
  hex(): string;
}

/** Files that are kept from run to run, and may be lost at any time. Nothing of it throws. */
export interface KeptFiles {
  /** Hexadecimal. */
  sha256(bytes: Uint8Array): string;
  /** Another one when the file is another; undefined where there is none. */
  stamp(name: string): string | undefined;
  read(name: string): Uint8Array | undefined;
  /** Puts a file in the place of what has this name, at once and as a whole. */
  write(name: string, parts: readonly Uint8Array[]): void;
  /** The file was of use. */
  touch(name: string): void;
  /** Brings what stamp() and read() say up to date, where a thread cannot look by itself. */
  look(): Promise<void>;
  /** What was written is there. */
  settle(): Promise<void>;
}

/** Somebody who has connected. */
export interface Peer {
  /** A promise: it takes no more before that resolves. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Behind what was written. */
  close(): void;
}

/** Who hears of a peer. Nothing of it throws. */
export interface PeerEvents {
  /** No more is read before it resolves. */
  data(bytes: Uint8Array): Promise<void>;
  /** Once. */
  gone(): unknown;
}

/** A port where others may connect. */
export interface Listener {
  readonly port: number;
  /** Whether it, and its peers, keep the process alive. Not so at first. */
  keepAlive(keeps: boolean): void;
  /** Nobody can connect any more; those who have stay connected. */
  close(): void;
}

export interface Host {
  /** Whether this thread may sleep in Atomics.wait: a browser's main thread may not. */
  readonly mayWait: boolean;
  /** Whether plain accesses to memory have the order of x86; known once admit() is done. False where nobody knows. */
  readonly isX86: boolean;
  /** Nanoseconds of a monotonic clock that all threads of the process share. Called as a plain function, also by WebAssembly. */
  readonly monotonicNs: () => bigint;
  /**
   * Nanoseconds that this thread has run, in all. Undefined where the host does not tell it to the microsecond. It takes some microseconds.
   */
  threadTimeNs(): number | undefined;
  /** Logical processors. */
  cores(): number;
  /** To be awaited before anything else. `threads`: each CPU of the machine is to have one. Throws DragomanError: NO_ISOLATION, NOT_SUPPORTED where this host cannot. */
  admit(threads: boolean): Promise<void>;
  /** To be awaited before built() and compiled() are asked for these. `onLoading` is told how far it is, where they must be fetched. Throws INTERNAL where they cannot be. */
  prepare(files: EngineFiles, onLoading: OnLoading | undefined): Promise<void>;
  /** Throws HOST_LIMIT where the host cannot give a machine so many threads (0: one that runs in lockstep). */
  checkLimits(threads: number): void;
  /** Translators verify the IR of each region behind each pass: for who debugs them (CONTRIBUTING.md). */
  readonly verifies: boolean;
  /** From now on the host's profiler is told of what threads compile, where there is a way to. */
  writePerfMap(): void;
  /** A file of the engine (build/). Throws INTERNAL where it was not built. */
  built(name: string): Uint8Array<ArrayBuffer>;
  /** One that is WebAssembly. Throws the same. */
  compiled(name: string): WebAssembly.Module;
  /** All bytes of a file or of what a URL leads to. In Node a text is a path, in a browser a URL from where the page is. Throws NO_FILE. */
  readBytes(from: URL | string): Promise<Uint8Array>;
  /** All bytes of a file, at once. Throws NO_FILE; NOT_SUPPORTED in a browser. */
  readFileNow(path: string): Uint8Array;
  /** Writes a file at once, in the place of what is there. Throws the same. */
  writeFileNow(path: string, bytes: Uint8Array): void;
  /** Writes behind what is there, as one piece. Throws the same. */
  appendFileNow(path: string, bytes: Uint8Array): void;
  /** Opens a disk image, of whatever looks where `format` says that it is raw. Throws DragomanError: NO_FILE, BAD_DISK, NOT_SUPPORTED. */
  openDisk(path: string, readOnly?: boolean, format?: 'raw'): Disk;
  /** Opens a folder for a guest to mount. Rejects with DragomanError: NO_FILE, BAD_SHARE, NOT_SUPPORTED. */
  openShare(path: string): Promise<ShareTree>;
  /** For what guests write to disks that are not to be changed: of each disk. */
  readonly overlayRoom: OverlayRoom;
  /** The host's network, for a user network. Rejects with NOT_SUPPORTED. */
  network(): Promise<NetworkHost>;
  /**
   * Lets programs of this computer connect to a TCP port of 127.0.0.1 (0: one that is free). `accept`: undefined where the peer is refused. Throws BAD_OPTION where the port cannot be had, NOT_SUPPORTED
   * where nobody can connect.
   */
  listen(port: number, accept: (peer: Peer) => PeerEvents | undefined): Promise<Listener>;
  /** Throws NOT_SUPPORTED where nothing can be kept from run to run. */
  checkKeeping(): void;
  /** The file `name` in a folder for what is kept from run to run; `onError` is told why something cannot be. To be looked at first. */
  keptFiles(folder: string, name: string, onError: (error: unknown) => void): KeptFiles;
  /** Another one (hexadecimal) for each engine that may make other code of a guest's: of the sources and of what was built from them. */
  engineHash(): Promise<string>;
  /** What a gzip stream unpacks to, piece by piece, as it is asked for; each is there until the next one is. Rejects where it is damaged or cut off, or is not all of the bytes. */
  gunzip(bytes: Uint8Array): AsyncGenerator<Uint8Array>;
  /** Hexadecimal. */
  sha256(bytes: Uint8Array): string;
  hasher(): Hasher;
  toBase64(bytes: Uint8Array): string;
  fromBase64(text: string): Uint8Array;
  /** Calls back when others of this thread have had a turn. */
  soon(callback: () => void): void;

  /** Threads that will be started, or not, where they take long to begin. */
  expectWorkers(threads: readonly ThreadOf[]): void;
  /** The machine that they were for is not made: they hold nothing any more when this resolves, or wait for another one where they cost nothing. */
  endIdleWorkers(): Promise<void>;
  startWorker(start: WorkerStart): HostWorker;
  /** The address of a module by that, or by a path (in a browser from where the page is). */
  moduleAddress(module: string): string;
  /** Whether each thread can load the modules that this one can. */
  readonly threadsLoadAlike: boolean;
  /** Gives back what this thread's heap holds of garbage, where the host lets one ask for it: some 50 ms. */
  collectGarbage(): void;
  /** In a Worker: what it was started with. */
  workerData<T>(): Promise<T>;
  /** In a Worker: a message to who started it. */
  post(message: unknown): void;
  /** In a Worker: its module has nothing left to do. */
  workerEnds(): void;
}
