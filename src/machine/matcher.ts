// Finds a text in a stream of bytes, wherever the stream is cut into chunks.

export class Matcher {
  readonly #text: Uint8Array;
  /** By how many bytes of the text have come: how many of them may be the start of another place of it. */
  readonly #shorter: readonly number[];
  #come = 0;

  /** `text`: not empty. */
  constructor(text: string) {
    this.#text = new TextEncoder().encode(text);
    const shorter = [0, 0];
    for (let n = 1, k = 0; n < this.#text.length; n++) {
      while (k > 0 && this.#text[n] !== this.#text[k]) k = shorter[k]!;
      if (this.#text[n] === this.#text[k]) k++;
      shorter.push(k);
    }
    this.#shorter = shorter;
  }

  /** How many bytes of the chunk are the last ones of the text, with all before them; 0: it has come before; -1: it has not come. */
  push(chunk: Uint8Array): number {
    const text = this.#text;
    for (let n = 0; n < chunk.length && this.#come < text.length; n++) {
      while (this.#come > 0 && chunk[n] !== text[this.#come]) this.#come = this.#shorter[this.#come]!;
      if (chunk[n] === text[this.#come]) this.#come++;
      if (this.#come === text.length) return n + 1;
    }
    return this.#come === text.length ? 0 : -1;
  }
}
