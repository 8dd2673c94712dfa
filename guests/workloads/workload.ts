// What the guests of npm run bench -- paper have in common: rows of work in a kernel, asked for on its command line, told on its console as kbench does. README.md beside this file.
import type { KbenchRow, KbenchRun } from '../kbench/initrd.ts';

export interface WorkloadImage {
  /** Paths of the bzImage and of the initial RAM disk; of a multiboot kernel where there is none. */
  readonly kernel: string;
  readonly initrd?: string;
  /** Path of a raw image for a virtio disk that the guest makes a file system on: nothing on it counts, and what a run leaves does no harm to the next. */
  readonly disk?: string;
  /** Release of Debian's kernel; of another, its name. */
  readonly version: string;
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly KbenchRow[];
  /** What the guest needs. */
  readonly memoryMiB: number;
  /** Whether its figures are told as operations a second: more is better; else as time an operation. */
  readonly rate: boolean;
  /** Fetches and makes what is missing. Throws GUEST_MISSING with the reason. */
  image(): Promise<WorkloadImage>;
  /** The kernel's command line. */
  append(run: KbenchRun): string;
}

/** Names of the rows that so many CPUs are enough for. */
export const rowsOn = ({ rows }: Pick<Workload, 'rows'>, cpus: number): string[] =>
  rows.filter(({ leastCpus = 1 }) => leastCpus <= cpus).map(({ name }) => name);
