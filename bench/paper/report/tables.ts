// The report's tables of ratios and rates: the paper's figures 5 to 9 for our system, what each relaxation is worth, requests a second, goals.
import { short, type Table } from '../../figures.ts';
import type { Figures } from '../../kernel/statistics.ts';
import type { Goal, PaperGroup, PaperResult, PaperRow } from '../result.ts';
import { duration, meanCell, NONE, plural, ratioCell } from './cells.ts';
import {
  compare,
  groupName,
  isTime,
  meanOf,
  minusPairs,
  modePairs,
  OURS,
  type Pair,
  pairName,
  pairsIn,
  peerPairs,
  rowsOf,
  singles,
  timeOf,
} from './ratios.ts';

/** A table, and what those need to know who draw it. */
export interface PaperTable extends Table {
  /** Rows that sum up the others. */
  readonly strong?: readonly number[];
  /** Columns of text, beside the first. */
  readonly words?: readonly number[];
  /** Its figures are ratios of which those below 1 are good. */
  readonly lowerIsBetter?: boolean;
  /** A few words for it where it stands among others of its kind. */
  readonly brief?: string;
}

const rowCount = (rows: number) => plural(rows, 'row');

/** How a group was run, for a title. */
export function circumstances({ heat, cpus, seconds, rounds }: PaperGroup): string {
  const each =
    heat === 'warm' ? `each row ${seconds} s, of which the second half counts` : `each row ${seconds} s in a machine that has just booted`;
  return `${plural(cpus, 'CPU')}; ${each}; ${rounds === 1 ? 'one round' : `medians of ${rounds} rounds`}`;
}

/** Rows of the kernel, their mean, rows of users, theirs; `before`: cells between the name and the ratios. */
function ratioRows(group: PaperGroup, pairs: readonly Pair[], before: (row: PaperRow) => string[]): Pick<PaperTable, 'rows' | 'strong'> {
  const rows: string[][] = [];
  const strong: number[] = [];
  for (const user of [false, true]) {
    const some = rowsOf(group, user);
    for (const row of some) rows.push([row.name, ...before(row), ...pairs.map((pair) => ratioCell(compare(row, pair)))]);
    if (some.length < 2) continue;
    strong.push(rows.length);
    const name = `geometric mean, ${user ? 'user' : 'kernel'} (${rowCount(some.length)})`;
    rows.push([name, ...before(some[0]!).map(() => ''), ...pairs.map((pair) => meanCell(meanOf(some, pair)))]);
  }
  return { rows, strong };
}

/** Why rows failed, one line for each subject, row and reason. */
export function failuresIn({ rows }: PaperGroup): string[] {
  return rows.flatMap(({ name, figures }) =>
    Object.entries(figures).flatMap(([subject, { failures }]) =>
      [...new Set(failures)].map((reason) => `failed: ${subject}, ${name}: ${reason}`),
    ),
  );
}

/** A row that had to be held to the host's clock, as kernelTable has it. */
const isOff = (figures: Figures | undefined) => (figures?.clocks ?? []).some((clock) => isTime(clock) && clock !== 1);

/** Subjects whose clock was not believed, with how many rows. */
function clocksIn({ rows, subjects }: PaperGroup): string[] {
  return subjects.flatMap((subject) => {
    const off = rows.filter(({ figures }) => isOff(figures[subject])).length;
    return off === 0 ? [] : [`clock: ${subject}'s was off in ${rowCount(off)}, which ${off === 1 ? 'is' : 'are'} by the host's`];
  });
}

/** Of one group: each row's time on ours, and all ratios. undefined where nothing is to be compared. */
export function ratioTable(result: PaperResult, group: PaperGroup): PaperTable | undefined {
  const pairs = pairsIn(group, [...modePairs(result), ...peerPairs(result)]);
  if (pairs.length === 0) return undefined;
  return {
    title: `${groupName(group)}: ratios of times, ${circumstances(group)}`,
    head: ['row', `${OURS}, an operation`, ...pairs.map(pairName)],
    ...ratioRows(group, pairs, ({ figures }) => [
      figures[OURS]?.failures.length && timeOf(figures[OURS]) === undefined ? 'failed' : duration(timeOf(figures[OURS])),
    ]),
    notes: [...clocksIn(group), ...failuresIn(group)],
    lowerIsBetter: true,
  };
}

/** Of one group at one CPU: each relaxation, row by row. undefined where none was left out. */
export function minusTable(result: PaperResult, group: PaperGroup): PaperTable | undefined {
  const pairs = pairsIn(group, minusPairs(result));
  if (pairs.length === 0) return undefined;
  return {
    title: `${groupName(group)}: times without a relaxation by ${OURS}'s, ${circumstances(group)}`,
    brief: groupName(group),
    head: ['row', ...pairs.map(minusName)],
    ...ratioRows(group, pairs, () => []),
  };
}

/** 'relaxed -returns' is '-returns' where all are without something. */
export const minusName = ({ subject }: Pair): string => (subject.startsWith(`${OURS} `) ? subject.slice(OURS.length + 1) : subject);

/** Geometric means of pairs over rows of the kernel: a line a group. Groups and pairs of which there is none are left out. */
function meansOf(
  groups: readonly PaperGroup[],
  all: readonly Pair[],
): { readonly pairs: Pair[]; readonly lines: { readonly name: string; readonly cells: string[] }[] } {
  const has = (group: PaperGroup, pair: Pair) => meanOf(rowsOf(group, false), pair) !== undefined;
  const pairs = all.filter((pair) => groups.some((group) => has(group, pair)));
  const some = groups.filter((group) => pairs.some((pair) => has(group, pair)));
  return {
    pairs,
    lines: some.map((group) => ({ name: groupName(group), cells: pairs.map((pair) => meanCell(meanOf(rowsOf(group, false), pair))) })),
  };
}

/** What all was for: ours by each other, and modes by each other. */
export function headlineTable(result: PaperResult): PaperTable | undefined {
  const { pairs, lines } = meansOf(singles(result), [...peerPairs(result), ...modePairs(result)]);
  if (lines.length === 0) return undefined;
  return {
    title: 'Times by times: geometric means over rows of the kernel, 1 CPU',
    head: ['workload', ...pairs.map(pairName)],
    rows: lines.map(({ name, cells }) => [name, ...cells]),
    notes: ['below 1 the first of a pair is faster: 0.500x is half the time'],
    lowerIsBetter: true,
  };
}

/** What each relaxation is worth: a line a relaxation, of which there are many. */
export function relaxationsTable(result: PaperResult): PaperTable | undefined {
  const { pairs, lines } = meansOf(singles(result), minusPairs(result));
  if (lines.length === 0) return undefined;
  return {
    title: `Times without a relaxation by ${OURS}'s: geometric means over rows of the kernel, 1 CPU`,
    brief: 'means',
    head: ['without', ...lines.map(({ name }) => name)],
    rows: pairs.map((pair, k) => [minusName(pair), ...lines.map(({ cells }) => cells[k]!)]),
  };
}

/** Of each row what an operation is; rows of the same are named together. */
function operations({ rows }: PaperGroup): string[] {
  const kinds = [...new Set(rows.map(({ what }) => what))].filter((what) => what !== '');
  return kinds.map((kind) => {
    const names = rows.filter(({ what }) => what === kind).map(({ name }) => name);
    return `${names.join(', ')}: ${kind}`;
  });
}

/** Operations a second of a group of which people expect them, with what else the subjects said. Single relaxations have a table of their own. */
export function ratesTable({ subjects }: Pick<PaperResult, 'subjects'>, group: PaperGroup): PaperTable | undefined {
  if (!group.rate || group.rows.length === 0) return undefined;
  const shown = group.subjects.filter((subject) => subjects.find(({ name }) => name === subject)?.kind !== 'minus');
  const keys = [...new Set(group.rows.flatMap(({ also = {} }) => Object.values(also).flatMap((said) => Object.keys(said))))];
  const rows = group.rows.flatMap(({ name, figures, also = {} }) =>
    shown.flatMap((subject) => {
      const found = figures[subject];
      if (found === undefined) return [];
      const time = timeOf(found);
      const said = keys.map((key) => (Number.isFinite(also[subject]?.[key]) ? short(also[subject]![key]!) : NONE));
      const rate = time === undefined ? (found.failures.length > 0 ? 'failed' : NONE) : short(1e9 / time);
      return [
        [name, subject, found.failures.length > 0 && time !== undefined ? `${rate} (failed in ${found.failures.length})` : rate, ...said],
      ];
    }),
  );
  return {
    title: `${groupName(group)}: operations a second, ${circumstances(group)}`,
    head: ['row', 'subject', 'a second', ...keys],
    rows,
    words: [1],
    notes: operations(group),
  };
}

/** 'yes', 'no', or that nobody knows. */
export const metText = ({ met }: Goal): string => (met === undefined || met === null ? 'not measured' : met ? 'met' : 'missed');

export function goalsTable({ goals }: PaperResult): PaperTable | undefined {
  if (goals.length === 0) return undefined;
  const rows = goals.map((goal) => [goal.name, goal.asked, measuredText(goal), metText(goal)]);
  return { title: 'Goals', head: ['goal', 'asked', 'measured', 'met'], rows, words: [1, 3] };
}

/** A goal's figure: very small ones by their power of ten. */
export function measuredText({ measured }: Goal): string {
  if (measured === undefined || measured === null) return NONE;
  return measured !== 0 && Math.abs(measured) < 0.001 ? measured.toExponential(1) : short(measured);
}

/** What each subject is. */
export const subjectsTable = ({ subjects }: PaperResult): PaperTable => ({
  title: 'Subjects',
  head: ['subject', 'what it is'],
  rows: subjects.map(({ name, what }) => [name, what]),
  words: [1],
});
