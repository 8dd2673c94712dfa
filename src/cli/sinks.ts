// Where the bytes of a run go: files, and pipes and terminals, whose readers may be slow, or go away at any time.
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { isatty, WriteStream } from 'node:tty';
import { DragomanError } from '../api/errors.ts';
import { reasonOf } from './inputs.ts';
import type { Patience } from './patience.ts';
import { Status } from './status.ts';

export interface Sink {
  /** Empties a file that has been there before. Until then nothing is lost, whatever else is wrong with a run. */
  begin(): void;
  /** A promise: the reader is behind, and had better get more only when it resolves. */
  write(bytes: Uint8Array | string): Promise<void> | undefined;
  /** Waits, with patience, until all that was written is where it should be: how many bytes are not. No write may follow. */
  close(patience: Patience): Promise<number>;
}

const BATCH = 64 * 1024;

/** A file that is written in batches, at the latest when the event loop turns. */
class FileSink implements Sink {
  readonly #path: string;
  readonly #fd: number;
  readonly #failed: (error: DragomanError) => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #scheduled = false;
  #broken = false;
  #begun = false;

  constructor(path: string, fd: number, failed: (error: DragomanError) => void) {
    this.#path = path;
    this.#fd = fd;
    this.#failed = failed;
  }

  begin(): void {
    if (!this.#begun && fstatSync(this.#fd).isFile()) ftruncateSync(this.#fd);
    this.#begun = true;
  }

  write(bytes: Uint8Array | string): undefined {
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

  async close(): Promise<number> {
    this.#flush();
    if (!this.#broken) closeSync(this.#fd);
    this.#broken = true;
    return 0;
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
      this.#failed(cannotWrite(this.#path, error));
    }
  }
}

/** A pipe or a terminal. The first write that fails is reported (EPIPE: the reader went away); what is written after that is dropped. */
export class StreamSink implements Sink {
  readonly #stream: Writable;
  #gone = false;
  #lastByte = 0x0a;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(stream: Writable, failed: (error: NodeJS.ErrnoException) => void) {
    this.#stream = stream;
    // Node waits for terminals as for files: one that nobody reads would hold up this thread, keys and time-outs with it.
    const terminal = stream as { isTTY?: boolean; _handle?: { setBlocking?(blocking: boolean): void } };
    if (terminal.isTTY) terminal._handle?.setBlocking?.(false);
    stream.on('drain', () => this.#resume());
    stream.on('error', (error) => {
      if (this.#gone) return;
      this.#gone = true;
      this.#resume();
      failed(error);
    });
  }

  begin(): void {}

  write(bytes: Uint8Array | string): Promise<void> | undefined {
    if (this.#gone || bytes.length === 0) return undefined;
    this.#lastByte = typeof bytes === 'string' ? bytes.charCodeAt(bytes.length - 1) : bytes[bytes.length - 1];
    if (this.#stream.write(bytes)) return undefined;
    this.#drained ??= Promise.withResolvers<void>();
    return this.#drained.promise;
  }

  #resume(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** True where the next byte starts a line. */
  get atLineStart(): boolean {
    return this.#lastByte === 0x0a;
  }

  /** Waits until the system took all bytes. The stream itself stays open. */
  async close(patience: Patience): Promise<number> {
    const stream = this.#stream;
    if (this.#gone) return 0;
    const written = new Promise<void>((resolve) => {
      stream.once('error', () => resolve());
      stream.write('', () => resolve());
    });
    await patience.wait(written, () => stream.writableLength);
    return this.#gone ? 0 : stream.writableLength;
  }
}

function cannotWrite(path: string, error: unknown): DragomanError {
  return new DragomanError('BAD_OPTION', `cannot write: ${reasonOf(error)}`, path, { cause: error });
}

/** What to tell of a write to standard output that failed, and the exit status; `noReader`: that of a reader that went away. */
export function outputFailure(error: NodeJS.ErrnoException, noReader: number): { readonly status: number; readonly text: string } {
  if (error.code === 'EPIPE') return { status: noReader, text: 'nobody reads standard output any more' };
  return { status: Status.USAGE, text: `cannot write standard output: ${reasonOf(error)}` };
}

/** The sink that an option names: '-' is standard output. Anything else is opened at once, so that a wrong name is found before the run. */
export function openSink(path: string | undefined, output: StreamSink, failed: (error: DragomanError) => void): Sink | undefined {
  if (path === undefined) return undefined;
  if (path === '-') return output;
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o666);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'NO_FILE' : 'BAD_OPTION';
    throw new DragomanError(code, `cannot write: ${code === 'NO_FILE' ? 'no such folder' : reasonOf(error)}`, path, { cause: error });
  }
  const stat = fstatSync(fd);
  if (stat.isDirectory()) throw new DragomanError('BAD_OPTION', 'cannot write: is a directory', path);
  const stream = isatty(fd) ? new WriteStream(fd) : stat.isFIFO() ? new Socket({ fd, readable: false, writable: true }) : undefined;
  return stream === undefined ? new FileSink(path, fd, failed) : new StreamSink(stream, (error) => failed(cannotWrite(path, error)));
}
