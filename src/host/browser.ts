// The host that is a browser: its page (which must be isolated from other origins, or there is no shared memory) and dedicated Workers.
import { DragomanError } from '../api/errors.ts';
import { fetchBytes } from './fetch-bytes.ts';
import { ENGINE_FILES, type Host } from './host.ts';
import { hashOf, hasOriginFiles, OriginFiles } from './origin-files.ts';

/** The engine's files, which are beside this script. */
const built = new Map<string, Uint8Array<ArrayBuffer>>();
let prepared: Promise<void> | undefined;

/** To a Worker, first of all. */
interface Start {
  readonly workerData: unknown;
}
/** From a Worker: a message of its module, or, last of all, that it has ended. */
type FromWorker = { readonly message: unknown } | { readonly ended: true };

/** Each thread's clock counts from its own start. */
const ORIGIN_NS = BigInt(Math.round(performance.timeOrigin * 1e6));
const isPage = typeof document !== 'undefined';
const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
const started = isPage
  ? undefined
  : new Promise<unknown>((resolve) => {
      scope.addEventListener('message', ({ data }: MessageEvent<Start>) => resolve(data.workerData), { once: true });
    });

interface DedicatedWorkerGlobalScope {
  addEventListener(type: 'message', listener: (event: MessageEvent<Start>) => void, options: { once: true }): void;
  postMessage(message: FromWorker): void;
  close(): void;
}

const urlOf = (name: string): URL => new URL(name, import.meta.url);
async function fetchEngine(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await fetchBytes(url);
  } catch (cause) {
    throw new DragomanError('INTERNAL', `the engine ${(cause as Error).message}`, undefined, { cause });
  }
}
async function fetchFile(name: string): Promise<void> {
  built.set(name, await fetchEngine(urlOf(name)));
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
  importBinaryen: async () => (await import('binaryen')).default,
  async readBytes(from) {
    const base = typeof document === 'undefined' ? location.href : document.baseURI;
    if (!URL.canParse(from, base)) throw new DragomanError('NO_FILE', 'is no URL', String(from));
    return fetchBytes(new URL(from, base));
  },
  openDisk(path) {
    throw new DragomanError('NOT_SUPPORTED', 'not supported: a disk image in a browser', path);
  },
  async listen() {
    throw new DragomanError('NOT_SUPPORTED', 'not supported: a port to connect to in a browser');
  },
  checkKeeping() {
    if (!hasOriginFiles()) throw new DragomanError('NOT_SUPPORTED', 'not supported: a code cache in a browser without files of its origin');
  },
  keptFiles: (folder, name, onError) => new OriginFiles(folder, name, onError),
  async engineHash() {
    // The translator is in this thread's script, or in one that it names.
    const urls = new Set([location.href, import.meta.url, ...ENGINE_FILES.map((name) => urlOf(name).href)]);
    const files = await Promise.all(Array.from(urls, (url) => fetchEngine(new URL(url))));
    return hashOf(new TextEncoder().encode(files.map(hashOf).join()));
  },
  sha256: hashOf,
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
    worker.postMessage({ workerData: data } satisfies Start);
    return { threadName: name, terminate: () => end(1) };
  },
  collectGarbage() {},
  workerData: <T>() => started as Promise<T>,
  post: (message) => scope.postMessage({ message }),
  workerEnds() {
    scope.postMessage({ ended: true });
    scope.close();
  },
};
