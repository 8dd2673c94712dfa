// npm run bench -- kernel: figures, ratios, clocks and the table.
import { expect, it } from 'vitest';
import { formatTable } from '../../../bench/figures.ts';
import type { KbenchOutput } from '../../../bench/kernel/output.ts';
import { kernelRows, kernelTable, type MachineRun, means, nanosecondsOf } from '../../../bench/kernel/statistics.ts';

/** A run in which rows took so many nanoseconds an operation, each for `ms`; `clock`: host's time by guest's. */
function run(
  machine: string,
  rows: Record<string, number>,
  { ms = 1000, clock = 1, failed = {} as Record<string, string> } = {},
): MachineRun {
  const output: KbenchOutput = {
    rows: Object.entries(rows).map(([name, each], k) => ({
      name,
      slices: [{ nanoseconds: ms * 1e6, operations: (ms * 1e6) / each }],
      guestFromMs: 5000 + k * ms,
      hostFromMs: k * ms * clock,
      guestMs: ms,
      hostMs: ms * clock,
    })),
    failed: new Map(Object.entries(failed)),
    also: {},
    done: true,
  };
  return { machine, output };
}
const NAMES = [{ name: 'stat' }, { name: 'fork' }, { name: 'sieve', user: true }];

it('counts all of a cold row, and the second half of a warm one without what the host did to a slice', () => {
  const slices = [100, 100, 20, 10, 30].map((each) => ({ nanoseconds: each * 1000, operations: 1000 }));
  const row = { name: 'stat', slices, guestFromMs: 0, hostFromMs: 0, guestMs: 0, hostMs: 0 };
  expect(nanosecondsOf(row, 'cold')).toBe(52);
  expect(nanosecondsOf(row, 'warm')).toBe(20);
});

it('takes ratios within a round, and of the best of all rounds', () => {
  const runs = new Map([
    ['ours', [run('ours', { stat: 20 }), run('ours', { stat: 50 }), run('ours', { stat: 12 })]],
    ['theirs', [run('theirs', { stat: 10 }), run('theirs', { stat: 100 }), run('theirs', { stat: 4 })]],
  ]);
  const [stat] = kernelRows(NAMES, runs, 'cold');
  expect(stat!.figures.ours).toMatchObject({ samples: [20, 50, 12], median: 20, least: 12, failures: [] });
  expect(stat!.ratios).toEqual({ theirs: { usual: 2, best: 3 } });
});

it('takes the host for the truth where a clock is off, in a row or over the run, and no other time', () => {
  const clock = (hostByGuest: number, ms: number) => {
    const [stat] = kernelRows([NAMES[0]!], new Map([['m', [run('m', { stat: 10, fork: 10 }, { ms, clock: hostByGuest })]]]), 'warm');
    return stat!.figures.m!.median;
  };
  expect(clock(1.5, 1000)).toBe(15);
  expect(clock(0.5, 1000)).toBe(5);
  expect(clock(1.015, 10_000)).toBe(10);
  // 120 ms of two rows together are too much, 60 ms are what a line may be late.
  expect(clock(1.2, 300)).toBeCloseTo(12);
  expect(clock(1.1, 300)).toBe(10);
});

it('finds a row in which a clock was off that is right over the run', () => {
  const { machine, output } = run('m', { stat: 10, fork: 10 }, { ms: 50_000 });
  const [stat, fork] = output.rows;
  const rows = [
    { ...stat!, hostMs: 52_000 },
    { ...fork!, hostFromMs: 52_000, hostMs: 48_000 },
  ];
  const found = kernelRows(NAMES, new Map([[machine, [{ machine, output: { ...output, rows } }]]]), 'warm');
  expect(found.slice(0, 2).map(({ figures }) => figures.m!.median)).toEqual([10.4, 9.6]);
});

it('has a geometric mean for the kernel and one for the user, of rows that both have', () => {
  const runs = new Map([
    ['ours', [run('ours', { stat: 20, fork: 10, sieve: 7 })]],
    ['theirs', [run('theirs', { stat: 10, fork: 40, sieve: 1 })]],
    ['third', [run('third', { stat: 5 }, { failed: { fork: 'fork -12' } })]],
  ]);
  const rows = kernelRows(NAMES, runs, 'cold');
  expect(means(rows, 'theirs', false).usual).toBeCloseTo(Math.SQRT1_2);
  expect(means(rows, 'theirs', true)).toEqual({ usual: 7, best: 7, rows: 1 });
  expect(means(rows, 'third', false)).toEqual({ usual: 4, best: 4, rows: 1 });
});

it('prints a table that says what failed, what was skipped, and whose clock was off', () => {
  const runs = new Map([
    ['ours', [run('ours', { stat: 20, fork: 10, sieve: 7 })]],
    ['theirs', [run('theirs', { stat: 10, sieve: 1 }, { clock: 1.2, failed: { fork: 'fork -12' } })]],
  ]);
  const rows = kernelRows(NAMES, runs, 'cold');
  const result = {
    heat: 'cold',
    guest: '6.1',
    cpus: 2,
    seconds: 1,
    rounds: 1,
    machines: ['ours', 'theirs'],
    rows,
    skipped: ['v86: no'],
  } as const;
  expect(formatTable(kernelTable(result))).toBe(`\
kernel, cold: nanoseconds an operation in Linux 6.1 on 2 CPUs; each row 1 s in a machine that has just booted; one round
row                               ours  spread   theirs  to it  best to best
-------------------------------  -----  ------  -------  -----  ------------
stat                             20.0             12.0*  1.67x         1.67x
fork                             10.0           failed
geometric mean, kernel (1 of 2)                          1.67x         1.67x
sieve                            7.00             1.20*  5.83x         5.83x
  * theirs: the host's time was 1.20x to 1.20x the guest's in 2 rows, which are by the host's clock
  failed: theirs, fork: fork -12
  skipped: v86: no
`);
});
