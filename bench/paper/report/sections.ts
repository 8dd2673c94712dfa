// The report from top to bottom, for all forms that it is written in: sections with their tables and charts.
import type { PaperResult } from '../result.ts';
import { plural } from './cells.ts';
import type { Chart } from './chart-data.ts';
import { historyChart, ratioChart, relaxationsChart, scalingChart } from './charts.ts';
import { countersTable } from './counters.ts';
import type { HistoryEntry } from './history.ts';
import { groupId, groupName, modePairs, OURS, peerPairs, singles } from './ratios.ts';
import { pairHistories, releaseGoalsTable, releasesTable } from './releases.ts';
import { scalings, scalingTable } from './scaling.ts';
import {
  goalsTable,
  headlineTable,
  minusTable,
  type PaperTable,
  ratesTable,
  ratioTable,
  relaxationsTable,
  subjectsTable,
} from './tables.ts';

/** Tables that belong together, with the charts above them. */
export interface Part {
  /** Its anchor. */
  readonly id: string;
  /** '' where the section has but one. */
  readonly title: string;
  readonly charts: readonly Chart[];
  readonly tables: readonly PaperTable[];
}

export interface Section {
  readonly id: string;
  readonly title: string;
  /** How to read it. */
  readonly intro: string;
  readonly parts: readonly Part[];
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined;

function figures(result: PaperResult): Section {
  const [modes, peers] = [modePairs(result), peerPairs(result)];
  const colours = [...peers, ...modes];
  return {
    id: 'figures',
    title: 'Workloads',
    intro: `Ratios of times, on one CPU: below 1 the first of a pair is faster. Each is the median of its rounds’ ratios, with their spread; a row that failed is in no mean. Rows and columns are those of the paper’s figures 5 to 9.`,
    parts: singles(result).flatMap((group) => {
      const table = ratioTable(result, group);
      if (table === undefined) return [];
      const charts = [
        ratioChart(group, peers, colours, 'peers', 'Against its peers'),
        ratioChart(group, modes, colours, 'modes', 'Modes, against each other'),
      ];
      return [{ id: groupId(group), title: groupName(group), charts: charts.filter(isThere), tables: [table] }];
    }),
  };
}

function relaxations(result: PaperResult): Section {
  const tables = [relaxationsTable(result), ...singles(result).map((group) => minusTable(result, group))].filter(isThere);
  const chart = relaxationsChart(result);
  return {
    id: 'relaxations',
    title: 'Relaxations',
    intro: `Each is left out of ${OURS} alone: times without it by those with all. Above 1 it is worth that much.`,
    parts: tables.length === 0 ? [] : [{ id: 'relaxations-all', title: '', charts: chart === undefined ? [] : [chart], tables }],
  };
}

function rates(result: PaperResult): Section {
  const parts = result.groups.flatMap((group): Part[] => {
    const table = ratesTable(result, group);
    return table === undefined
      ? []
      : [{ id: `rates-${groupId(group)}`, title: `${groupName(group)}, ${plural(group.cpus, 'CPU')}`, charts: [], tables: [table] }];
  });
  return {
    id: 'rates',
    title: 'Rates',
    intro: 'Operations a second, and what else those who asked were told: medians of all rounds.',
    parts,
  };
}

function counters(result: PaperResult): Section {
  const table = countersTable(result);
  return {
    id: 'counters',
    title: 'Indirect branches',
    intro: 'The paper’s table 3: where returns, jumps and calls through registers and memory find their code, of the kernel alone.',
    parts: table === undefined ? [] : [{ id: 'counters-all', title: '', charts: [], tables: [table] }],
  };
}

function scaling(result: PaperResult): Section {
  const parts = scalings(result).map((one): Part => {
    const chart = scalingChart(one, result);
    const charts = chart === undefined ? [] : [chart];
    return { id: `scaling-${groupId(one.group)}-part`, title: groupName(one.group), charts, tables: [scalingTable(one, result)] };
  });
  const cores = plural(result.host.cpus, 'core');
  return { id: 'scaling', title: 'Scaling', intro: `The same rows on more CPUs of the guest; the host has ${cores}.`, parts };
}

function history(entries: readonly HistoryEntry[]): Section {
  const tables = [releasesTable(entries), releaseGoalsTable(entries)].filter(isThere);
  const names = entries.map(({ version }) => version);
  const charts = pairHistories(entries)
    .map((one, k) => historyChart(one, names, k))
    .filter(isThere);
  return {
    id: 'history',
    title: 'Releases',
    intro: 'Geometric means at each release. Ratios move little from host to host; what they were measured on is said below.',
    parts: tables.length === 0 ? [] : [{ id: 'history-all', title: '', charts, tables }],
  };
}

/** What stands at the top. */
export const summaryTables = (result: PaperResult): PaperTable[] => [goalsTable(result), headlineTable(result)].filter(isThere);

/** All sections that have something to show. */
export function sectionsOf(result: PaperResult, entries: readonly HistoryEntry[]): Section[] {
  const subjects: Section = {
    id: 'subjects',
    title: 'What was measured',
    intro: 'Subjects ran in turn, round by round, the same image on each; a fresh process each time.',
    parts: [{ id: 'subjects-all', title: '', charts: [], tables: [subjectsTable(result)] }],
  };
  const all = [figures(result), relaxations(result), rates(result), counters(result), scaling(result), history(entries), subjects];
  return all.filter(({ parts }) => parts.length > 0);
}

/** All tables of the report, in its order. */
export const tables = (result: PaperResult, entries: readonly HistoryEntry[] = []): PaperTable[] => [
  ...summaryTables(result),
  ...sectionsOf(result, entries).flatMap(({ parts }) => parts.flatMap((part) => part.tables)),
];
