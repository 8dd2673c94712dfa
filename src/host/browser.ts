// The host that is a browser: its page (which must be isolated from other origins, or there is no shared memory) and dedicated Workers.
import { DragomanError } from '../api/errors.ts';
import { BESIDE, CLIENT_SCRIPTS } from './browser-files.ts';
import { fetchBytes } from './fetch-bytes.ts';
import { ENGINE_FILES, type Host } from './host.ts';
import { hasher, hashOf, hasOriginFiles, OriginFiles } from './origin-files.ts';

/** The engine's files that were fetched. */
const built = new Map<string, Uint8Array<ArrayBuffer>>();
let prepared: Promise<void> | undefined;

/** To a Worker, first of all. */
interface Start {
  readonly workerData: unknown;
  /** Addresses of the engine's files by name. */
  readonly files: Readonly<Record<string, string>>;
}
/** From a Worker: a message of its module, or, last of all, that it has ended. */
type FromWorker = { readonly message: unknown } | { readonly ended: true };

/** Each thread's clock counts from its own start. */
const ORIGIN_NS = BigInt(Math.round(performance.timeOrigin * 1e6));
const isPage = typeof document !== 'undefined';
const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
const started = isPage
  ? undefined
  : new Promise<Start>((resolve) => {
      scope.addEventListener('message', ({ data }: MessageEvent<Start>) => resolve(data), { once: true });
    });

interface DedicatedWorkerGlobalScope {
  addEventListener(type: 'message', listener: (event: MessageEvent<Start>) => void, options: { once: true }): void;
  postMessage(message: FromWorker): void;
  close(): void;
}

/** Those of the page, in a Worker as well. */
let addresses: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ ...BESIDE, ...CLIENT_SCRIPTS }).map(([name, { href }]) => [name, href]),
);
/** Where one of them is. */
export const engineUrl = (name: string): URL => new URL(addresses[name]!);
function noFiles(path: string): never {
  throw new DragomanError('NOT_SUPPORTED', `not supported: the file ${path} in a browser`, 'clients');
}
async function fetchScript(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await fetchBytes(url);
  } catch (cause) {
    throw new DragomanError('INTERNAL', `the engine ${(cause as Error).message}`, undefined, { cause });
  }
}
/** A file of the engine. Throws INTERNAL. */
export const fetchEngine = (name: string): Promise<Uint8Array<ArrayBuffer>> => fetchScript(engineUrl(name));
async function fetchFile(name: string): Promise<void> {
  built.set(name, await fetchEngine(name));
}

/** What Chromium tells of the processor. */
interface UserAgentData {
  getHighEntropyValues(hints: readonly string[]): Promise<{ architecture?: string }>;
}
/** Others do not say it for certain; in the strict order a guest is right on any host. */
let isX86 = false;
async function askProcessor(): Promise<void> {
  const { userAgentData } = navigator as { userAgentData?: UserAgentData };
  isX86 = (await userAgentData?.getHighEntropyValues(['architecture']))?.architecture === 'x86';
}

/** There are no files that a page's thread could wait for. */
const OVERLAY_BYTES = 512 << 20;

const channel = new MessageChannel();
const turns: (() => void)[] = [];
channel.port1.onmessage = () => turns.shift()?.();

export const host: Host = {
  mayWait: !isPage,
  get isX86() {
    return isX86;
  },
  monotonicNs: () => ORIGIN_NS + BigInt(Math.round(performance.now() * 1e6)),
  threadTimeNs: () => undefined,
  cores: () => navigator.hardwareConcurrency,
  async prepare(more) {
    if (!globalThis.crossOriginIsolated)
      throw new DragomanError(
        'NO_ISOLATION',
        'the page is not isolated from other origins, so it has no shared memory: it must come from a secure origin with the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp"',
      );
    if (typeof Atomics.waitAsync !== 'function')
      throw new DragomanError('NOT_SUPPORTED', 'not supported: a browser without Atomics.waitAsync');
    prepared ??= Promise.all([...ENGINE_FILES.map(fetchFile), askProcessor()]).then(() => {});
    try {
      await prepared;
      await Promise.all(more.filter((name) => !built.has(name)).map(fetchFile));
    } catch (error) {
      // The next machine may find the network again.
      prepared = undefined;
      throw error;
    }
  },
  verifies: false,
  // Its profiler shows names as they are.
  writePerfMap() {},
  // A browser has limits of its own, and tells nobody.
  checkLimits() {},
  built(name) {
    const bytes = built.get(name);
    if (bytes === undefined) throw new DragomanError('INTERNAL', 'the engine was not fetched', name);
    return bytes;
  },
  async readBytes(from) {
    const base = typeof document === 'undefined' ? location.href : document.baseURI;
    if (!URL.canParse(from, base)) throw new DragomanError('NO_FILE', 'is no URL', String(from));
    return fetchBytes(new URL(from, base));
  },
  openDisk(path) {
    throw new DragomanError(
      'NOT_SUPPORTED',
      'not supported: a path of a disk image in a browser (give bytes, a blob, or an object with read and sectors)',
      path,
    );
  },
  openShare: (path) => Promise.reject(new DragomanError('NOT_SUPPORTED', 'not supported: to share a folder in a browser', path)),
  overlayRoom: {
    memoryBytes: OVERLAY_BYTES,
    openSpill() {
      throw new DragomanError(
        'HOST_LIMIT',
        `in a browser a guest cannot write more than ${OVERLAY_BYTES >> 20} MiB to a disk that is not to be changed`,
      );
    },
  },
  network: () => Promise.reject(new DragomanError('NOT_SUPPORTED', "not supported: the host's network in a browser", 'net')),
  async listen() {
    throw new DragomanError('NOT_SUPPORTED', 'not supported: a port to connect to in a browser');
  },
  checkKeeping() {
    if (!hasOriginFiles()) throw new DragomanError('NOT_SUPPORTED', 'not supported: a code cache in a browser without files of its origin');
  },
  keptFiles: (folder, name, onError) => new OriginFiles(folder, name, onError),
  async engineHash() {
    // The translator is in this thread's script, or in one that it names.
    const urls = new Set([location.href, import.meta.url, ...ENGINE_FILES.map((name) => engineUrl(name).href)]);
    const files = await Promise.all(Array.from(urls, (url) => fetchScript(new URL(url))));
    return hashOf(new TextEncoder().encode(files.map(hashOf).join()));
  },
  sha256: hashOf,
  hasher,
  toBase64: (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')),
  fromBase64: (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)),
  soon(callback) {
    turns.push(callback);
    channel.port2.postMessage(undefined);
  },

  startWorker({ module, name, data, onMessage, onError, onExit }) {
    const worker = new Worker(module, { type: 'module', name });
    let gone = false;
    const end = (code: number) => {
      worker.terminate();
      if (!gone) onExit(code);
      gone = true;
    };
    worker.addEventListener('message', ({ data: from }: MessageEvent<FromWorker>) => {
      if ('ended' in from) end(0);
      else onMessage?.(from.message);
    });
    worker.addEventListener('error', ({ message, filename, lineno }) => {
      onError(new Error(`${message || 'the script cannot be loaded'} (${filename || module.href}:${lineno ?? 0})`));
      end(1);
    });
    worker.postMessage({ workerData: data, files: addresses } satisfies Start);
    return { threadName: name, terminate: () => end(1) };
  },
  moduleAddress: (module) => new URL(module, location.href).href,
  threadsLoadAlike: false,
  readFileNow: (path) => noFiles(path),
  writeFileNow: (path) => noFiles(path),
  appendFileNow: (path) => noFiles(path),
  collectGarbage() {},
  async workerData<T>() {
    const { workerData, files } = await started!;
    addresses = files;
    return workerData as T;
  },
  post: (message) => scope.postMessage({ message }),
  workerEnds() {
    scope.postMessage({ ended: true });
    scope.close();
  },
};
