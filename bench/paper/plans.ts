// What is measured where nothing else is asked for: all of it, or within five minutes (--quick).
import { rowsOn, type Workload } from '../../guests/workloads/workload.ts';
import { HEATS } from '../kernel/run.ts';
import { type GroupPlan, parts } from './plan.ts';
import type { Subject } from './subjects.ts';

/** Of each warm row, by the name of its workload. */
export type WarmSeconds = ReadonlyMap<string, number>;

export interface PlanOptions {
  readonly workloads: readonly Workload[];
  readonly subjects: readonly Subject[];
  /** Numbers of CPUs, upwards; the first is what all but scaling is measured on. */
  readonly cpus: readonly number[];
  readonly quick: boolean;
  /** Undefined: as it is usual. */
  readonly rounds?: number;
  readonly warmSeconds?: WarmSeconds;
}

/** Workloads for which there is time in five minutes. */
export const QUICK_WORKLOADS: readonly string[] = ['lmbench', 'apache'];
/** Rows that say the most in little time. */
const QUICK = ['getppid-sysenter', 'stat', 'open+close', 'sig-catch', 'page-fault', 'pipe', 'fork+exit', 'fork+exec', 'file'];
/** Rows of which more CPUs do more, of those workloads of which each row is one operation: seconds are enough for it, and it is measured cold as well. */
const SCALED: Readonly<Record<string, readonly string[]>> = {
  lmbench: ['getppid-sysenter', 'stat', 'open+close', 'page-fault', 'pipe', 'fork+exit', 'mmap-64', 'file', 'user-sieve'],
  // Not its locks: where CPUs are more than cores that are free, a ticket lock waits for a CPU that does not run.
  serai: ['call-sysenter', 'page-fault', 'protection-fault', 'context-switch', 'pipe-round-trip', 'spawn-exit', 'page-allocate'],
};
/** So many rows of seconds each in one machine's life: more, and the host has changed before the next machine comes to the same row. */
const ROWS_A_RUN = 9;
/** A row of many processes takes a while to have its regions. */
const SLOW_SECONDS = 20;

/** Of each warm row. */
export function warmSecondsOf(workload: Workload, { quick, warmSeconds }: Pick<PlanOptions, 'quick' | 'warmSeconds'>): number {
  const short = SCALED[workload.name] !== undefined;
  return warmSeconds?.get(workload.name) ?? (quick ? (short ? 1 : 6) : short ? HEATS.warm.seconds : SLOW_SECONDS);
}

/** A workload's rows on more than one CPU: of those of one operation the ones that scale, by as many at once, and what one CPU cannot do. */
function scaledRows(workload: Workload, cpus: number): string[] {
  const [names, scaled, before] = [rowsOn(workload, cpus), SCALED[workload.name], rowsOn(workload, 1)];
  if (scaled === undefined) return names;
  return names.flatMap((name) => (!before.includes(name) ? [name] : scaled.includes(name) ? [`${name}*${cpus}`] : []));
}

export function groupPlans({ workloads, subjects, cpus, quick, rounds, warmSeconds }: PlanOptions): GroupPlan[] {
  const named = (kinds: readonly Subject['kind'][]) => subjects.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  const [one, ...more] = cpus;
  const all = subjects.map(({ name }) => name);
  // What takes an hour by an interpreter says nothing that a shorter row does not.
  const quickly = named(quick ? ['mode', 'peer', 'native'] : ['mode', 'minus', 'peer', 'native']);
  const scaling = all.filter((name) => ['relaxed', 'classic', 'qemu'].includes(name));
  const plans: GroupPlan[] = [];
  const warm = (workload: Workload, count: number, names: readonly string[], rows: readonly string[]) => {
    plans.push({
      workload,
      heat: 'warm',
      cpus: count,
      seconds: warmSecondsOf(workload, { quick, ...(warmSeconds === undefined ? {} : { warmSeconds }) }),
      slices: quick ? 4 : HEATS.warm.slices,
      rounds: rounds ?? (quick ? 1 : 2),
      subjects: names,
      runs: parts(rows, ROWS_A_RUN),
    });
  };
  for (const workload of workloads) {
    const names = rowsOn(workload, one!);
    const rows = quick && workload.name === 'lmbench' ? names.filter((name) => QUICK.includes(name)) : names;
    if (SCALED[workload.name] !== undefined)
      plans.push({
        workload,
        heat: 'cold',
        cpus: one!,
        ...HEATS.cold,
        rounds: rounds ?? (quick ? 1 : 3),
        subjects: quick ? quickly : all,
        runs: [rows],
      });
    // v86 takes more time than there is.
    warm(workload, one!, quick ? quickly.filter((name) => name !== 'v86') : quickly, rows);
  }
  for (const workload of workloads)
    for (const count of more) {
      const rows = scaledRows(workload, count);
      // In five minutes there is time for one row's scaling.
      if (!quick || workload.name === 'apache') warm(workload, count, quick ? scaling.slice(0, 1) : scaling, rows);
    }
  return plans.filter((plan) => plan.subjects.length > 0 && plan.runs.length > 0);
}
