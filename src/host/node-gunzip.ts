// gzip in Node: unpacked on threads of Node's own, in pieces that are large enough that handing them over costs nothing. (A DecompressionStream's have 16 KiB.)
import { createGunzip } from 'node:zlib';

const PIECE_BYTES = 1 << 20;

/** As Host.gunzip. */
export async function* gunzip(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const stream = createGunzip({ chunkSize: PIECE_BYTES });
  stream.end(bytes);
  for await (const piece of stream as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    yield piece;
    // Its memory serves the next one: V8 would collect garbage for it, and the system clear new pages.
    if (piece.length === piece.buffer.byteLength) piece.buffer.transfer(0);
  }
  if (stream.bytesWritten !== bytes.length) throw new Error('there is more behind its end');
}
