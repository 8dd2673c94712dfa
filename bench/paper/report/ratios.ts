// Two subjects held against each other, row by row and over a group: what all tables and charts of the report show. Computes only.
import { median, spread } from '../../figures.ts';
import { type Figures, geometricMean } from '../../kernel/statistics.ts';
import type { PaperGroup, PaperResult, PaperRow, PaperSubject } from '../result.ts';

/** Dragoman as it runs for everybody. */
export const OURS = 'relaxed';
/** The modes that all others of ours are held against. */
export const BASES = ['transparent', 'classic'] as const;

/** `subject`'s time by `base`'s: below 1 the subject is faster. */
export interface Pair {
  readonly subject: string;
  readonly base: string;
}

export const pairName = ({ subject, base }: Pair): string => `${subject} / ${base}`;

/** A row's ratio, and how much to believe it. */
export interface Comparison {
  /** Median of the rounds' ratios; undefined where no round has both. */
  readonly usual: number | undefined;
  /** Of the rounds' ratios, as a part of it; undefined where there was one. */
  readonly spread: number | undefined;
  /** Rounds that both did, of all. */
  readonly rounds: number;
  readonly of: number;
  /** Which of the two failed in any round: the row is in no mean then. */
  readonly failed: readonly string[];
}

export interface Mean {
  readonly mean: number;
  /** So many rows are in it, of all that could be. */
  readonly rows: number;
  readonly of: number;
}

/** A time that was measured. (Figures that were read back from JSON have null for what there is not.) */
export const isTime = (value: number | null | undefined): value is number => typeof value === 'number' && value > 0;

/** Nanoseconds an operation: the median of all rounds; undefined where no round has any. */
export function timeOf(figures: Figures | undefined): number | undefined {
  const known = (figures?.samples ?? []).filter(isTime);
  return known.length === 0 ? undefined : median(known);
}

/** undefined where one of the two did not run the row at all. */
export function compare({ figures }: PaperRow, { subject, base }: Pair): Comparison | undefined {
  const [ours, theirs] = [figures[subject], figures[base]];
  if (ours === undefined || theirs === undefined) return undefined;
  const ratios = ours.samples.flatMap((sample, k) => {
    const other = theirs.samples[k];
    return isTime(sample) && isTime(other) ? [sample / other] : [];
  });
  return {
    usual: ratios.length === 0 ? undefined : median(ratios),
    spread: ratios.length < 2 ? undefined : spread(ratios),
    rounds: ratios.length,
    of: Math.max(ours.samples.length, theirs.samples.length),
    failed: [subject, base].filter((name) => figures[name]!.failures.length > 0),
  };
}

/** Rows of which a mean is made. */
export const rowsOf = ({ rows }: PaperGroup, user: boolean): PaperRow[] => rows.filter((row) => row.user === user);

/** Geometric mean of the ratios of rows that failed on neither; undefined where there is no such row. */
export function meanOf(rows: readonly PaperRow[], pair: Pair): Mean | undefined {
  const ratios = rows.flatMap((row) => {
    const found = compare(row, pair);
    return found?.usual === undefined || found.failed.length > 0 ? [] : [found.usual];
  });
  return ratios.length === 0 ? undefined : { mean: geometricMean(ratios), rows: ratios.length, of: rows.length };
}

const isOf =
  (...kinds: PaperSubject['kind'][]) =>
  ({ kind }: PaperSubject) =>
    kinds.includes(kind);

/** Our modes and engines by `transparent` and `classic`. */
export function modePairs({ subjects }: Pick<PaperResult, 'subjects'>): Pair[] {
  const bases = BASES.filter((base) => subjects.some(({ name }) => name === base));
  const all = subjects.filter(isOf('mode', 'engine')).flatMap(({ name }) => bases.map((base) => ({ subject: name, base })));
  // Not classic by transparent: transparent by classic says it.
  return all.filter(({ subject, base }) => subject !== base && !(subject === 'classic' && base === 'transparent'));
}

/** Ours by QEMU, v86 and the processor itself. */
export const peerPairs = ({ subjects }: Pick<PaperResult, 'subjects'>): Pair[] =>
  subjects.some(({ name }) => name === OURS)
    ? subjects.filter(isOf('peer', 'native')).map(({ name }) => ({ subject: OURS, base: name }))
    : [];

/** Ours without a relaxation, by ours with all. */
export const minusPairs = ({ subjects }: Pick<PaperResult, 'subjects'>): Pair[] =>
  subjects.filter(isOf('minus')).map(({ name }) => ({ subject: name, base: OURS }));

/** Those of which a group has a row. */
export const pairsIn = (group: PaperGroup, pairs: readonly Pair[]): Pair[] =>
  pairs.filter((pair) => group.rows.some((row) => compare(row, pair) !== undefined));

/** Groups whose ratios are the paper's figures: more CPUs are what scaling is about. */
export const singles = ({ groups }: PaperResult): PaperGroup[] => groups.filter(({ cpus }) => cpus === 1);

/** 'Apache, warm'. */
export const groupName = ({ title, heat }: Pick<PaperGroup, 'title' | 'heat'>): string => `${title}, ${heat}`;
/** For anchors: 'apache-warm-2'. */
export const groupId = ({ workload, heat, cpus }: PaperGroup): string =>
  [workload.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'), heat, ...(cpus === 1 ? [] : [cpus])].join('-');
