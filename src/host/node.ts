// The host that is Node.
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { DragomanError } from '../api/errors.ts';
import { DiskFile } from './disk-file.ts';
import { engineHash } from './engine-hash.ts';
import { fetchBytes } from './fetch-bytes.ts';
import { FileCache } from './file-cache.ts';
import type { Host } from './host.ts';
import { checkLimits } from './limits.ts';
import { listen } from './listen.ts';
import { gunzip } from './node-gunzip.ts';
import { endIdleWorkers, expectWorkers, startWorker, workerData } from './node-workers.ts';
import { SpillFile } from './spill-file.ts';
import { threadTimeNs } from './thread-time.ts';

function noFile(cause: unknown, from: URL | string): never {
  const { code, message } = cause as NodeJS.ErrnoException;
  throw new DragomanError('NO_FILE', code === 'ENOENT' ? 'no such file' : message, String(from), { cause });
}

function fileWork<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    return noFile(cause, path);
  }
}

async function readBytes(from: URL | string): Promise<Uint8Array> {
  try {
    return await readFile(from);
  } catch (cause) {
    return noFile(cause, from);
  }
}

function built(name: string): Uint8Array<ArrayBuffer> {
  try {
    return readFileSync(new URL(`../../build/${name}`, import.meta.url));
  } catch (cause) {
    throw new DragomanError('INTERNAL', `the engine is not built: no ${name} (run "npm run build")`, undefined, { cause });
  }
}

/** Those that were prepared, beside what this thread did meanwhile; and those on their way there. */
const modules = new Map<string, WebAssembly.Module>();
const compiling = new Map<string, Promise<void>>();

async function compile(name: string): Promise<void> {
  try {
    modules.set(name, await WebAssembly.compile(built(name)));
  } finally {
    compiling.delete(name);
  }
}

/** Sees that a module is among those that were prepared; compiles it once, however many ask. */
function prepared(name: string): Promise<void> | undefined {
  if (modules.has(name)) return undefined;
  let coming = compiling.get(name);
  if (coming === undefined) compiling.set(name, (coming = compile(name)));
  return coming;
}

export const host: Host = {
  mayWait: true,
  isX86: process.arch === 'x64' || process.arch === 'ia32',
  // As it is, without a function around it: WebAssembly calls it in half the time.
  monotonicNs: process.hrtime.bigint,
  threadTimeNs,
  cores: availableParallelism,
  admit: () => Promise.resolve(),
  async prepare({ compiled }) {
    await Promise.all(compiled.map(prepared));
  },
  get verifies() {
    return process.env.DRAGOMAN_VERIFY === '1';
  },
  // For isolates that begin after this: those of Workers.
  writePerfMap: () => setFlagsFromString('--perf-basic-prof'),
  checkLimits,
  built,
  compiled: (name) => modules.get(name) ?? new WebAssembly.Module(built(name)),
  readBytes: (from) => (typeof from === 'string' || from.protocol === 'file:' ? readBytes(from) : fetchBytes(from)),
  openDisk: (path, readOnly, format) => new DiskFile(path, readOnly, format),
  // Threads of CPUs need none of it.
  openShare: async (path) => new (await import('./share-folder.ts')).ShareFolder(path),
  overlayRoom: { memoryBytes: 64 << 20, openSpill: () => new SpillFile() },
  // Nor of this.
  network: async () => (await import('./network.ts')).network,
  listen,
  checkKeeping() {},
  keptFiles: (folder, _, onError) => new FileCache(folder, onError),
  engineHash: async () => engineHash(),
  gunzip,
  sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  hasher() {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
  },
  toBase64: (bytes) => Buffer.from(bytes).toString('base64'),
  fromBase64: (text) => Buffer.from(text, 'base64'),
  soon: (callback) => void setImmediate(callback),

  expectWorkers,
  endIdleWorkers,
  startWorker,
  moduleAddress: (module) => (/^[a-z][a-z0-9+.-]+:/i.test(module) ? module : pathToFileURL(module).href),
  threadsLoadAlike: true,
  readFileNow: (path) => fileWork(path, () => readFileSync(path)),
  writeFileNow: (path, bytes) => fileWork(path, () => writeFileSync(path, bytes)),
  appendFileNow: (path, bytes) => fileWork(path, () => appendFileSync(path, bytes)),
  collectGarbage() {
    // The function is a global of contexts that are made meanwhile. Only this flavor gives the young generation's room back.
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')({ type: 'major', flavor: 'last-resort', execution: 'sync' });
    setFlagsFromString('--no-expose-gc');
  },
  workerData,
  post: (message) => parentPort!.postMessage(message),
  workerEnds: () => {},
};
