// Which runs the paper's tables are made from, in which order. Computes only.
import type { Workload } from '../../guests/workloads/workload.ts';
import type { Heat } from '../kernel/statistics.ts';

/** Rows of one image, measured in the same way. */
export interface GroupPlan {
  readonly workload: Workload;
  readonly heat: Heat;
  readonly cpus: number;
  /** Of each row. */
  readonly seconds: number;
  readonly slices: number;
  readonly rounds: number;
  /** Names. */
  readonly subjects: readonly string[];
  /** Names of rows, in as many runs as there are lists. */
  readonly runs: readonly (readonly string[])[];
}

/** A machine's life: booted, some rows, gone. */
export interface Job {
  /** Unique in a plan. */
  readonly id: string;
  readonly group: GroupPlan;
  readonly round: number;
  readonly rows: readonly string[];
  readonly subject: string;
}

export const groupName = ({ workload, heat, cpus }: GroupPlan): string => `${workload.name} ${heat}, ${cpus} CPU${cpus === 1 ? '' : 's'}`;

/** All of a group's jobs: a round after the other, and what one of its runs has on each machine next to each other, every other round from the last machine to the first. */
export function jobsOf(group: GroupPlan): Job[] {
  return Array.from({ length: group.rounds }, (_, round) => {
    const order = round % 2 === 0 ? group.subjects : group.subjects.toReversed();
    return group.runs.flatMap((rows, part) =>
      order.map((subject) => ({ id: `${groupName(group)} / ${round} / ${part} / ${subject}`, group, round, rows, subject })),
    );
  }).flat();
}

/** `rows` in lists of at most so many. */
export function parts(rows: readonly string[], most: number): string[][] {
  const count = Math.ceil(rows.length / most);
  return Array.from({ length: count }, (_, k) =>
    rows.slice(Math.floor((k * rows.length) / count), Math.floor(((k + 1) * rows.length) / count)),
  );
}

/** What takes time: a machine's start and end, and its rows. */
export interface Timed {
  readonly subject: string;
  readonly rowSeconds: number;
}

/** How long machines take, learnt from those that are done. */
export class Estimate {
  /** By subject: seconds beside the rows', of the last run. */
  readonly #beside = new Map<string, number>();
  readonly #atFirst: ReadonlyMap<string, number>;

  /** By subject: seconds until its first row begins. */
  constructor(atFirst: ReadonlyMap<string, number>) {
    this.#atFirst = atFirst;
  }

  seconds({ subject, rowSeconds }: Timed): number {
    return (this.#beside.get(subject) ?? this.#atFirst.get(subject) ?? 0) + rowSeconds;
  }
  done({ subject, rowSeconds }: Timed, seconds: number): void {
    this.#beside.set(subject, Math.max(0, seconds - rowSeconds));
  }
}
