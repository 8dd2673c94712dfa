// npm run bench -- paper: which runs there are and in which order, what an interruption leaves, and the figures that they become.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { collect } from '../../../bench/paper/collect.ts';
import { goalsOf } from '../../../bench/paper/goals.ts';
import { type JobRecord, Journal } from '../../../bench/paper/journal.ts';
import { Estimate, type GroupPlan, type Job, jobsOf, parts } from '../../../bench/paper/plan.ts';
import { groupPlans } from '../../../bench/paper/plans.ts';
import { compare, meanOf, rowsOf } from '../../../bench/paper/report/ratios.ts';
import { SUBJECTS } from '../../../bench/paper/subjects.ts';
import { WORKLOADS } from '../../../guests/workloads/index.ts';
import type { Workload } from '../../../guests/workloads/workload.ts';

const workload: Workload = {
  name: 'apache',
  title: 'Some rows',
  rows: [
    { name: 'get', what: 'a file' },
    { name: 'put', what: 'another' },
    { name: 'spin', what: 'nothing', user: true },
  ],
  memoryMiB: 64,
  rate: true,
  image: () => Promise.reject(new Error('not here')),
  append: () => '',
};
const plan = (over: Partial<GroupPlan> = {}): GroupPlan => ({
  workload,
  heat: 'warm',
  cpus: 1,
  seconds: 2,
  slices: 1,
  rounds: 2,
  subjects: ['relaxed', 'classic'],
  runs: [['get', 'put'], ['spin']],
  ...over,
});

const nothing = { rows: [], failed: new Map(), also: {}, done: false };
const folder = mkdtempSync(join(tmpdir(), 'dragoman-paper-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A run in which the clocks agree; nanoseconds an operation by row. */
function record(
  id: string,
  each: Record<string, number>,
  more: { also?: Record<string, Record<string, number>>; failed?: [string, string][] } = {},
): JobRecord {
  const rows = Object.entries(each).map(([name, ns], k) => ({
    name,
    slices: [{ nanoseconds: 2e9, operations: 2e9 / ns }],
    guestFromMs: 2000 * k,
    hostFromMs: 2000 * k,
    guestMs: 2000,
    hostMs: 2000,
  }));
  return { id, output: { rows, failed: new Map(more.failed), also: more.also ?? {}, done: true }, seconds: 9 };
}

const timed = ({ subject, rows, group }: Job) => ({ subject, rowSeconds: rows.length * group.seconds });

describe('the plan', () => {
  it('has machines next to each other that run the same rows, in turn from either end', () => {
    expect(jobsOf(plan()).map(({ round, rows, subject }) => `${round} ${rows} ${subject}`)).toEqual([
      ...['0 get,put relaxed', '0 get,put classic', '0 spin relaxed', '0 spin classic'],
      ...['1 get,put classic', '1 get,put relaxed', '1 spin classic', '1 spin relaxed'],
    ]);
    expect(new Set(jobsOf(plan()).map(({ id }) => id)).size).toBe(8);
  });

  it('cuts rows into lists of about the same length', () => {
    expect(parts(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 3)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f', 'g'],
    ]);
    expect(parts(['a'], 9)).toEqual([['a']]);
    expect(parts([], 9)).toEqual([]);
  });

  it('learns how long a machine takes beside its rows', () => {
    const [first, second] = jobsOf(plan());
    const estimate = new Estimate(new Map([['relaxed', 6]]));
    expect([estimate.seconds(timed(first!)), estimate.seconds(timed(second!))]).toEqual([10, 4]);
    estimate.done(timed(first!), 11);
    expect(estimate.seconds(timed(jobsOf(plan())[2]!))).toBe(9);
  });

  it('measures each row cold and warm, on all subjects, and what scales on more CPUs', () => {
    const plans = groupPlans({ workloads: WORKLOADS, subjects: SUBJECTS, cpus: [1, 2], quick: false });
    const of = (heat: string, cpus: number) =>
      plans.find((one) => one.workload.name === 'lmbench' && one.heat === heat && one.cpus === cpus)!;
    const names = WORKLOADS.find(({ name }) => name === 'lmbench')!.rows.map(({ name }) => name);
    expect(of('cold', 1).runs).toEqual([names]);
    expect(of('warm', 1).runs.flat()).toEqual(names);
    expect(of('cold', 1).subjects).toEqual(SUBJECTS.map(({ name }) => name));
    expect(of('warm', 2).runs.flat()).toContain('stat*2');
    expect(of('warm', 2).subjects).toEqual(['relaxed', 'classic', 'qemu']);
  });

  it('gives the warm rows of a workload the seconds that are asked for it', () => {
    const warmSeconds = new Map([['apache', 40]]);
    const plans = groupPlans({ workloads: WORKLOADS, subjects: SUBJECTS, cpus: [1, 2], quick: false, warmSeconds });
    const secondsOf = (name: string) =>
      plans.filter(({ workload, heat }) => workload.name === name && heat === 'warm').map(({ seconds }) => seconds);
    expect([secondsOf('apache'), secondsOf('lmbench'), secondsOf('build')]).toEqual([
      [40, 40],
      [6, 6],
      [20, 20],
    ]);
  });

  it("measures serai's rows cold, warm and by several, and what takes two CPUs only there", () => {
    const plans = groupPlans({ workloads: WORKLOADS, subjects: SUBJECTS, cpus: [1, 2], quick: false });
    const of = (heat: string, cpus: number) =>
      plans.find((one) => one.workload.name === 'serai' && one.heat === heat && one.cpus === cpus)!.runs.flat();
    const names = WORKLOADS.find(({ name }) => name === 'serai')!.rows.map(({ name }) => name);
    expect(names).toContain('ipi-round-trip');
    expect(of('cold', 1)).toEqual(names.filter((name) => name !== 'ipi-round-trip'));
    expect(of('warm', 1)).toEqual(of('cold', 1));
    expect(of('warm', 2)).toContain('ipi-round-trip');
    expect(of('warm', 2)).toContain('page-fault*2');
    expect(of('warm', 2)).not.toContain('ipi-self*2');
    // A machine with two CPUs alone has all of them.
    const alone = groupPlans({ workloads: WORKLOADS, subjects: SUBJECTS, cpus: [2], quick: false });
    expect(alone.find((one) => one.workload.name === 'serai' && one.heat === 'cold')!.runs).toEqual([names]);
  });

  it('is short enough for five minutes where that is asked', () => {
    const plans = groupPlans({ workloads: WORKLOADS, subjects: SUBJECTS, cpus: [1, 2], quick: true });
    const estimate = new Estimate(new Map(SUBJECTS.map(({ name, bootSeconds }) => [name, bootSeconds])));
    const lmbench = plans.filter((one) => one.workload.name === 'lmbench').flatMap(jobsOf);
    expect(lmbench.length).toBeGreaterThan(5);
    expect(lmbench.reduce((sum, job) => sum + estimate.seconds(timed(job)), 0)).toBeLessThan(240);
  });
});

describe('the journal', () => {
  const one = record('a', { get: 100 }, { also: { get: { p50: 3 } }, failed: [['put', 'open -2']] });

  it('has what was done before an interruption, without a line that was cut off', () => {
    const path = join(folder, 'journal.jsonl');
    const first = Journal.begin(path, 'plan');
    first.add(one);
    appendFileSync(path, '{"id":"b","output":{"ro');
    const again = Journal.resume(path, 'plan');
    expect(again.find('a')).toEqual(one);
    expect(again.find('b')).toBeUndefined();
    again.add(record('b', { get: 5 }));
    expect(Journal.resume(path, 'plan').find('b')?.output.rows[0]?.name).toBe('get');
    expect(readFileSync(path, 'utf8').split('\n').length).toBe(4);
  });

  it('does not go on with something else', () => {
    const path = join(folder, 'other.jsonl');
    expect(() => Journal.resume(path, 'plan')).toThrow('nothing to resume');
    Journal.begin(path, 'plan of yesterday');
    expect(() => Journal.resume(path, 'plan')).toThrow(/is something else.*\n.*plan of yesterday\n.*plan$/);
    writeFileSync(path, '');
    expect(() => Journal.resume(path, 'plan')).toThrow('then: nothing');
  });
});

const pair = { subject: 'classic', base: 'relaxed' };

describe('the figures', () => {
  const jobs = jobsOf(plan());
  const found =
    (...records: JobRecord[]) =>
    (id: string) =>
      records.find((one) => one.id === id);
  const id = (round: number, rows: string, subject: string) =>
    jobs.find((job) => job.round === round && job.rows.join() === rows && job.subject === subject)!.id;

  it('has the same round in the same place, whatever did not run', () => {
    const { group, skipped } = collect(
      plan(),
      found(
        record(id(0, 'get,put', 'relaxed'), { get: 100, put: 50 }, { also: { get: { p50: 2 } } }),
        record(id(0, 'get,put', 'classic'), { get: 300 }, { failed: [['put', 'open -2']] }),
        record(id(1, 'get,put', 'relaxed'), { get: 200, put: 60 }, { also: { get: { p50: 4 } } }),
        { id: id(0, 'spin', 'relaxed'), output: nothing, skipped: 'not here', seconds: 0 },
        record(id(0, 'spin', 'classic'), { spin: 7 }),
      ),
    );
    const [get, put, spin] = group.rows;
    expect(get!.figures.relaxed!.samples).toEqual([100, 200]);
    expect(get!.figures.classic!.samples).toEqual([300, undefined]);
    expect(compare(get!, pair)?.usual).toBe(3);
    expect(get!.also).toEqual({ relaxed: { p50: 3 } });
    expect(put!.figures.classic!.failures).toEqual(['open -2', 'no time was left']);
    expect(compare(put!, pair)?.usual).toBeUndefined();
    expect(spin!.user).toBe(true);
    expect(spin!.figures.relaxed!.failures).toEqual(['not here', 'no time was left']);
    expect(meanOf(rowsOf(group, false), pair)).toBeUndefined();
    expect(skipped).toEqual(['apache warm, 1 CPU: relaxed: not here; no time was left', 'apache warm, 1 CPU: classic: no time was left']);
  });

  it('leaves out a subject that ran nothing, and names rows of many processes as they are named on one CPU', () => {
    const two = plan({ cpus: 2, rounds: 1, runs: [['get*2']] });
    const [first] = jobsOf(two);
    const { group } = collect(two, found(record(first!.id, { 'get*2': 60 })));
    expect(group.subjects).toEqual(['relaxed']);
    expect(group.rows.map(({ name }) => name)).toEqual(['get']);
    expect(group.rows[0]!.figures.relaxed!.median).toBe(60);
  });

  it('says which goals are met', () => {
    const one = plan({ rounds: 1, runs: [['get']] });
    const two = { ...one, cpus: 2 };
    const all = [...jobsOf(one), ...jobsOf(two)].map((job) =>
      record(job.id, { get: job.subject === 'classic' ? 290 : job.group.cpus === 2 ? 50 : 100 }),
    );
    const groups = [one, two].map((each) => collect(each, found(...all)).group);
    const counters = [
      { subject: 'relaxed', indirectBranches: 30 },
      { subject: 'relaxed -returns', indirectBranches: 1000 },
    ].map((row) => ({
      workload: 'apache',
      returns: row.subject === 'relaxed',
      instructions: 1e7,
      directReturns: 0,
      firstLevelHits: 0,
      secondLevelHits: 0,
      dispatcherEntries: 2000,
      lookUps: 20,
      ...row,
    }));
    expect(goalsOf(groups, counters).map(({ measured, met }) => [measured && Number(measured.toFixed(6)), met])).toEqual([
      [2.9, false],
      [undefined, undefined],
      [2, false],
      [0.97, true],
      [2, true],
    ]);
  });
});
