// The host that is a browser: its page and dedicated Workers (for which it must be isolated from other origins, or they share no memory).
import { DragomanError } from '../api/errors.ts';
import { bytesOf, moduleOf, prepareFiles } from './browser-engine.ts';
import { isPage, scope, started } from './browser-start.ts';
import { expectWorkers, startWorker } from './browser-workers.ts';
import { fetchBytes } from './fetch-bytes.ts';
import { gunzip } from './gunzip.ts';
import type { Host } from './host.ts';
import { hasher, hashOf, hasOriginFiles, OriginFiles } from './origin-files.ts';

/** Each thread's clock counts from its own start. */
const ORIGIN_NS = BigInt(Math.round(performance.timeOrigin * 1e6));

function noFiles(path: string): never {
  throw new DragomanError('NOT_SUPPORTED', `not supported: the file ${path} in a browser`, 'clients');
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
let asked: Promise<void> | undefined;

/** Some browsers share memory between the threads of isolated pages alone, but let any page make it: that is all that a machine on one thread needs. */
function makesSharedMemory(): boolean {
  try {
    new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return true;
  } catch {
    return false;
  }
}
const ISOLATE =
  'it must come from a secure origin with the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp"';

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
  async admit(threads) {
    if (!globalThis.crossOriginIsolated && (threads || !makesSharedMemory()))
      throw new DragomanError(
        'NO_ISOLATION',
        threads
          ? `the page is not isolated from other origins, so its threads share no memory: ${ISOLATE} (a machine in lockstep runs without)`
          : `the page is not isolated from other origins, so this browser gives it no shared memory: ${ISOLATE}`,
      );
    if (threads && typeof Atomics.waitAsync !== 'function')
      throw new DragomanError('NOT_SUPPORTED', 'not supported: threads in a browser without Atomics.waitAsync');
    await (asked ??= askProcessor());
  },
  prepare: prepareFiles,
  verifies: false,
  // Its profiler shows names as they are.
  writePerfMap() {},
  // A browser has limits of its own, and tells nobody.
  checkLimits() {},
  built: bytesOf,
  compiled: moduleOf,
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
  engineHash: async () => ENGINE_HASH,
  gunzip,
  sha256: hashOf,
  hasher,
  toBase64: (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')),
  fromBase64: (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)),
  soon(callback) {
    turns.push(callback);
    channel.port2.postMessage(undefined);
  },

  expectWorkers,
  endIdleWorkers: async () => {},
  startWorker,
  moduleAddress: (module) => new URL(module, location.href).href,
  threadsLoadAlike: false,
  readFileNow: (path) => noFiles(path),
  writeFileNow: (path) => noFiles(path),
  appendFileNow: (path) => noFiles(path),
  collectGarbage() {},
  workerData: async <T>() => (await started!).workerData as T,
  post: (message) => scope.postMessage({ message }),
  workerEnds() {
    scope.postMessage({ ended: true });
    scope.close();
  },
};
