// Disks that a browser keeps for a page's origin: made, listed, taken out, and given to machines. Each has one writer, or readers, in all tabs of the origin: Web Locks see to it, which end with the tab that holds them.
import type { DiskDevice } from '../api/disks.ts';
import { DragomanError } from '../api/errors.ts';
import { SECTOR } from '../disks/disk.ts';
import { checkRaw, HEAD_BYTES } from '../disks/image-format.ts';
import type { DiskAnswer, DiskRequest } from './disk-server.ts';
import type { OriginDiskStart, OriginDiskStarted } from './origin-disk-worker.ts';
import { diskFile, diskFolder, diskNameOf, fileNameOf, hasOriginFiles } from './origin-folder.ts';

/** A disk of the origin, as a list of them has it. */
export interface OriginDiskEntry {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** When it was last written, Unix milliseconds. */
  readonly modifiedMs: number;
  /** A machine has it, in this tab or another one. */
  readonly inUse: boolean;
}

/** What the browser lets the origin keep, disks and all else. */
export interface OriginRoom {
  /** Bytes; both are estimates, which the browser may blur. */
  readonly used: number;
  readonly most: number;
  /** Whether it keeps it until somebody deletes it; if not, it may take all of it away when it wants the room. */
  readonly persisted: boolean;
}

export interface OriginDiskOptions {
  /** The guest cannot write, and other readers are not kept away. Default: false. */
  readonly readOnly?: boolean | undefined;
  /** The guest writes to an overlay that is gone at the end. Default: false. */
  readonly snapshot?: boolean | undefined;
  /** Is told of each request that failed: HOST_LIMIT where there is no room. The guest sees an I/O error. */
  readonly onError?: ((error: DragomanError) => void) | undefined;
}

/** A disk of the origin as a machine takes it (`disks` of MachineOptions): machine after machine, one at a time. The file is open from Machine.create() to the end of the run. */
export interface OriginDisk extends DiskDevice {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  open(): Promise<void>;
  close(): Promise<void>;
}

export interface MakeDiskOptions {
  /** 'raw': whatever its first bytes look like. Default: it is raw, but refused (BAD_DISK) where it begins as an image of another format does. */
  readonly format?: 'raw' | undefined;
  /** Called as bytes of a Blob are written, with how many are by then. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** Ends it: create() rejects with its reason, and there is no disk. */
  readonly signal?: AbortSignal | undefined;
}

const LONGEST_NAME = 64;
const LONGEST_FILE_NAME = 250;
const PIECE = 4 << 20;
/** How a program says that an image is raw. */
const FORCE = "format: 'raw'";

const lockOf = (name: string): string => `dragoman disk ${name}`;
const whereIs = (name: string): string => `disk '${name}'`;
const isA = (error: unknown, name: string): boolean => (error as { name?: unknown } | undefined)?.name === name;

function check(name: unknown): string {
  if (!hasOriginFiles() || globalThis.navigator.locks === undefined || typeof Worker !== 'function')
    throw new DragomanError(
      'NOT_SUPPORTED',
      'not supported: disks of an origin where there is no browser that has files of it',
      'originDisk',
    );
  if (
    typeof name !== 'string' ||
    name.length > LONGEST_NAME ||
    !/^[^\p{C}/\\,]+$/u.test(name) ||
    fileNameOf(name).length > LONGEST_FILE_NAME
  )
    throw new DragomanError('BAD_OPTION', `a disk's name has 1 to ${LONGEST_NAME} characters, no slash and no comma`, String(name));
  return name;
}

/** What a browser says, as somebody can act on it. */
async function told(error: unknown, name: string, wanted?: number): Promise<DragomanError> {
  if (error instanceof DragomanError) return error;
  const { message } = error as Error;
  const fails = (code: 'NO_FILE' | 'BAD_DISK' | 'HOST_LIMIT', why: string) => new DragomanError(code, why, whereIs(name), { cause: error });
  if (isA(error, 'NotFoundError')) return fails('NO_FILE', 'there is no such disk in this browser, for pages of this origin');
  if (isA(error, 'NoModificationAllowedError')) return fails('BAD_DISK', IN_USE);
  if (!isA(error, 'QuotaExceededError')) return fails('BAD_DISK', message);
  const { used, most } = await room();
  const size = wanted === undefined ? 'what is written to it' : `${wanted} bytes`;
  return fails('HOST_LIMIT', `the browser has no room for ${size}: it gives this origin ${most} bytes, of which ${used} are used`);
}
const IN_USE = 'the disk is in use: a machine has it, perhaps in another tab (only read-only disks and snapshots can be shared)';

/** How long somebody who is about to be done with a disk is waited for, in milliseconds: another tab that lists or exports it, and a browser that is told of a lock's end by one process, and asked for the lock by another one before that. */
const SOON = 1000;

/** Holds a disk's lock until the function that it gives is called, whose promise settles when it is free. Rejects with BAD_DISK where somebody has it, and keeps it. */
async function hold(name: string, mode: LockMode): Promise<() => Promise<unknown>> {
  const { promise, resolve } = Promise.withResolvers<() => void>();
  const signal = AbortSignal.timeout(SOON);
  const held = navigator.locks.request(lockOf(name), { mode, signal }, () => new Promise<void>(resolve));
  const release = await Promise.race([promise, held]).catch((error: unknown) => {
    throw signal.aborted ? new DragomanError('BAD_DISK', IN_USE, whereIs(name), { cause: error }) : error;
  });
  return () => {
    release!();
    return held;
  };
}

/** The file in its Worker. */
class OpenFile {
  /** All in one, so that bundlers see that it is a Worker's script: what is none and small Vite puts into others, and from there it may not have files of the origin. */
  readonly #worker = new Worker(new URL('./origin-disk-worker.js', import.meta.url), { type: 'module', name: 'disk' });
  readonly #waiting: PromiseWithResolvers<unknown>[] = [];
  #broken: Error | undefined;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<OriginDiskStarted | DiskAnswer>) => {
      const asked = this.#waiting.shift();
      if (data.error === undefined) asked?.resolve(data);
      else asked?.reject(Object.assign(new Error(data.error.message), { name: data.error.name }));
    };
    this.#worker.onerror = ({ message }) => {
      this.#broken = new Error(message || 'the script of the disk cannot be loaded');
      for (const asked of this.#waiting.splice(0)) asked.reject(this.#broken);
    };
  }

  start(start: OriginDiskStart): Promise<{ readonly size: number }> {
    return this.#ask(start, []) as Promise<{ readonly size: number }>;
  }

  async request(request: DiskRequest, transfer: readonly Transferable[] = []): Promise<Uint8Array | undefined> {
    return ((await this.#ask(request, transfer)) as { readonly bytes?: Uint8Array }).bytes;
  }

  end(): void {
    this.#worker.terminate();
    for (const asked of this.#waiting.splice(0)) asked.reject(new Error('the disk was closed'));
  }

  #ask(message: OriginDiskStart | DiskRequest, transfer: readonly Transferable[]): Promise<unknown> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const asked = Promise.withResolvers<unknown>();
    this.#waiting.push(asked);
    this.#worker.postMessage(message, [...transfer]);
    return asked.promise;
  }
}

/**
 * A disk that the browser keeps for the page's origin (its private file system), for `disks` of MachineOptions. What the guest has flushed is on the host's disk. Rejects with NO_FILE where there is none of that name, and in Node with NOT_SUPPORTED;
 * Machine.create() rejects with BAD_DISK where another machine has it.
 *
 * @example
 *
 *     await originDisks.create('data', 64 * MiB);
 *     await using machine = await Machine.create({ kernel, disks: [await originDisk('data')] });
 */
export async function originDisk(
  name: string,
  { readOnly = false, snapshot = false, onError }: OriginDiskOptions = {},
): Promise<OriginDisk> {
  check(name);
  const { size } = await found(name);
  let opened: OpenFile | undefined;
  let release: (() => Promise<unknown>) | undefined;
  let closing: Promise<void> = Promise.resolve();
  const ask = async (request: DiskRequest, transfer?: readonly Transferable[]): Promise<Uint8Array | undefined> => {
    try {
      if (opened === undefined) throw new DragomanError('BAD_STATE', 'the disk is not open', whereIs(name));
      return await opened.request(request, transfer);
    } catch (cause) {
      const error = await told(cause, name);
      onError?.(error);
      throw error;
    }
  };
  const close = async () => {
    const [file, free] = [opened, release];
    opened = undefined;
    release = undefined;
    try {
      await file?.request({ kind: 'close' });
    } catch (error) {
      onError?.(await told(error, name));
    } finally {
      file?.end();
      await free?.();
    }
  };
  return {
    name,
    size,
    readOnly,
    snapshot,
    async open() {
      await closing;
      if (opened !== undefined) throw new DragomanError('BAD_DISK', IN_USE, whereIs(name));
      const onlyRead = readOnly || snapshot;
      const free = await hold(name, onlyRead ? 'shared' : 'exclusive');
      const file = new OpenFile();
      try {
        const started = await file.start({ name, readOnly: onlyRead });
        if (started.size !== size)
          throw new DragomanError('BAD_DISK', `it has ${started.size} bytes now, and had ${size}: ask for it anew`, whereIs(name));
      } catch (error) {
        file.end();
        await free();
        throw await told(error, name);
      }
      opened = file;
      release = free;
    },
    read: async (offset, length) => (await ask({ kind: 'read', offset, length }))!,
    async write(offset, bytes) {
      const own = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
      await ask({ kind: 'write', offset, bytes: own }, [own.buffer as ArrayBuffer]);
    },
    flush: () => ask({ kind: 'flush' }),
    close: () => (closing = close()),
  };
}

/** The file of a disk that is there: an empty one is what an interrupted create() has left. */
async function found(name: string): Promise<File> {
  try {
    const file = await (await diskFile(name, false)).getFile();
    if (file.size > 0) return file;
  } catch (error) {
    throw await told(error, name);
  }
  throw new DragomanError('NO_FILE', 'there is no such disk in this browser, for pages of this origin', whereIs(name));
}

async function list(): Promise<readonly OriginDiskEntry[]> {
  check('any');
  const { held = [] } = await navigator.locks.query();
  const locked = new Set(held.map((lock) => lock.name));
  const entries: OriginDiskEntry[] = [];
  for await (const entry of (await diskFolder()).values()) {
    if (entry.kind !== 'file') continue;
    const { size, lastModified } = await entry.getFile();
    const name = diskNameOf(entry.name);
    if (size > 0) entries.push({ name, size, modifiedMs: lastModified, inUse: locked.has(lockOf(name)) });
  }
  return entries.sort((a, b) => a.name.localeCompare(b.name));
}

async function create(name: string, content: number | Blob, { format, onProgress, signal }: MakeDiskOptions = {}): Promise<void> {
  check(name);
  const size = typeof content === 'number' ? content : content.size;
  if (!Number.isSafeInteger(size) || size < SECTOR || size % SECTOR !== 0)
    throw new DragomanError('BAD_DISK', `${size} bytes: a disk has a multiple of ${SECTOR}, and is not empty`, whereIs(name));
  if (typeof content !== 'number' && format === undefined)
    checkRaw(new Uint8Array(await content.slice(0, HEAD_BYTES).arrayBuffer()), whereIs(name), FORCE);
  const free = await hold(name, 'exclusive');
  try {
    const there = await found(name).then(
      () => true,
      () => false,
    );
    if (there) throw new DragomanError('BAD_DISK', 'there is a disk of this name already', whereIs(name));
    const handle = await diskFile(name, true);
    try {
      // What is written takes the file's place when it is closed, as a whole.
      const writable = await handle.createWritable();
      try {
        if (typeof content === 'number') await writable.truncate(content);
        else
          for (let at = 0; at < size; at += PIECE) {
            signal?.throwIfAborted();
            await writable.write(content.slice(at, at + PIECE));
            onProgress?.(Math.min(size, at + PIECE));
          }
        signal?.throwIfAborted();
        await writable.close();
      } catch (error) {
        await writable.abort().catch(() => {});
        throw error;
      }
    } catch (error) {
      await (await diskFolder()).removeEntry(fileNameOf(name)).catch(() => {});
      throw error;
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw await told(error, name, size);
  } finally {
    await free();
  }
}

async function blob(name: string): Promise<Blob> {
  check(name);
  const free = await hold(name, 'shared');
  try {
    return await found(name);
  } finally {
    await free();
  }
}

async function remove(name: string): Promise<void> {
  check(name);
  const free = await hold(name, 'exclusive');
  try {
    await (await diskFolder()).removeEntry(fileNameOf(name));
  } catch (error) {
    throw await told(error, name);
  } finally {
    await free();
  }
}

async function room(): Promise<OriginRoom> {
  check('any');
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return { used: usage, most: quota, persisted: (await navigator.storage.persisted?.()) ?? false };
}

/** The disks that this browser keeps for the page's origin. In Node each of these rejects with NOT_SUPPORTED. */
export interface OriginDisks {
  /** By name. */
  list(): Promise<readonly OriginDiskEntry[]>;
  /**
   * Makes a disk: so many bytes of zeros, or what is in a Blob (a raw image), in multiples of 512. It is there as a whole when this resolves, or else not at all. Rejects with BAD_DISK where there is one of that name already, HOST_LIMIT where the
   * browser has no room, BAD_OPTION for a name that cannot be.
   */
  create(name: string, content: number | Blob, options?: MakeDiskOptions): Promise<void>;
  /** All of it, as it is now: to be downloaded, say. Who reads it once a machine has written to the disk gets an error. Rejects with NO_FILE, and with BAD_DISK where a machine writes it now. */
  blob(name: string): Promise<Blob>;
  /** Rejects with NO_FILE, and with BAD_DISK where a machine has it. */
  remove(name: string): Promise<void>;
  room(): Promise<OriginRoom>;
}
export const originDisks: OriginDisks = { list, create, blob, remove, room };
