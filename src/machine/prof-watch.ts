// The client prof of a machine: which part of the run its counts are of. The guest's CPUs count all the time; this looks at their counts when the console has printed a text.
import type { ClientRequest } from '../api/clients.ts';
import type { ProfStats } from '../api/options.ts';
import { ConsolePart } from './console-part.ts';
import { countedBetween, type ProfCounters, profStats } from './report/prof.ts';

export class ProfWatch {
  readonly part: ConsolePart;
  readonly #read: () => ProfCounters;
  /** At the start of the part, and at its end. */
  #before: ProfCounters | undefined;
  #last: ProfCounters | undefined;

  /** `read`: the counts now. */
  constructor({ options }: ClientRequest, read: () => ProfCounters) {
    this.#read = read;
    this.part = new ConsolePart(options, {
      onBegin: () => {
        this.#before = read();
      },
      onEnd: () => {
        this.#last = read();
      },
    });
  }

  get stats(): ProfStats {
    const now = this.#last ?? this.#read();
    return profStats(countedBetween(this.part.begun ? this.#before : now, now), this.part.begun, this.part.ended);
  }
}
