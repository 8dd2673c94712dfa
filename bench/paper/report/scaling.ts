// What more CPUs give: throughput of each row and subject by its own on one CPU.
import { short, times } from '../../figures.ts';
import { geometricMean } from '../../kernel/statistics.ts';
import type { PaperGroup, PaperResult, PaperRow } from '../result.ts';
import { NONE, plural } from './cells.ts';
import { groupName, timeOf } from './ratios.ts';
import type { PaperTable } from './tables.ts';

/** A row on a subject. */
export interface ScalingRow {
  readonly row: string;
  readonly subject: string;
  /** Operations a second on one CPU; undefined where it failed there. */
  readonly base: number | undefined;
  /** By the number of CPUs, in the order of `counts`: throughput by that on one; undefined: it did not run there; 'failed'. */
  readonly by: readonly (number | 'failed' | undefined)[];
}

/** A workload that ran on one CPU and on more. */
export interface Scaling {
  readonly group: PaperGroup;
  readonly counts: readonly number[];
  readonly rows: readonly ScalingRow[];
}

const keyOf = ({ workload, heat }: PaperGroup) => `${workload}/${heat}`;

/** `time`: on one CPU. */
function cell(row: PaperRow | undefined, subject: string, time: number | undefined): number | 'failed' | undefined {
  const found = row?.figures[subject];
  if (found === undefined) return undefined;
  if (found.failures.length > 0) return 'failed';
  const own = timeOf(found);
  return own === undefined || time === undefined ? undefined : time / own;
}

/** All workloads that have a group of one CPU and another one. */
export function scalings({ groups }: PaperResult): Scaling[] {
  return groups
    .filter(({ cpus }) => cpus === 1)
    .flatMap((group) => {
      const all = groups.filter((other) => keyOf(other) === keyOf(group)).sort((a, b) => a.cpus - b.cpus);
      const counts = [...new Set(all.map(({ cpus }) => cpus))];
      if (counts.length < 2) return [];
      const rows = group.rows.flatMap((row) =>
        group.subjects.flatMap((subject): ScalingRow[] => {
          const time = timeOf(row.figures[subject]);
          const by = counts.map((cpus) =>
            cell(
              all.find((other) => other.cpus === cpus)!.rows.find(({ name }) => name === row.name),
              subject,
              time,
            ),
          );
          const ranOnMore = all.some(
            ({ cpus, rows: others }) => cpus > 1 && others.some((one) => one.name === row.name && one.figures[subject] !== undefined),
          );
          if (!ranOnMore || row.figures[subject] === undefined) return [];
          return [{ row: row.name, subject, base: by[0] === 'failed' || time === undefined ? undefined : 1e9 / time, by }];
        }),
      );
      return rows.length === 0 ? [] : [{ group, counts, rows }];
    });
}

/** Geometric mean over rows for each number of CPUs, of those rows that have a figure for all of them. */
export function scalingMean(
  { counts, rows }: Scaling,
  subject: string,
): { readonly by: readonly number[]; readonly rows: number } | undefined {
  const full = rows.filter((row) => row.subject === subject && row.by.every((value) => typeof value === 'number'));
  return full.length === 0
    ? undefined
    : { by: counts.map((_, k) => geometricMean(full.map(({ by }) => by[k] as number))), rows: full.length };
}

export const subjectsOf = ({ rows }: Scaling): string[] => [...new Set(rows.map(({ subject }) => subject))];

/** More CPUs than the host has cores for share them: nothing can be gained there. */
export const beyond = (counts: readonly number[], cores: number): number[] => counts.filter((cpus) => cpus > cores);

export function scalingTable(scaling: Scaling, { host }: Pick<PaperResult, 'host'>): PaperTable {
  const { group, counts, rows } = scaling;
  const value = (one: number | 'failed' | undefined) => (one === undefined ? NONE : one === 'failed' ? 'failed' : times(one));
  const lines = rows.map(({ row, subject, base, by }) => [row, subject, base === undefined ? NONE : short(base), ...by.map(value)]);
  const several = new Set(rows.map(({ row }) => row)).size > 1;
  const means = subjectsOf(scaling).flatMap((subject) => {
    const found = several ? scalingMean(scaling, subject) : undefined;
    return found === undefined ? [] : [[`geometric mean over ${plural(found.rows, 'row')}`, subject, '', ...found.by.map(times)]];
  });
  const over = beyond(counts, host.cpus);
  return {
    title: `${groupName(group)}: throughput by that on 1 CPU`,
    head: [
      'row',
      'subject',
      'a second on 1 CPU',
      ...counts.map((cpus) => `${plural(cpus, 'CPU')}${cpus > host.cpus ? ' (more than cores)' : ''}`),
    ],
    rows: [...lines, ...means],
    words: [1],
    strong: means.map((_, k) => lines.length + k),
    notes: over.length === 0 ? [] : [`${over.join(', ')} CPUs are more than the host's ${plural(host.cpus, 'core')}, which they share`],
  };
}
