// Runs what a plan has, each machine a process of its own, and tells how far it is.
import { rm } from 'node:fs/promises';
import type { Workload, WorkloadImage } from '../../guests/workloads/workload.ts';
import { limitOf, watch } from '../kernel/run.ts';
import { type CounterJob, count, counterSeconds } from './counters.ts';
import { type JobRecord, type Journal, NO_OUTPUT } from './journal.ts';
import { Estimate, groupName, type Job } from './plan.ts';
import type { Subject } from './subjects.ts';

/** `M:SS` */
const minutes = (seconds: number) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds) % 60).padStart(2, '0')}`;

type Images = ReadonlyMap<string, WorkloadImage | string>;

/** What workloads need, fetched once; a text where one cannot be had: the reason. */
export async function images(workloads: readonly Workload[]): Promise<Images> {
  const all = new Map<string, WorkloadImage | string>();
  for (const workload of workloads) all.set(workload.name, await workload.image().catch((error: Error) => error.message));
  return all;
}

/** A machine's life, of either kind. */
interface Step {
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  readonly rowSeconds: number;
  run(): Promise<JobRecord>;
}

async function runJob({ id, group, rows }: Job, subject: Subject, image: WorkloadImage | string): Promise<JobRecord> {
  const skip = (skipped: string): JobRecord => ({ id, output: NO_OUTPUT, skipped, seconds: 0 });
  if (typeof image === 'string') return skip(image);
  const { workload, cpus, seconds, slices } = group;
  const limitSeconds = limitOf(seconds);
  const command = await subject.command({ workload, image, cpus, run: { seconds, slices, limitSeconds, rows } });
  if (typeof command === 'string') return skip(command);
  const start = performance.now();
  let pid = 0;
  const { reader, ended } = await watch(command, limitSeconds + seconds, { onOutput: (_reader, number) => (pid = number) });
  if (subject.kind === 'native') await rm(`/tmp/kbench-${pid}`, { recursive: true, force: true });
  return { id, output: reader.output, ...(ended === undefined ? {} : { ended }), seconds: (performance.now() - start) / 1000 };
}

async function runCounters(job: CounterJob, image: WorkloadImage | string): Promise<JobRecord> {
  const start = performance.now();
  const found = typeof image === 'string' ? image : await count(job, image);
  return {
    id: job.id,
    output: NO_OUTPUT,
    ...(typeof found === 'string' ? { skipped: found } : { counters: found }),
    seconds: (performance.now() - start) / 1000,
  };
}

export interface RunOptions {
  readonly jobs: readonly Job[];
  readonly counting: readonly CounterJob[];
  readonly subjects: readonly Subject[];
  readonly images: Images;
  readonly journal: Journal;
  /** All must be over after so many seconds since `startMs`; what would take longer is left out. */
  readonly budgetSeconds: number;
  /** Milliseconds of the host's clock. */
  readonly startMs: number;
}

/** Runs what the journal has not, one after the other. */
export async function runAll({ jobs, counting, subjects, images: have, journal, budgetSeconds, startMs }: RunOptions): Promise<void> {
  const byName = new Map(subjects.map((subject) => [subject.name, subject]));
  const estimate = new Estimate(new Map(subjects.map(({ name, bootSeconds }) => [name, bootSeconds])));
  const elapsed = () => (performance.now() - startMs) / 1000;
  const steps: Step[] = [
    ...jobs.map(
      (job): Step => ({
        id: job.id,
        name: `${groupName(job.group)}, round ${job.round + 1}, ${job.subject}`,
        subject: job.subject,
        rowSeconds: job.rows.length * job.group.seconds,
        run: () => runJob(job, byName.get(job.subject)!, have.get(job.group.workload.name)!),
      }),
    ),
    ...counting.map(
      (job): Step => ({
        id: job.id,
        name: job.id,
        subject: job.subject.name,
        rowSeconds: counterSeconds(job),
        run: () => runCounters(job, have.get(job.workload.name)!),
      }),
    ),
  ];
  for (const [k, step] of steps.entries()) {
    const known = journal.find(step.id);
    if (known !== undefined) {
      if (known.skipped === undefined) estimate.done(step, known.seconds);
      continue;
    }
    if (elapsed() + estimate.seconds(step) > budgetSeconds) continue;
    const rest = steps.slice(k).reduce((sum, one) => sum + (journal.find(one.id) === undefined ? estimate.seconds(one) : 0), 0);
    const left = minutes(Math.min(rest, budgetSeconds - elapsed()));
    process.stderr.write(`bench: paper ${k + 1}/${steps.length}, about ${left} left: ${step.name} ...`);
    const record = await step.run();
    journal.add(record);
    if (record.skipped === undefined) estimate.done(step, record.seconds);
    process.stderr.write(` ${record.skipped ?? record.ended ?? `${record.seconds.toFixed(1)} s`}\n`);
  }
}
