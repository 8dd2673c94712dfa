// Finds a text in a stream of bytes, wherever the stream is cut into chunks.

export class Matcher {
  readonly #text: Buffer;
  #tail: Buffer = Buffer.alloc(0);
  #found = false;

  constructor(text: string) {
    this.#text = Buffer.from(text);
  }

  /** True from the chunk on that completes the text. */
  push(chunk: Uint8Array): boolean {
    if (this.#found) return true;
    const all = Buffer.concat([this.#tail, chunk]);
    this.#found = all.includes(this.#text);
    // A match that ends in the next chunk starts in the last (length - 1) bytes.
    const keep = Math.min(all.length, this.#text.length - 1);
    this.#tail = all.subarray(all.length - keep);
    return this.#found;
  }
}
