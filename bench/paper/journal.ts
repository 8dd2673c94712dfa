// What a long benchmark has done already, a line a run, so that it can go on after an interruption.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { KbenchOutput } from '../kernel/output.ts';
import type { CounterRow } from './result.ts';

/** What a job found. */
export interface JobRecord {
  readonly id: string;
  readonly output: KbenchOutput;
  /** Why it ended before all rows were done. */
  readonly ended?: string;
  /** Why it was not run at all. */
  readonly skipped?: string;
  readonly seconds: number;
  /** Of a run whose transfers were counted. */
  readonly counters?: CounterRow;
}

interface Line extends Omit<JobRecord, 'output'> {
  readonly output: Omit<KbenchOutput, 'failed'> & { readonly failed: readonly (readonly [string, string])[] };
}

const fromLine = ({ output, ...rest }: Line): JobRecord => ({ ...rest, output: { ...output, failed: new Map(output.failed) } });

/** Of a run that printed nothing. */
export const NO_OUTPUT: KbenchOutput = { rows: [], failed: new Map(), also: {}, done: false };

export class Journal {
  readonly #path: string;
  readonly #done = new Map<string, JobRecord>();

  private constructor(path: string) {
    this.#path = path;
  }

  /** A new one; `plan`: what was asked for, and of which commit, in words. */
  static begin(path: string, plan: string): Journal {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify({ plan })}\n`);
    return new Journal(path);
  }

  /** Goes on with one. Throws where there is none, or where it is of something else. A last line that was cut off is not there. */
  static resume(path: string, plan: string): Journal {
    if (!existsSync(path)) throw new Error(`nothing to resume: there is no ${path}`);
    const lines = readFileSync(path, 'utf8').split('\n');
    lines.pop();
    const [first, ...rest] = lines.map((line) => JSON.parse(line));
    const before = first?.plan;
    if (before !== plan)
      throw new Error(`what was begun is something else, so it is not resumed:\n  then: ${before ?? 'nothing'}\n  now:  ${plan}`);
    const journal = new Journal(path);
    for (const line of rest as Line[]) journal.#done.set(line.id, fromLine(line));
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    return journal;
  }

  find(id: string): JobRecord | undefined {
    return this.#done.get(id);
  }
  add(record: JobRecord): void {
    const line: Line = { ...record, output: { ...record.output, failed: [...record.output.failed] } };
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
    this.#done.set(record.id, record);
  }
}
