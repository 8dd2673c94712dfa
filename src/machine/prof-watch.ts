// The client prof of a machine: which part of the run its counts are of. The guest's CPUs count all the time; this looks at their counts when the console has printed a text.
import type { ClientRequest } from '../api/clients.ts';
import type { ProfStats } from '../api/options.ts';
import { Matcher } from './matcher.ts';
import { countedBetween, type ProfCounters, profStats } from './report/prof.ts';

export class ProfWatch {
  readonly #read: () => ProfCounters;
  readonly #from: Matcher | undefined;
  readonly #until: Matcher | undefined;
  /** At the start of the part, and at its end. */
  #before: ProfCounters | undefined;
  #last: ProfCounters | undefined;
  #begun: boolean;

  /** `read`: the counts now. */
  constructor({ options: { from, until } }: ClientRequest, read: () => ProfCounters) {
    this.#read = read;
    this.#from = from === undefined ? undefined : new Matcher(from);
    this.#until = until === undefined ? undefined : new Matcher(until);
    this.#begun = from === undefined;
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
      this.#before = this.#read();
      rest = bytes.subarray(came);
    }
    if (this.#last === undefined && (this.#until?.push(rest) ?? -1) >= 0) this.#last = this.#read();
  }

  get stats(): ProfStats {
    const now = this.#last ?? this.#read();
    return profStats(countedBetween(this.#begun ? this.#before : now, now), this.#begun, this.#last !== undefined);
  }
}
