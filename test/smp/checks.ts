// What the SMP programs must print, for Dragoman (the tests) and for QEMU (check-with-qemu.ts) alike.
import type { Options } from './programs.ts';

/** Iterations of a litmus test in one batch, as in litmus.asm. */
const BATCH = 2048;

/** A litmus test: results that x86-TSO forbids, and ones that it allows but no interleaving of the CPUs' steps gives. */
interface Litmus {
  readonly cpus: number;
  readonly forbidden: RegExp;
  readonly relaxed?: RegExp;
}

/** Digits: the results in order, then X and Y at the end where litmus.asm says so. */
export const LITMUS: Readonly<Record<string, Litmus>> = {
  SB: { cpus: 2, forbidden: /[^01]/, relaxed: /^00/ },
  'SB+mfence': { cpus: 2, forbidden: /^00/ },
  'SB+lock': { cpus: 2, forbidden: /^00/ },
  'SB+crossing': { cpus: 2, forbidden: /^00/ },
  'SB+xchg': { cpus: 2, forbidden: /^00/ },
  'SB+cpuid': { cpus: 2, forbidden: /^00/ },
  'SB+cr3': { cpus: 2, forbidden: /^00/ },
  'SB+invlpg': { cpus: 2, forbidden: /^00/ },
  'SB+iret': { cpus: 2, forbidden: /^00/ },
  MP: { cpus: 2, forbidden: /^10/ },
  LB: { cpus: 2, forbidden: /^11/ },
  S: { cpus: 2, forbidden: /^12/ },
  R: { cpus: 2, forbidden: /[^012]/, relaxed: /^0.2/ },
  'R+mfence': { cpus: 2, forbidden: /^0.2/ },
  CoRR: { cpus: 2, forbidden: /^(10|20|21)|^..[01]/ },
  '2+2W': { cpus: 2, forbidden: /^11/ },
  n5: { cpus: 2, forbidden: /^21/ },
  // A result of 2 for X comes behind the other CPU's store to Y, and its own store to X comes first.
  n6: { cpus: 2, forbidden: /^(20|2.1)/, relaxed: /^101/ },
  'n6+mfence': { cpus: 2, forbidden: /^(20|2.1|101)/ },
  IRIW: { cpus: 4, forbidden: /^1010/ },
  'IRIW+mfence': { cpus: 4, forbidden: /^1010/ },
  WRC: { cpus: 4, forbidden: /^110/ },
  '3.SB': { cpus: 4, forbidden: /[^01]/, relaxed: /^000/ },
  '3.SB+lock': { cpus: 4, forbidden: /^000/ },
};

export interface Report {
  /** What is wrong; nothing: all is well. */
  readonly problems: readonly string[];
  /** Worth telling. */
  readonly notes: readonly string[];
}

export function checkLitmus(lines: readonly string[], { cpus, n }: Options): Report {
  const problems: string[] = [];
  const notes: string[] = [];
  const expected = Object.keys(LITMUS).filter((name) => LITMUS[name]!.cpus === cpus);
  const got = new Map(lines.map((line) => [line.split(' ')[0]!, line]));
  for (const name of expected) {
    const line = got.get(name);
    if (line === undefined) {
      problems.push(`${name} is missing`);
      continue;
    }
    const { forbidden, relaxed } = LITMUS[name]!;
    let sum = 0;
    for (const entry of line.split(' ').slice(1)) {
      const [result, count] = entry.split(':') as [string, string];
      sum += Number(count);
      if (forbidden.test(result)) problems.push(`${name}: forbidden ${result}, ${count} times (${line})`);
      else if (relaxed?.test(result)) notes.push(`${name} ${result}: ${count} of ${n * BATCH}`);
    }
    if (sum !== n * BATCH) problems.push(`${name}: ${sum} results of ${n * BATCH}`);
  }
  if (got.size !== expected.length) problems.push(`lines that nobody expects: ${lines.join('\n')}`);
  return { problems, notes };
}

/** Programs that judge themselves: each part prints a line that ends in "ok", or says what was wrong; numbers behind it are for people. */
export function checkParts(lines: readonly string[], parts: readonly string[]): Report {
  const problems = lines.filter((line) => !/ ok( |$)/.test(line));
  const seen = lines.map((line) => line.split(' ')[0]);
  if (seen.join() !== parts.join()) problems.push(`parts that ran: ${seen.join(' ')}; expected: ${parts.join(' ')}`);
  return { problems, notes: [] };
}

interface Program {
  readonly about: string;
  /** How it is run: CPUs, and how often. */
  readonly runs: readonly { readonly cpus: number; readonly n: number }[];
  readonly check: (lines: readonly string[], options: Options) => Report;
}

const LOCKED_SIZES: Readonly<Record<string, number>> = {
  inc32: 4,
  inc16: 2,
  inc8: 1,
  dec32: 4,
  add32: 4,
  add16: 2,
  add8: 1,
  sub32: 4,
  xadd32: 4,
  xadd8: 1,
  cmpxchg32: 4,
  cmpxchg16: 2,
  cmpxchg8b: 8,
  'xchg-lock': 4,
  'or/and8': 1,
  'or/and16': 2,
  'or/and32': 4,
  xor32: 4,
  'bts/btr32': 4,
  btc16: 2,
  not8: 1,
  not32: 4,
  neg32: 4,
};

const lockedParts = (): string[] => [
  ...Object.entries(LOCKED_SIZES).flatMap(([name, bytes]) =>
    ['aligned', ...(bytes > 1 ? ['misaligned', 'lines', 'pages'] : []), 'again'].map((place) => `${name}-${place}`),
  ),
  'torn',
  'neighbours',
  'code',
];

const SMC_PARTS = [
  'cross-cpuid-pages',
  'cross-iret-pages',
  'cross-cpuid-one-page',
  'cross-iret-one-page',
  'cross-cpuid-apart',
  'self-pages',
  'self-one-page',
  'int3',
  'beside',
];

export const NMI_PARTS = ['latched', 'two', 'behind', 'hlt'];

const interruptParts = (cpus: number): string[] => [
  'ring',
  'fixed',
  'shorthands',
  'logical-flat',
  'logical-cluster',
  ...Array.from({ length: cpus }, () => 'lowest-priority'),
  'nmi',
  'nmi-off',
  'restart',
  'ioapic',
  'timers',
  'tsc',
];

/** The programs that end by themselves and report on the way. */
export const PROGRAMS: Readonly<Record<string, Program>> = {
  litmus: {
    about: 'nothing that x86-TSO forbids',
    runs: [
      { cpus: 2, n: 15 },
      { cpus: 4, n: 10 },
    ],
    check: checkLitmus,
  },
  locked: {
    about: 'totals of locked instructions are exact, aligned or not',
    runs: [
      { cpus: 2, n: 262144 },
      { cpus: 4, n: 131072 },
    ],
    check: (lines) => checkParts(lines, lockedParts()),
  },
  smc: {
    about: 'code that one CPU changes is seen by the others when it must be',
    runs: [
      { cpus: 2, n: 120 },
      { cpus: 4, n: 40 },
    ],
    check: (lines) => checkParts(lines, SMC_PARTS),
  },
  shootdown: {
    about: 'no CPU uses a mapping behind its shoot-down; accessed and dirty bits are not lost, and lose nothing',
    runs: [
      { cpus: 2, n: 60 },
      { cpus: 4, n: 20 },
    ],
    check: (lines) => checkParts(lines, ['remap', 'unmap', 'protect', 'marks', 'flips', 'swap']),
  },
  interrupts: {
    about: 'IPIs, NMI, INIT and SIPI, I/O APIC, timers and time stamps',
    runs: [
      { cpus: 2, n: 20 },
      { cpus: 4, n: 10 },
    ],
    check: (lines, { cpus }) => checkParts(lines, interruptParts(cpus)),
  },
  hpet: {
    about: 'the HPET in the place of the 8254: periodic and once',
    runs: [{ cpus: 2, n: 20 }],
    check: (lines) => checkParts(lines, ['periodic', 'comparator', 'once', 'replaced', 'given-back']),
  },
  nmi: {
    about: 'one NMI may wait while another is being served',
    runs: [{ cpus: 2, n: 20 }],
    check: (lines) => checkParts(lines, NMI_PARTS),
  },
};

export const checkProgram = (name: string, lines: readonly string[], options: Options): Report => PROGRAMS[name]!.check(lines, options);

/** What each measurement of clocks.asm is to find, in nanoseconds: 800H ticks of the 8254; 3,580 of the PM timer. */
const CLOCK_NS: Readonly<Record<string, number>> = {
  pit: (0x800 / 1193182) * 1e9,
  pm: (3580 / 3579545) * 1e9,
  apic: (0x800 / 1193182) * 1e9,
};
export const CLOCKS = Object.keys(CLOCK_NS);

/** How far each measurement of a kind in the output of clocks.asm is off, as a part of what it should be. */
export const clockDeviation = (lines: readonly string[], name: string): number[] =>
  lines.map((line) => line.split(' ')).flatMap(([of, counts]) => (of === name ? [Number(counts) / CLOCK_NS[name]! - 1] : []));
