// A console of the guest's as programs hold it: what it prints as a stream or as text to wait for, and what is typed into it.
import type { Bytes } from './bytes.ts';

/** What until() found. */
export interface Found {
  /** What the guest has printed from where the search began to the match; of more than UNTIL_BUFFER characters the last ones. */
  readonly before: string;
  readonly match: string;
  /** The groups of a regular expression, from the first on. */
  readonly groups: readonly (string | undefined)[];
}

export interface UntilOptions {
  /** Ends the wait: until() rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of the host's clock until it rejects with TIMEOUT. Default: none. */
  readonly timeoutMs?: number | undefined;
}

/** So many characters are kept of what the guest has printed, for until(); and the longest that a regular expression is sure to find. */
export const UNTIL_BUFFER = 1024 * 1024;
export const UNTIL_PATTERN = 64 * 1024;

export interface Channel {
  /**
   * What the guest prints from now on, until the run has ended; who wants all of it takes this before run(). A reader who falls behind makes the guest wait, as on a slow line; one who cancels does not. There
   * is one stream, the same each time.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /** The same as type() for each chunk. */
  readonly writable: WritableStream<Bytes | string>;
  /** Types text (as UTF-8) or bytes. Resolves when not much of it waits for the guest any more, or the run has ended: who has more to type had better wait for it. Rejects with BAD_OPTION. */
  type(input: Bytes | string): Promise<void>;
  /**
   * Resolves when the guest has printed a text, or something that a regular expression matches, since what was found last (at first: since power-on), however it came in pieces. CR LF counts as LF. Several may
   * wait at once: each looks from where the last find was when it was asked. Rejects with TIMEOUT; with ENDED where the run ends first; with the reason of `signal`; with BAD_OPTION.
   */
  until(what: string | RegExp, options?: UntilOptions): Promise<Found>;
}
