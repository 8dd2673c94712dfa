// A made-up result of `npm run bench -- paper` for tests of its report: plausible figures, a row that failed, a subject that was skipped.

import { median, spread } from '../../../bench/figures.ts';
import type { Figures, Heat } from '../../../bench/kernel/statistics.ts';
import type { CounterRow, PaperGroup, PaperResult, PaperRow, PaperSubject } from '../../../bench/paper/result.ts';

/** Rounds' times in nanoseconds; undefined: it failed in that round. */
export function figures(samples: readonly (number | undefined)[], reason = 'fork: Cannot allocate memory'): Figures {
  const known = samples.filter((sample) => sample !== undefined);
  const none = known.length === 0;
  return {
    samples,
    clocks: samples.map((sample) => (sample === undefined ? undefined : 1)),
    median: none ? Number.NaN : median(known),
    least: none ? Number.NaN : Math.min(...known),
    spread: none ? Number.NaN : spread(known),
    failures: samples.flatMap((sample) => (sample === undefined ? [reason] : [])),
  };
}

export const row = (name: string, all: Readonly<Record<string, readonly (number | undefined)[]>>, user = false): PaperRow => ({
  name,
  what: `one ${name}`,
  user,
  figures: Object.fromEntries(Object.entries(all).map(([subject, samples]) => [subject, figures(samples)])),
});

export const group = (rows: readonly PaperRow[], some: Partial<PaperGroup> = {}): PaperGroup => ({
  workload: 'lmbench',
  title: 'system calls and processes (lmbench)',
  heat: 'warm',
  cpus: 1,
  seconds: 6,
  rounds: 3,
  subjects: [...new Set(rows.flatMap((one) => Object.keys(one.figures)))],
  rows,
  rate: false,
  ...some,
});

export const SUBJECTS: readonly PaperSubject[] = [
  { name: 'relaxed', what: 'Dragoman as it runs for everybody', kind: 'mode' },
  { name: 'transparent', what: 'only what no guest can see', kind: 'mode' },
  { name: 'classic', what: 'no relaxation at all: a yardstick', kind: 'mode' },
  { name: 'relaxed -returns', what: 'without returns', kind: 'minus' },
  { name: 'relaxed -directmap', what: 'without directmap', kind: 'minus' },
  { name: 'relaxed -entries', what: 'without entries', kind: 'minus' },
  { name: 'qemu', what: 'qemu-system-i386 -accel tcg', kind: 'peer' },
  { name: 'v86', what: 'v86, the npm package', kind: 'peer' },
];

export const result = (some: Partial<PaperResult> = {}): PaperResult => ({
  version: '0.2.0',
  date: '2026-11-30T12:34:56.000Z',
  commit: '1234567',
  host: { cpu: 'Some CPU @ 2.00GHz', cpus: 2, node: 'v26.1.0', loadBefore: 0.25, loadAfter: 1.75 },
  guest: '6.1.0-41-686',
  quick: false,
  subjects: SUBJECTS,
  groups: [],
  counters: [],
  goals: [],
  skipped: [],
  ...some,
});

/** A row's time on a subject by that on relaxed, and how it differs from row to row. */
const SLOWER: Readonly<Record<string, number>> = {
  relaxed: 1,
  transparent: 1.12,
  classic: 2.6,
  'relaxed -returns': 1.22,
  'relaxed -directmap': 1.65,
  'relaxed -entries': 1.08,
  qemu: 2.1,
  v86: 7,
};
/** The same for the same names: no test is to see other figures than the last. */
const wobble = (text: string, part: number): number => {
  let hash = 7;
  for (const char of text) hash = (hash * 137 + char.charCodeAt(0) * 389) % 1009;
  return 1 + part * (hash / 504.5 - 1);
};

interface Made {
  readonly workload: string;
  readonly title: string;
  readonly names: Readonly<Record<string, number>>;
  readonly user?: readonly string[];
  readonly rate?: boolean;
}

function madeGroup({ workload, title, names, user = [], rate = false }: Made, heat: Heat, cpus: number): PaperGroup {
  const subjects = Object.keys(SLOWER).filter((name) => cpus === 1 || ['relaxed', 'classic', 'qemu'].includes(name));
  const rows = Object.entries(names).map(([name, time]): PaperRow => {
    const isUser = user.includes(name);
    const all = subjects.map((subject): [string, Figures] => {
      // A fault of QEMU's, and one round of v86's.
      const failed = heat === 'warm' && ((subject === 'qemu' && name === 'mmap') || (subject === 'v86' && name === 'fork'));
      const by = isUser
        ? 1 + (SLOWER[subject]! - 1) / 8
        : SLOWER[subject]! * wobble(name + subject, subject === 'relaxed' ? 0 : subject.startsWith('relaxed') ? 0.06 : 0.45);
      const each = (time * by * (heat === 'cold' ? 1.8 : 1)) / (cpus === 1 ? 1 : 1 + (Math.min(cpus, 2) - 1) * 0.85 * wobble(subject, 0.1));
      const samples = [0, 1, 2].map((k) =>
        failed && (subject === 'qemu' || k === 1) ? undefined : each * wobble(`${name}${subject}${k}`, 0.04),
      );
      return [subject, figures(samples, subject === 'qemu' ? 'mmap -12 <no memory> | a & b' : 'it said nothing for 42 s')];
    });
    const also = rate
      ? Object.fromEntries(
          all.map(([subject, { median: each }]) => [subject, { 'MB/s': 8e6 / each, 'p50 ms': each / 1e5, 'p99 ms': each / 2e4 }]),
        )
      : undefined;
    return {
      name,
      what: rate ? 'a request of 1 KiB' : `one ${name}`,
      user: isUser,
      figures: Object.fromEntries(all),
      ...(also ? { also } : {}),
    };
  });
  return { workload, title, heat, cpus, seconds: heat === 'warm' ? 6 : 0.3, rounds: 3, subjects, rows, rate };
}

const LMBENCH: Made = {
  workload: 'lmbench',
  title: 'system calls and processes (lmbench)',
  names: {
    null: 190,
    read: 410,
    write: 380,
    stat: 1900,
    'open+close': 3100,
    'signal handler': 2100,
    pipe: 7400,
    AF_UNIX: 9100,
    fork: 310_000,
    'fork+exec': 1_450_000,
    'page fault': 1250,
    mmap: 5200,
    'user: sieve': 980,
    'user: hash': 45,
  },
  user: ['user: sieve', 'user: hash'],
};
const APACHE: Made = {
  workload: 'apache',
  title: 'Apache',
  names: { 'static 1 KiB': 210_000, 'static 64 KiB': 420_000, keepalive: 95_000 },
  rate: true,
};
const FILES: Made = {
  workload: 'files',
  title: 'files (filebench)',
  names: { create: 41_000, append: 18_000, delete: 23_000, 'var mail': 88_000 },
};

const counters = (workload: string, scale: number): CounterRow[] => [
  {
    workload,
    subject: 'relaxed',
    returns: true,
    instructions: 8_000_000_000 * scale,
    indirectBranches: 40_000_000 * scale,
    directReturns: 160_000_000 * scale,
    firstLevelHits: 39_000_000 * scale,
    secondLevelHits: 990_000 * scale,
    dispatcherEntries: 4000 * scale,
    lookUps: 40 * scale,
  },
  {
    workload,
    subject: 'relaxed -returns',
    returns: false,
    instructions: 4_000_000_000 * scale,
    indirectBranches: 100_000_000 * scale,
    directReturns: 0,
    firstLevelHits: 95_000_000 * scale,
    secondLevelHits: 4_900_000 * scale,
    dispatcherEntries: 100_000 * scale,
    lookUps: 1000 * scale,
  },
];

/** All that a report can show, at once. */
export const wholeResult = (): PaperResult =>
  result({
    groups: [
      madeGroup(LMBENCH, 'cold', 1),
      madeGroup(LMBENCH, 'warm', 1),
      madeGroup(FILES, 'warm', 1),
      madeGroup(APACHE, 'warm', 1),
      madeGroup(APACHE, 'warm', 2),
      madeGroup(APACHE, 'warm', 4),
    ],
    counters: [...counters('lmbench', 1), ...counters('apache', 0.4)],
    goals: [
      { name: 'classic by relaxed, lmbench, warm: geometric mean', asked: '≥ 3', measured: 2.58, met: false },
      { name: 'relaxed by QEMU, lmbench, warm', asked: '< 1', measured: 0.47, met: true },
      { name: 'dispatcher entries an instruction', asked: '< 1e-6', measured: 5e-7, met: true },
      { name: 'relaxed by native, <all> | “rows” & more', asked: '< 10', measured: undefined, met: undefined },
    ],
    skipped: ['native: no KVM on this host', 'firefox <browser>: not installed'],
  });
