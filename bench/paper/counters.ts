// The paper's Table 3: how control gets from one piece of the kernel's code to the next, counted by the client prof while all rows run that have run once before.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowsOn, type Workload, type WorkloadImage } from '../../guests/workloads/workload.ts';
import type { MachineStats } from '../../src/api/options.ts';
import { limitOf, watch } from '../kernel/run.ts';
import type { CounterRow } from './result.ts';
import type { Subject } from './subjects.ts';

/** Those that are counted: with `returns`, without it, and as it was before. */
export const COUNTED = ['relaxed', 'relaxed -returns', 'classic'] as const;
/** Rows whose time is nearly all the kernel's; undefined: all of a workload's. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
  lmbench: ['stat', 'open+close', 'sig-catch', 'page-fault', 'pipe', 'fork+exit', 'fork+exec', 'file'],
};

export interface CounterJob {
  readonly id: string;
  readonly workload: Workload;
  readonly subject: Subject;
  /** Of each row, twice. */
  readonly seconds: number;
}

export function counterJobs(
  workloads: readonly Workload[],
  subjects: readonly Subject[],
  secondsOf: (workload: Workload) => number,
): CounterJob[] {
  return workloads.flatMap((workload) =>
    subjects
      .filter(({ name }) => (COUNTED as readonly string[]).includes(name))
      .map((subject) => ({ id: `counters / ${workload.name} / ${subject.name}`, workload, subject, seconds: secondsOf(workload) })),
  );
}

const rowsOf = (workload: Workload): readonly string[] => ROWS[workload.name] ?? rowsOn(workload, 1);

/** What it takes beside the machine's start. */
export const counterSeconds = ({ workload, seconds }: CounterJob): number => 2 * rowsOf(workload).length * seconds;

/** Where the first pass is over: the last of its rows says what it took. */
export const clientWord = (rows: readonly string[]): string => `prof:from=kbench: ${rows.at(-1)} ,until=kbench: done`;

export function counterRow(workload: string, subject: string, { begun, ended, kernel }: NonNullable<MachineStats['prof']>): CounterRow {
  if (!begun || !ended) throw new Error('the rows did not run to their end twice');
  const { instructions, indirectBranches, directReturns, firstLevel, secondLevel, dispatcherEntries, lookUps } = kernel;
  return {
    workload,
    subject,
    returns: subject === 'relaxed',
    instructions,
    indirectBranches,
    directReturns,
    firstLevelHits: firstLevel,
    secondLevelHits: secondLevel,
    dispatcherEntries,
    lookUps,
  };
}

/** A text: why there are none. */
export async function count({ workload, subject, seconds }: CounterJob, image: WorkloadImage): Promise<CounterRow | string> {
  const rows = rowsOf(workload);
  const limitSeconds = limitOf(seconds);
  const command = await subject.command({ workload, image, cpus: 1, run: { seconds, slices: 1, limitSeconds, rows: [...rows, ...rows] } });
  if (typeof command === 'string') return command;
  const folder = await mkdtemp(join(tmpdir(), 'dragoman-counters-'));
  try {
    const stats = join(folder, 'stats.json');
    const { reader, ended } = await watch([...command, '--client', clientWord(rows), '--stats', stats], limitSeconds + seconds, {
      toEnd: true,
    });
    const failed = [...reader.output.failed].map(([name, why]) => `${name}: ${why}`);
    if (ended !== undefined || failed.length > 0) return ended ?? failed.join('; ');
    const { prof } = JSON.parse(await readFile(stats, 'utf8')) as MachineStats;
    return counterRow(workload.name, subject.name, prof!);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
