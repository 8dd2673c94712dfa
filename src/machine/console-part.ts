// The part of a run that a client is asked for: from when the console has printed one text until it has then printed another.
import { Matcher } from './matcher.ts';

/** Texts of a client's options. */
export interface PartTexts {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/** Who wants to know when a part begins and ends. A part without a first text has begun from the start. */
export interface PartEnds {
  readonly onBegin: () => void;
  readonly onEnd: () => void;
}

export class ConsolePart {
  readonly #from: Matcher | undefined;
  readonly #until: Matcher | undefined;
  readonly #ends: PartEnds;
  #begun: boolean;
  #ended = false;

  constructor({ from, until }: PartTexts, ends: PartEnds) {
    this.#from = from === undefined ? undefined : new Matcher(from);
    this.#until = until === undefined ? undefined : new Matcher(until);
    this.#begun = from === undefined;
    this.#ends = ends;
  }

  get begun(): boolean {
    return this.#begun;
  }
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether it wants to see what the console prints. */
  get watches(): boolean {
    return this.#from !== undefined || this.#until !== undefined;
  }

  /** The console has printed these. */
  see(bytes: Uint8Array): void {
    let rest = bytes;
    if (!this.#begun) {
      const came = this.#from!.push(bytes);
      if (came < 0) return;
      this.#begun = true;
      this.#ends.onBegin();
      rest = bytes.subarray(came);
    }
    if (this.#ended || (this.#until?.push(rest) ?? -1) < 0) return;
    this.#ended = true;
    this.#ends.onEnd();
  }
}
