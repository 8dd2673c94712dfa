// A snapshot's bytes: magic and version in clear, then one gzip stream (whose end checks all of it): the length of the header, the header as JSON, and sections one behind the other, whose
// sizes follow from the header.
import { DragomanError } from '../api/errors.ts';
import { host } from '../host/node.ts';

const MAGIC = 'DRAGOMAN SNP';
/** Of what is in a snapshot, and how. */
export const SNAPSHOT_VERSION = 2;
const CLEAR_BYTES = MAGIC.length + 4;
const LARGEST_HEADER = 4 << 20;

export function bad(message: string, cause?: unknown): never {
  throw new DragomanError('BAD_SNAPSHOT', message, undefined, cause === undefined ? undefined : { cause });
}

async function collect(stream: ReadableStream<Uint8Array>, first: Uint8Array): Promise<Uint8Array> {
  const pieces = [first];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The bytes of a snapshot. */
export async function writeSnapshot(header: object, sections: Iterable<Uint8Array>): Promise<Uint8Array> {
  const clear = new Uint8Array(CLEAR_BYTES);
  new TextEncoder().encodeInto(MAGIC, clear);
  new DataView(clear.buffer).setUint32(MAGIC.length, SNAPSHOT_VERSION, true);
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, json.length, true);
  const gzip = new CompressionStream('gzip');
  const all = collect(gzip.readable, clear);
  const writer = gzip.writable.getWriter();
  const write = async (): Promise<void> => {
    for (const part of [length, json]) await writer.write(part);
    for (const part of sections) await writer.write(part as Uint8Array<ArrayBuffer>);
    await writer.close();
  };
  return (await Promise.all([all, write()]))[0];
}

/** Reads a snapshot from its start to its end. All that is wrong with it is BAD_SNAPSHOT. */
export class SnapshotReader {
  readonly #pieces: AsyncGenerator<Uint8Array>;
  #piece = new Uint8Array(0);

  /** Throws where it is none, or of another version. */
  constructor(bytes: Uint8Array) {
    const clear = bytes.subarray(0, CLEAR_BYTES);
    if (clear.length < CLEAR_BYTES || new TextDecoder('latin1').decode(clear.subarray(0, MAGIC.length)) !== MAGIC)
      bad('this is no snapshot of Dragoman');
    const version = new DataView(clear.buffer, clear.byteOffset).getUint32(MAGIC.length, true);
    if (version !== SNAPSHOT_VERSION) bad(`it is of version ${version}, and this Dragoman reads version ${SNAPSHOT_VERSION}`);
    this.#pieces = host.gunzip(bytes.subarray(CLEAR_BYTES));
  }

  /** The header, as JSON has it. */
  async header(): Promise<unknown> {
    const length = new DataView((await this.take(4)).buffer).getUint32(0, true);
    if (length > LARGEST_HEADER) bad(`it is damaged: a header of ${length} bytes`);
    const text = new TextDecoder().decode(await this.take(length));
    try {
      return JSON.parse(text);
    } catch (cause) {
      return bad('it is damaged: its header cannot be read', cause);
    }
  }

  /** The next `count` bytes; the caller knows that a machine may have so many. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    await this.fill(bytes);
    return bytes;
  }

  /** Fills `into` with the next bytes. */
  async fill(into: Uint8Array): Promise<void> {
    for (let at = 0; at < into.length; ) {
      if (this.#piece.length === 0) {
        const next = await this.#read();
        if (next === undefined) bad('it is cut off');
        this.#piece = next as Uint8Array<ArrayBuffer>;
      }
      const count = Math.min(this.#piece.length, into.length - at);
      into.set(this.#piece.subarray(0, count), at);
      this.#piece = this.#piece.subarray(count);
      at += count;
    }
  }

  /** All has been read; this looks whether it was right. */
  async end(): Promise<void> {
    for (let piece: Uint8Array | undefined = this.#piece; piece !== undefined; piece = await this.#read())
      if (piece.length > 0) bad('it is damaged: there is more in it than its header says');
  }

  /** Nothing more is wanted. */
  cancel(): void {
    this.#pieces.return(undefined).catch(() => {});
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await this.#pieces.next();
      return done ? undefined : value;
    } catch (cause) {
      return bad(`it is damaged or cut off: ${(cause as Error).message}`, cause);
    }
  }
}
