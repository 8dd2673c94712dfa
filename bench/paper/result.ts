// What `npm run bench -- paper` finds: the figures from which every table and chart is made, as --json writes them.
import type { Figures, Heat } from '../kernel/statistics.ts';

/** What is measured: a machine and how it is set. */
export interface PaperSubject {
  /** Unique, as in tables: 'relaxed', 'classic', 'relaxed -returns', 'qemu'. */
  readonly name: string;
  /** A sentence for readers. */
  readonly what: string;
  /** What it is compared as. */
  readonly kind: 'mode' | 'minus' | 'engine' | 'peer' | 'native';
}

/** A row on each subject that ran it. */
export interface PaperRow {
  readonly name: string;
  /** What an operation is. */
  readonly what: string;
  /** No work of the kernel's. */
  readonly user: boolean;
  /** By subject's name: nanoseconds an operation of each round, corrected by the host's clock. */
  readonly figures: Readonly<Record<string, Figures>>;
  /** What else a subject's rounds said, medians, by subject and by key: latencies, megabytes a second. */
  readonly also?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Rows that ran together, in one image, on as many CPUs. */
export interface PaperGroup {
  readonly workload: string;
  /** For people: 'system calls and processes (lmbench)', 'Apache'. */
  readonly title: string;
  readonly heat: Heat;
  readonly cpus: number;
  /** Of each row. */
  readonly seconds: number;
  readonly rounds: number;
  /** In the order in which they ran. */
  readonly subjects: readonly string[];
  readonly rows: readonly PaperRow[];
  /** Operations a second are what people expect of it rather than nanoseconds an operation. */
  readonly rate: boolean;
}

/** The paper's Table 3 for one workload: of code of the kernel, while the rows ran. */
export interface CounterRow {
  readonly workload: string;
  readonly subject: string;
  readonly returns: boolean;
  readonly instructions: number;
  /** RET, and JMP and CALL through registers and memory, whose target was looked for: what a return costs that was known is not in it. */
  readonly indirectBranches: number;
  /** RETs that went on behind their CALL without a look-up. */
  readonly directReturns: number;
  readonly firstLevelHits: number;
  readonly secondLevelHits: number;
  /** Of the dispatcher, for whatever reason: interpreted code is part of it, and where two places of code share an entry of the jump cache. */
  readonly dispatcherEntries: number;
  /** Those of them that neither level could answer: what the paper counts as entries of its dispatcher. */
  readonly lookUps: number;
}

/** A figure that was asked for. */
export interface Goal {
  readonly name: string;
  /** 'at least 3', 'below 1'. */
  readonly asked: string;
  readonly measured: number | undefined;
  readonly met: boolean | undefined;
}

export interface PaperResult {
  readonly version: string;
  /** ISO 8601. */
  readonly date: string;
  readonly commit: string;
  readonly host: {
    readonly cpu: string;
    readonly cpus: number;
    readonly node: string;
    /** Load average of a minute, before and after. */
    readonly loadBefore: number;
    readonly loadAfter: number;
  };
  /** Release of the guest's kernel, Linux; or another one's name. */
  readonly guest: string;
  readonly quick: boolean;
  readonly subjects: readonly PaperSubject[];
  readonly groups: readonly PaperGroup[];
  readonly counters: readonly CounterRow[];
  readonly goals: readonly Goal[];
  /** What did not run, and why. */
  readonly skipped: readonly string[];
}
