// Where the bytes of a run go: files, and standard output that may be closed by its reader at any time.
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { DragomanError } from '../api/errors.ts';
import { reasonOf } from './inputs.ts';
import { Status } from './status.ts';

export interface Sink {
  /** Empties a file that has been there before. Until then nothing is lost, whatever else is wrong with a run. */
  begin(): void;
  write(bytes: Uint8Array | string): void;
  /** All that was written is where it should be. No write may follow. */
  close(): Promise<void>;
}

const BATCH = 64 * 1024;

/** A file that is opened at once, so that a wrong name is found before the run; written in batches, at the latest when the event loop turns. */
class FileSink implements Sink {
  readonly #path: string;
  readonly #fd: number;
  readonly #failed: (error: DragomanError) => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #scheduled = false;
  #broken = false;
  #begun = false;

  constructor(path: string, failed: (error: DragomanError) => void) {
    this.#path = path;
    this.#failed = failed;
    try {
      this.#fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o666);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'NO_FILE' : 'BAD_OPTION';
      throw new DragomanError(code, `cannot write: ${code === 'NO_FILE' ? 'no such folder' : reasonOf(error)}`, path, { cause: error });
    }
    if (fstatSync(this.#fd).isDirectory()) throw new DragomanError('BAD_OPTION', 'cannot write: is a directory', path);
  }

  begin(): void {
    if (!this.#begun && fstatSync(this.#fd).isFile()) ftruncateSync(this.#fd);
    this.#begun = true;
  }

  write(bytes: Uint8Array | string): void {
    const chunk = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= BATCH) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#flush();
      });
    }
  }

  async close(): Promise<void> {
    this.#flush();
    if (!this.#broken) closeSync(this.#fd);
    this.#broken = true;
  }

  #flush(): void {
    if (this.#bytes === 0 || this.#broken) return;
    this.begin();
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    try {
      for (let at = 0; at < all.length; ) at += writeSync(this.#fd, all, at);
    } catch (error) {
      this.#broken = true;
      closeSync(this.#fd);
      this.#failed(new DragomanError('BAD_OPTION', `cannot write: ${reasonOf(error)}`, this.#path, { cause: error }));
    }
  }
}

/** Standard output. The first write that fails is reported (EPIPE: the reader went away); what is written after that is dropped. */
export class StreamSink implements Sink {
  readonly #stream: Writable;
  #gone = false;
  #lastByte = 0x0a;

  constructor(stream: Writable, failed: (error: NodeJS.ErrnoException) => void) {
    this.#stream = stream;
    stream.on('error', (error) => {
      if (this.#gone) return;
      this.#gone = true;
      failed(error);
    });
  }

  begin(): void {}

  write(bytes: Uint8Array | string): void {
    if (this.#gone || bytes.length === 0) return;
    this.#lastByte = typeof bytes === 'string' ? bytes.charCodeAt(bytes.length - 1) : bytes[bytes.length - 1];
    this.#stream.write(bytes);
  }

  /** True where the next byte starts a line. */
  get atLineStart(): boolean {
    return this.#lastByte === 0x0a;
  }

  /** Waits until the system took all bytes. Standard output itself stays open. */
  async close(): Promise<void> {
    if (this.#gone) return;
    await new Promise<void>((resolve) => {
      this.#stream.once('error', () => resolve());
      this.#stream.write('', () => resolve());
    });
  }
}

/** What to tell of a write to standard output that failed, and the exit status; `noReader`: that of a reader that went away. */
export function outputFailure(error: NodeJS.ErrnoException, noReader: number): { readonly status: number; readonly text: string } {
  if (error.code === 'EPIPE') return { status: noReader, text: 'nobody reads standard output any more' };
  return { status: Status.USAGE, text: `cannot write standard output: ${reasonOf(error)}` };
}

/** The sink that an option names: '-' is standard output. */
export function openSink(path: string | undefined, output: StreamSink, failed: (error: DragomanError) => void): Sink | undefined {
  if (path === undefined) return undefined;
  return path === '-' ? output : new FileSink(path, failed);
}
