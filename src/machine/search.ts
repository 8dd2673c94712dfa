// Looks for a text, or for what a regular expression matches, in what a guest prints, again and again as more of it comes.
import { type Found, UNTIL_PATTERN } from '../api/channel.ts';
import type { ReceivedText } from './received-text.ts';

export class Search {
  readonly #what: string | RegExp;
  readonly #from: number;
  /** There is no match that begins before this. */
  #next: number;

  /** `from`: the place where it begins. */
  constructor(what: string | RegExp, from: number) {
    // Where the last look ended is none of the expression's business.
    this.#what = typeof what === 'string' ? what : new RegExp(what.source, what.flags.replaceAll(/[gy]/g, ''));
    this.#from = from;
    this.#next = from;
  }

  /** What it found, and the place behind that. */
  look(text: ReceivedText): { readonly found: Found; readonly end: number } | undefined {
    const what = this.#what;
    const part = text.slice(this.#next);
    const start = text.end - part.length;
    if (typeof what === 'string') {
      const index = part.indexOf(what);
      if (index >= 0) return this.#found(text, start + index, what, []);
      this.#next = Math.max(this.#next, text.end - what.length + 1);
      return undefined;
    }
    const match = what.exec(part);
    if (match !== null) return this.#found(text, start + match.index, match[0], match.slice(1));
    this.#next = Math.max(this.#next, text.end - UNTIL_PATTERN);
    return undefined;
  }

  #found(text: ReceivedText, at: number, match: string, groups: readonly (string | undefined)[]) {
    return { found: { before: text.slice(this.#from, at), match, groups }, end: at + match.length };
  }
}
