// The report's charts as data with what they show in words: ratios of a group, relaxations, scaling, releases.
import { percent, short, times } from '../../figures.ts';
import type { PaperGroup, PaperResult } from '../result.ts';
import { NONE, plural, ratioCell } from './cells.ts';
import type { Chart, Series } from './chart-data.ts';
import { compare, groupId, groupName, meanOf, minusPairs, OURS, type Pair, pairName, pairsIn, rowsOf, singles } from './ratios.ts';
import type { PairHistory } from './releases.ts';
import { beyond, type Scaling, scalingMean, subjectsOf } from './scaling.ts';
import { minusName } from './tables.ts';

/** Values that are further apart than this stand on a logarithmic scale. */
const LINEAR_SPAN = 3;
const FASTER = 'times as long: left of the line at 1 is faster';

const isLog = (series: readonly Series[]): boolean => {
  const values = [1, ...series.flatMap((one) => one.values.filter((value) => value !== null))];
  return Math.max(...values) / Math.min(...values) > LINEAR_SPAN;
};

/** 'relaxed takes 0.54 of qemu's time (geometric mean of 11 rows of the kernel): from 0.21 (null) to 0.98 (fork).' */
function sentence(group: PaperGroup, pair: Pair): string {
  const rows = rowsOf(group, false);
  const found = rows
    .flatMap((row) => {
      const one = compare(row, pair);
      return one?.usual === undefined || one.failed.length > 0 ? [] : [{ name: row.name, usual: one.usual }];
    })
    .sort((a, b) => a.usual - b.usual);
  const mean = meanOf(rows, pair);
  if (mean === undefined) return `${pair.subject} and ${pair.base} have no row of the kernel in common.`;
  const what = `${pair.subject} takes ${short(mean.mean)} of ${pair.base}’s time`;
  const [least, most] = [found[0]!, found.at(-1)!];
  if (found.length === 1) return `${what} (${least.name}).`;
  return `${what} (geometric mean of ${mean.rows} rows): from ${short(least.usual)} (${least.name}) to ${short(most.usual)} (${most.name}).`;
}

/** Rows of a group by some pairs, with the means of kernel rows. `colours`: all pairs, in the order of their colours. */
export function ratioChart(
  group: PaperGroup,
  pairs: readonly Pair[],
  colours: readonly Pair[],
  kind: string,
  title: string,
): Chart | undefined {
  const some = pairsIn(group, pairs);
  if (some.length === 0) return undefined;
  const rows = [...rowsOf(group, false), ...rowsOf(group, true)];
  const kernel = rowsOf(group, false);
  const hasMean = kernel.length > 1;
  const series = some.map((pair): Series => {
    const mean = meanOf(kernel, pair);
    return {
      name: pairName(pair),
      colour: colours.findIndex((one) => pairName(one) === pairName(pair)),
      values: [...(hasMean ? [mean?.mean ?? null] : []), ...rows.map((row) => compare(row, pair)?.usual ?? null)],
      texts: [
        ...(hasMean ? [mean === undefined ? NONE : `${times(mean.mean)} over ${plural(mean.rows, 'row')}`] : []),
        ...rows.map((row) => ratioCell(compare(row, pair))),
      ],
    };
  });
  return {
    id: `${groupId(group)}-${kind}`,
    title,
    finding: some.map((pair) => sentence(group, pair)),
    data: {
      kind: 'bars',
      labels: [...(hasMean ? ['geometric mean'] : []), ...rows.map(({ name, user }) => (user ? `${name} (user)` : name))],
      strong: hasMean ? [0] : [],
      series,
      axis: FASTER,
      across: '',
      log: isLog(series),
    },
  };
}

/** Each relaxation's means over groups at one CPU. */
export function relaxationsChart(result: PaperResult): Chart | undefined {
  const pairs = minusPairs(result).filter((pair) => singles(result).some((group) => meanOf(rowsOf(group, false), pair) !== undefined));
  if (pairs.length === 0) return undefined;
  const series = singles(result).flatMap((group, colour): Series[] => {
    const means = pairs.map((pair) => meanOf(rowsOf(group, false), pair));
    if (means.every((mean) => mean === undefined)) return [];
    const texts = means.map((mean) => (mean === undefined ? NONE : `${times(mean.mean)} over ${plural(mean.rows, 'row')}`));
    return [{ name: groupName(group), colour, values: means.map((mean) => mean?.mean ?? null), texts }];
  });
  const all = series.flatMap(({ name, values }) =>
    values.flatMap((value, k) => (value === null ? [] : [{ name, without: minusName(pairs[k]!).replace(/^-/, ''), value }])),
  );
  const [most] = all.toSorted((a, b) => b.value - a.value);
  return {
    id: 'relaxations-means',
    title: 'What each relaxation is worth',
    finding: [
      most!.value > 1
        ? `Worth most: ${most!.without}, without which ${most!.name} takes ${short(most!.value)} times as long.`
        : 'No relaxation is worth anything.',
    ],
    data: {
      kind: 'bars',
      labels: pairs.map(minusName),
      strong: [],
      series,
      axis: `times as long as ${OURS}: right of the line at 1 the relaxation pays`,
      across: '',
      log: isLog(series),
    },
  };
}

/** Throughput of a workload by the number of CPUs: means over rows, a line a subject. */
export function scalingChart(scaling: Scaling, { host, subjects }: Pick<PaperResult, 'host' | 'subjects'>): Chart | undefined {
  const { group, counts } = scaling;
  const lines = subjectsOf(scaling).flatMap((subject) => {
    const mean = scalingMean(scaling, subject);
    return mean === undefined ? [] : [{ subject, ...mean }];
  });
  if (lines.length === 0) return undefined;
  const ideal = counts.map((cpus) => Math.min(cpus, host.cpus));
  const series: Series[] = lines.map(({ subject, by, rows }) => ({
    name: subject,
    colour: subjects.findIndex(({ name }) => name === subject),
    values: by,
    texts: by.map((value) => `${times(value)}${rows === 1 ? '' : ` over ${plural(rows, 'row')}`}`),
  }));
  const over = beyond(counts, host.cpus);
  const most = counts.at(-1)!;
  return {
    id: `scaling-${groupId(group)}`,
    title: groupName(group),
    finding: [
      `On ${plural(most, 'CPU')}, by one CPU: ${lines.map(({ subject, by }) => `${subject} ${times(by.at(-1)!)}`).join(', ')}.`,
      ...(over.length === 0 ? [] : [`The host has ${plural(host.cpus, 'core')}: beyond them nothing is to be gained.`]),
    ],
    data: {
      kind: 'lines',
      labels: counts.map((cpus) => `${cpus}${cpus > host.cpus ? '\n(more than cores)' : ''}`),
      strong: [],
      series: [...series, { name: 'ideal on this host', colour: -1, values: ideal, texts: ideal.map(times), ideal: true }],
      axis: 'throughput by that on 1 CPU',
      across: 'CPUs of the guest',
      log: false,
    },
  };
}

/** A pair over releases; `names`: of the releases. */
export function historyChart({ pair, lines }: PairHistory, names: readonly string[], k: number): Chart | undefined {
  if (names.length < 2 || lines.length === 0) return undefined;
  const series = lines.map(({ name, means }, colour): Series => {
    const texts = means.map((mean) => (mean === undefined ? NONE : times(mean)));
    return { name, colour, values: means.map((mean) => mean ?? null), texts };
  });
  const changes = lines.flatMap(({ name, means }) => {
    const known = means.filter((mean) => mean !== undefined);
    if (known.length < 2) return [];
    const change = known.at(-1)! / known[0]! - 1;
    return [`${name}: from ${times(known[0]!)} to ${times(known.at(-1)!)} (${change > 0 ? '+' : '−'}${percent(Math.abs(change))}).`];
  });
  return {
    id: `history-${k}`,
    title: pairName(pair),
    finding: changes.length === 0 ? ['No workload has run with two releases.'] : changes,
    data: {
      kind: 'lines',
      labels: names,
      strong: [],
      series,
      axis: 'times as long: lower is faster',
      across: 'release',
      log: isLog(series),
    },
  };
}
