// gzip in a browser.

/** Packed bytes that are given at once. */
const PIECE_BYTES = 1 << 18;

/** Gives all bytes, as fast as they are wanted. (A Blob's stream does the same in twice the time.) */
async function feed(writer: WritableStreamDefaultWriter<BufferSource>, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    await writer.write(bytes.subarray(at, at + PIECE_BYTES) as Uint8Array<ArrayBuffer>);
  await writer.close();
}

/** As Host.gunzip. */
export async function* gunzip(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const stream = new DecompressionStream('gzip');
  // What goes wrong there is told where it is read.
  feed(stream.writable.getWriter(), bytes).catch(() => {});
  const reader = stream.readable.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}
