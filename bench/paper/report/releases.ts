// Releases beside each other: tables of what bench/history keeps.
import { times } from '../../figures.ts';
import { day, NONE } from './cells.ts';
import { guestName } from './facts.ts';
import type { HistoryEntry, HistoryMean } from './history.ts';
import { groupName, type Pair, pairName } from './ratios.ts';
import { measuredText, metText, type PaperTable } from './tables.ts';

const groupOf = (mean: HistoryMean) => `${mean.workload}/${mean.heat}`;

/** A pair over releases, a line for each group. */
export interface PairHistory {
  readonly pair: Pair;
  readonly lines: readonly {
    readonly name: string /** By release; undefined: not measured there. */;
    readonly means: readonly (number | undefined)[];
  }[];
}

export function pairHistories(entries: readonly HistoryEntry[]): PairHistory[] {
  // The newest release's names and order, then what only older ones have.
  const all = entries.toReversed().flatMap(({ means }) => means);
  const pairs = new Map(all.map((mean) => [pairName(mean), { subject: mean.subject, base: mean.base }]));
  const groups = new Map(all.toReversed().map((mean) => [groupOf(mean), groupName(mean)]));
  const order = [...new Set(all.map(groupOf))];
  return [...pairs.values()].map((pair) => {
    const lines = order.map((group) => ({
      name: groups.get(group)!,
      means: entries.map(({ means }) => means.find((mean) => groupOf(mean) === group && pairName(mean) === pairName(pair))?.mean),
    }));
    return { pair, lines: lines.filter(({ means }) => means.some((mean) => mean !== undefined)) };
  });
}

/** Geometric means of all releases, a column a release. */
export function releasesTable(entries: readonly HistoryEntry[]): PaperTable | undefined {
  if (entries.length === 0) return undefined;
  const rows = pairHistories(entries).flatMap(({ pair, lines }) =>
    lines.map(({ name, means }) => [pairName(pair), name, ...means.map((mean) => (mean === undefined ? NONE : times(mean)))]),
  );
  return {
    title: 'Geometric means over rows of the kernel, by release',
    brief: 'means',
    head: ['pair', 'workload', ...entries.map(({ version }) => version)],
    rows,
    words: [1],
    notes: entries.map(
      ({ version, commit, date, host, guest, quick }) =>
        `${version}: ${day(date)}, commit ${commit}, ${host.cpus} × ${host.cpu}, Node ${host.node}, ${guestName(guest)}${quick ? '; a quick run' : ''}`,
    ),
  };
}

/** Goals of all releases, a column a release. */
export function releaseGoalsTable(entries: readonly HistoryEntry[]): PaperTable | undefined {
  const names = [...new Set(entries.toReversed().flatMap(({ goals }) => goals.map(({ name }) => name)))];
  if (names.length === 0) return undefined;
  const rows = names.map((name) => [
    name,
    ...entries.map(({ goals }) => {
      const goal = goals.find((one) => one.name === name);
      return goal === undefined ? NONE : `${measuredText(goal)}, ${metText(goal)} (${goal.asked})`;
    }),
  ]);
  return { title: 'Goals, by release', brief: 'goals', head: ['goal', ...entries.map(({ version }) => version)], rows };
}
