// From what machines printed to the figures of groups. Computes only.
import { median } from '../figures.ts';
import { kernelRows, type MachineRun } from '../kernel/statistics.ts';
import { type JobRecord, NO_OUTPUT } from './journal.ts';
import { type GroupPlan, groupName, type Job, jobsOf } from './plan.ts';
import type { PaperGroup, PaperRow } from './result.ts';

export interface Collected {
  readonly group: PaperGroup;
  /** Subjects that did not run, with the reasons. */
  readonly skipped: readonly string[];
}

type Found = (id: string) => JobRecord | undefined;

function also(row: string, jobs: readonly Job[], found: Found): PaperRow['also'] {
  const bySubject = Map.groupBy(jobs, ({ subject }) => subject);
  const all = [...bySubject].flatMap(([subject, own]): [string, Record<string, number>][] => {
    const values = own.flatMap(({ id }) => Object.entries(found(id)?.output.also?.[row] ?? {}));
    const byKey = [...Map.groupBy(values, ([key]) => key)];
    return byKey.length === 0
      ? []
      : [[subject, Object.fromEntries(byKey.map(([key, list]) => [key, median(list.map(([, value]) => value))]))]];
  });
  return all.length === 0 ? undefined : Object.fromEntries(all);
}

/** Of a job that has no record: the run was over before its turn came. */
export const NO_TIME = 'no time was left';

/** A place for each round, so that those in the same place are of the same round. */
function runOf({ id, subject: machine }: Job, found: Found): MachineRun {
  const { output = NO_OUTPUT, ended, skipped = NO_TIME } = found(id) ?? {};
  return { machine, output, ...(output.done ? {} : { ended: ended ?? skipped }) };
}

/** `found`: what a job's run gave; undefined where it did not run. */
export function collect(plan: GroupPlan, found: Found): Collected {
  const jobs = jobsOf(plan);
  const reasons = new Map<string, Set<string>>();
  for (const { id, subject } of jobs) {
    const why = found(id) === undefined ? NO_TIME : found(id)!.skipped;
    if (why !== undefined) reasons.set(subject, (reasons.get(subject) ?? new Set<string>()).add(why));
  }
  const ran = ({ id }: Job) => found(id) !== undefined && found(id)!.skipped === undefined;
  const subjects = plan.subjects.filter((subject) => jobs.some((job) => job.subject === subject && ran(job)));
  const rows = plan.runs.flatMap((names) => {
    const mine = jobs.filter(({ rows: list }) => list === names);
    const runs = new Map(
      subjects.map((subject) => [subject, mine.filter((job) => job.subject === subject).map((job) => runOf(job, found))]),
    );
    // 'stat*2' is the row stat by two processes.
    const known = names.map((name) => plan.workload.rows.find((row) => row.name === name.split('*')[0])!);
    const asked = names.map((name, k) => ({ name, user: known[k]!.user === true }));
    return kernelRows(asked, runs, plan.heat).map(({ name: asName, user, figures }, k): PaperRow => {
      const { name, what } = known[k]!;
      const more = also(asName, mine, found);
      return { name, what, user, figures, ...(more === undefined ? {} : { also: more }) };
    });
  });
  const { workload, heat, cpus, seconds, rounds } = plan;
  return {
    group: { workload: workload.name, title: workload.title, heat, cpus, seconds, rounds, subjects, rows, rate: workload.rate },
    skipped: [...reasons].map(([subject, list]) => `${groupName(plan)}: ${subject}: ${[...list].join('; ')}`),
  };
}
