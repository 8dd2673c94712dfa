// npm run bench -- kernel: from what machines' runs printed to a row's figures, their ratios and their table. Computes only.
import { median, percent, short, spread, type Table, times } from '../figures.ts';
import type { KbenchOutput, RowRun } from './output.ts';

/** Cold: all rows in turn for a moment each, in a machine that has just booted. Warm: each row for seconds, of which the second half counts. */
export type Heat = 'cold' | 'warm';

/** A guest's clock that is further off the host's than this is not believed. */
export const CLOCK_PART = 0.02;
/** And by more than so many milliseconds over a run, or over a row: a busy host sees a line late. */
const RUN_MS = 100;
const ROW_MS = 250;

/** A machine's run: what it printed, or why it printed nothing. */
export interface MachineRun {
  readonly machine: string;
  readonly output: KbenchOutput;
  /** Why it ended before all rows were done. */
  readonly ended?: string;
}

/** A row on a machine. */
export interface Figures {
  /** Nanoseconds an operation, one a round; undefined where the row failed in that round. */
  readonly samples: readonly (number | undefined)[];
  /** Host's time by guest's, the same way; 1 where they are as good as equal. */
  readonly clocks: readonly (number | undefined)[];
  readonly median: number;
  readonly least: number;
  readonly spread: number;
  /** Why it failed, in the rounds in which it did. */
  readonly failures: readonly string[];
}

export interface Ratio {
  /** Median of the rounds' ratios, and ratio of the best of the rounds. */
  readonly usual: number;
  readonly best: number;
}

export interface KernelRow {
  readonly name: string;
  readonly user: boolean;
  /** By machine. */
  readonly figures: Readonly<Record<string, Figures>>;
  /** The first machine's time by each other's. */
  readonly ratios: Readonly<Record<string, Ratio>>;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
export const geometricMean = (values: readonly number[]): number => Math.exp(sum(values.map(Math.log)) / values.length);

/** Nanoseconds an operation by the guest's clock: of all the time when cold, the median of the second half's slices when warm. */
export function nanosecondsOf({ slices }: RowRun, heat: Heat): number {
  if (heat === 'cold') return sum(slices.map((slice) => slice.nanoseconds)) / sum(slices.map((slice) => slice.operations));
  return median(slices.slice(slices.length >> 1).map(({ nanoseconds, operations }) => nanoseconds / operations));
}

/** Host's time by guest's where they differ by more than they may; else 1. */
const clockOf = (guestMs: number, hostMs: number, mayMs: number): number =>
  Math.abs(hostMs - guestMs) > Math.max(CLOCK_PART * guestMs, mayMs) ? hostMs / guestMs : 1;

/** The clock of a whole run, from the begin of its first row to the end of its last. */
export function runClock({ rows }: KbenchOutput): number {
  const [first, last] = [rows[0]!, rows.at(-1)!];
  return clockOf(last.guestFromMs + last.guestMs - first.guestFromMs, last.hostFromMs + last.hostMs - first.hostFromMs, RUN_MS);
}

function figures(name: string, runs: readonly MachineRun[], heat: Heat): Figures {
  const samples: (number | undefined)[] = [];
  const clocks: (number | undefined)[] = [];
  const failures: string[] = [];
  for (const { output, ended } of runs) {
    const row = output.rows.find((one) => one.name === name);
    if (row === undefined) failures.push(output.failed.get(name) ?? ended ?? 'it said nothing');
    // A moment is too short to see a clock that is slow by little: there the whole run's says more.
    const own = row === undefined ? undefined : clockOf(row.guestMs, row.hostMs, ROW_MS);
    const clock = own === 1 ? runClock(output) : own;
    clocks.push(clock);
    samples.push(row === undefined ? undefined : nanosecondsOf(row, heat) * clock!);
  }
  const known = samples.filter((sample) => sample !== undefined);
  const none = known.length === 0;
  return {
    samples,
    clocks,
    failures,
    median: none ? Number.NaN : median(known),
    least: none ? Number.NaN : Math.min(...known),
    spread: none ? Number.NaN : spread(known),
  };
}

/** The figures of all rows; `runs`: by machine, those in the same place are of the same round. The first machine is held against the others. */
export function kernelRows(
  names: readonly { readonly name: string; readonly user?: boolean }[],
  runs: ReadonlyMap<string, readonly MachineRun[]>,
  heat: Heat,
): KernelRow[] {
  const [first, ...others] = runs.keys();
  return names.map(({ name, user = false }) => {
    const all = Object.fromEntries([...runs].map(([machine, list]) => [machine, figures(name, list, heat)]));
    const ratios = others.flatMap((machine): [string, Ratio][] => {
      const [ours, theirs] = [all[first!]!, all[machine]!];
      const rounds = ours.samples.flatMap((sample, k) => (sample === undefined || !theirs.samples[k] ? [] : [sample / theirs.samples[k]]));
      return rounds.length === 0 ? [] : [[machine, { usual: median(rounds), best: ours.least / theirs.least }]];
    });
    return { name, user, figures: all, ratios: Object.fromEntries(ratios) };
  });
}

export interface Means {
  readonly usual: number;
  readonly best: number;
  /** So many rows are in it. */
  readonly rows: number;
}

/** Geometric mean of the ratios to a machine over kernel rows, or over user rows. */
export function means(rows: readonly KernelRow[], machine: string, user: boolean): Means {
  const ratios = rows.flatMap((row) => (row.user === user && row.ratios[machine] !== undefined ? [row.ratios[machine]] : []));
  return {
    usual: geometricMean(ratios.map(({ usual }) => usual)),
    best: geometricMean(ratios.map(({ best }) => best)),
    rows: ratios.length,
  };
}

export interface KernelResult {
  readonly heat: Heat;
  readonly guest: string;
  readonly cpus: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly machines: readonly string[];
  readonly rows: readonly KernelRow[];
  readonly skipped: readonly string[];
}

/** A clock that was off in any round. */
const isOff = ({ clocks }: Figures) => clocks.some((clock) => clock !== undefined && clock !== 1);

export function kernelTable({ heat, guest, cpus, seconds, rounds, machines, rows, skipped }: KernelResult): Table {
  const others = machines.slice(1);
  // A column of stars, so that the numbers stand below each other.
  const nanoseconds = (of: Figures) => (Number.isNaN(of.median) ? 'failed ' : `${short(of.median)}${isOff(of) ? '*' : ' '}`);
  const ratio = (row: { ratios: KernelRow['ratios'] }, machine: string) => {
    const { usual, best } = row.ratios[machine] ?? { usual: Number.NaN, best: Number.NaN };
    return [Number.isNaN(usual) ? '' : times(usual), Number.isNaN(best) ? '' : times(best)];
  };
  const line = (row: KernelRow) => {
    const own = row.figures[machines[0]!]!;
    return [
      row.name,
      nanoseconds(own),
      Number.isNaN(own.spread) || rounds === 1 ? '' : percent(own.spread),
      ...others.flatMap((machine) => [nanoseconds(row.figures[machine]!), ...ratio(row, machine)]),
    ];
  };
  const mean = (user: boolean): string[][] => {
    const of = rows.filter((row) => row.user === user).length;
    if (of < 2 || others.length === 0) return [];
    const all = others.map((machine) => means(rows, machine, user));
    const counts = all.map(({ rows: count }) => count);
    const name = `geometric mean, ${user ? 'user' : 'kernel'}${counts.some((count) => count < of) ? ` (${counts.join(', ')} of ${of})` : ''}`;
    return [
      [name, '', '', ...all.flatMap(({ usual, best, rows: count }) => ['', ...(count === 0 ? ['', ''] : [times(usual), times(best)])])],
    ];
  };
  const clocks = machines.flatMap((machine) => {
    const off = rows.filter((row) => isOff(row.figures[machine]!));
    const factors = off.flatMap((row) =>
      row.figures[machine]!.clocks.flatMap((clock) => (clock === undefined || clock === 1 ? [] : [clock])),
    );
    if (factors.length === 0) return [];
    const [least, most] = [Math.min(...factors), Math.max(...factors)];
    return [
      `* ${machine}: the host's time was ${times(least)} to ${times(most)} the guest's in ${off.length} rows, which are by the host's clock`,
    ];
  });
  const failures = machines.flatMap((machine) =>
    rows.flatMap(({ name, figures: all }) => {
      const reasons = new Set(all[machine]!.failures);
      return [...reasons].map((reason) => `failed: ${machine}, ${name}: ${reason}`);
    }),
  );
  const each = `each row ${seconds} s${heat === 'warm' ? ', the second half of it counts' : ' in a machine that has just booted'}`;
  return {
    title: `kernel, ${heat}: nanoseconds an operation in Linux ${guest} on ${cpus} CPU${cpus === 1 ? '' : 's'}; ${each}; ${rounds === 1 ? 'one round' : `medians of ${rounds} rounds`}`,
    head: ['row', machines[0]!, 'spread', ...others.flatMap((machine) => [machine, 'to it', 'best to best'])],
    rows: [...rows.filter(({ user }) => !user).map(line), ...mean(false), ...rows.filter(({ user }) => user).map(line), ...mean(true)],
    notes: [...clocks, ...failures, ...skipped.map((text) => `skipped: ${text}`)],
  };
}
