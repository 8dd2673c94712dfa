// What a guest has printed as text, the last of it: places in it count from the first character on.
import { UNTIL_BUFFER } from '../api/channel.ts';

/** Characters of a piece, about: a search looks at the last pieces, again and again. */
const PIECE = 4096;

export class ReceivedText {
  readonly #decoder = new TextDecoder();
  /** In their order, one behind the other. */
  readonly #pieces: string[] = [];
  /** Where the first one begins, and the last one ends. */
  #start = 0;
  #end = 0;
  /** A CR has come: whether it is part of a CR LF is not known yet. */
  #cr = false;

  /** How much has come so far. */
  get end(): number {
    return this.#end;
  }

  /** UTF-8, cut anywhere. */
  push(bytes: Uint8Array): void {
    const decoded = this.#decoder.decode(bytes, { stream: true });
    if (decoded === '') return;
    const all = this.#cr ? `\r${decoded}` : decoded;
    this.#cr = all.endsWith('\r');
    this.#add((this.#cr ? all.slice(0, -1) : all).replaceAll('\r\n', '\n'));
  }

  /** Nothing comes any more. */
  finish(): void {
    this.#add((this.#cr ? '\r' : '') + this.#decoder.decode());
    this.#cr = false;
  }

  #add(text: string): void {
    const pieces = this.#pieces;
    const last = pieces.length - 1;
    if (last >= 0 && pieces[last]!.length < PIECE) pieces[last] += text;
    else pieces.push(text);
    this.#end += text.length;
    while (this.#end - this.#start - pieces[0]!.length > UNTIL_BUFFER) this.#start += pieces.shift()!.length;
  }

  /** From one place to another, as far as it is kept. */
  slice(from: number, to = this.#end): string {
    const parts: string[] = [];
    let end = this.#end;
    for (let n = this.#pieces.length - 1; n >= 0 && end > from; n--) {
      const piece = this.#pieces[n]!;
      const start = end - piece.length;
      if (start < to) parts.push(piece.slice(Math.max(from - start, 0), to - start));
      end = start;
    }
    return parts.reverse().join('');
  }
}
