// The report of `npm run bench -- paper`: ratios, means, rates, counters and scaling, reckoned by hand.
import { describe, expect, it } from 'vitest';
import { formatTable } from '../../../bench/figures.ts';
import { count, duration } from '../../../bench/paper/report/cells.ts';
import { ratioChart, relaxationsChart, scalingChart } from '../../../bench/paper/report/charts.ts';
import { countersTable, lookUpsPerMillion, shareGone } from '../../../bench/paper/report/counters.ts';
import { compare, meanOf, minusPairs, modePairs, pairName, peerPairs } from '../../../bench/paper/report/ratios.ts';
import { scalingMean, scalings, scalingTable } from '../../../bench/paper/report/scaling.ts';
import { tables } from '../../../bench/paper/report/sections.ts';
import { goalsTable, headlineTable, minusTable, ratesTable, ratioTable, relaxationsTable } from '../../../bench/paper/report/tables.ts';
import type { PaperResult } from '../../../bench/paper/result.ts';
import { group, result, row, SUBJECTS, wholeResult } from './paper-fixture.ts';

const QEMU = { subject: 'relaxed', base: 'qemu' };
const NULL = row('null', { relaxed: [20, 50, 12], transparent: [40, 50, 48], classic: [80, 100, 24], qemu: [10, 100, 4] });
const FORK = row('fork', { relaxed: [100], transparent: [100], classic: [800], qemu: [400] });
const MMAP = row('mmap', { relaxed: [10, 10], transparent: [20, 20], classic: [20, 20], qemu: [undefined, undefined] });
const HALF = row('half', { relaxed: [10, 10], transparent: [10, 10], classic: [10, 10], qemu: [undefined, 1] });
const SIEVE = row('sieve', { relaxed: [7], transparent: [7], classic: [7], qemu: [1] }, true);
const HASH = row('hash', { relaxed: [7], transparent: [7], classic: [7], qemu: [4] }, true);
const ALL = group([NULL, FORK, MMAP, HALF, SIEVE, HASH]);

describe('ratios', () => {
  it('are medians of the rounds’ ratios, not ratios of medians, with their own spread', () => {
    // 20/10, 50/100, 12/4: quartiles halfway between, (2.5 - 1.25) / 2 by 2.
    expect(compare(NULL, QEMU)).toEqual({ usual: 2, spread: 0.3125, rounds: 3, of: 3, failed: [] });
    expect(compare(FORK, QEMU)).toMatchObject({ usual: 0.25, spread: undefined });
  });

  it('take no round in which one failed, and say who did', () => {
    expect(compare(MMAP, QEMU)).toMatchObject({ usual: undefined, rounds: 0, of: 2, failed: ['qemu'] });
    expect(compare(HALF, QEMU)).toMatchObject({ usual: 10, rounds: 1, of: 2, failed: ['qemu'] });
    expect(compare(NULL, { subject: 'relaxed', base: 'v86' })).toBeUndefined();
  });

  it('are the same of figures that were JSON, where what there is not is null', () => {
    const again = JSON.parse(JSON.stringify(ALL)) as typeof ALL;
    expect(again.rows.map((one) => compare(one, QEMU))).toEqual(ALL.rows.map((one) => compare(one, QEMU)));
  });

  it('have geometric means over rows that failed nowhere', () => {
    const found = meanOf([NULL, FORK, MMAP, HALF], QEMU)!;
    expect(found.mean).toBeCloseTo(Math.SQRT1_2, 12);
    expect(found).toMatchObject({ rows: 2, of: 4 });
    expect(meanOf([MMAP, HALF], QEMU)).toBeUndefined();
  });

  it('are of those pairs that say something', () => {
    expect(modePairs({ subjects: SUBJECTS }).map(pairName)).toEqual([
      'relaxed / transparent',
      'relaxed / classic',
      'transparent / classic',
    ]);
    expect(peerPairs({ subjects: SUBJECTS }).map(pairName)).toEqual(['relaxed / qemu', 'relaxed / v86']);
    expect(minusPairs({ subjects: SUBJECTS }).map(pairName)[0]).toBe('relaxed -returns / relaxed');
  });
});

describe('tables', () => {
  const one = result({ groups: [ALL] });

  it('have a group’s rows with their ratios, failures in their cells, and means that say of how many rows', () => {
    const table = ratioTable(one, ALL)!;
    expect(table.head).toEqual([
      'row',
      'relaxed, an operation',
      'relaxed / transparent',
      'relaxed / classic',
      'transparent / classic',
      'relaxed / qemu',
    ]);
    expect(table.rows).toEqual([
      // Ratios to transparent: 0.5, 1, 0.25; to classic: 0.25, 0.5, 0.5; of these: 0.5, 0.5, 2.
      ['null', '20.0 ns', '0.500x ±38%', '0.500x ±13%', '0.500x ±75%', '2.00x ±31%'],
      ['fork', '100 ns', '1.00x', '0.125x', '0.125x', '0.250x'],
      ['mmap', '10.0 ns', '0.500x ±0%', '0.500x ±0%', '1.00x ±0%', 'failed: qemu'],
      ['half', '10.0 ns', '1.00x ±0%', '1.00x ±0%', '1.00x ±0%', '10.0x (qemu failed in 1 of 2)'],
      // (1/2 · 1 · 1/2 · 1)^¼ = 0.707; (1/2 · 1/8 · 1/2 · 1)^¼ = 0.420; (1/2 · 1/8 · 1 · 1)^¼ = 1/2.
      ['geometric mean, kernel (4 rows)', '', '0.707x over 4', '0.420x over 4', '0.500x over 4', '0.707x over 2'],
      ['sieve', '7.00 ns', '1.00x', '1.00x', '1.00x', '7.00x'],
      ['hash', '7.00 ns', '1.00x', '1.00x', '1.00x', '1.75x'],
      ['geometric mean, user (2 rows)', '', '1.00x over 2', '1.00x over 2', '1.00x over 2', '3.50x over 2'],
    ]);
    expect(table.strong).toEqual([4, 7]);
    expect(table.notes).toContain('failed: qemu, mmap: fork: Cannot allocate memory');
  });

  it('have the means at the top, a line a group at one CPU', () => {
    const more = result({ groups: [ALL, { ...ALL, cpus: 2, title: 'not this' }, { ...ALL, heat: 'cold' }] });
    const table = headlineTable(more)!;
    expect(table.rows.map(([name]) => name)).toEqual([
      'system calls and processes (lmbench), warm',
      'system calls and processes (lmbench), cold',
    ]);
    expect(table.rows[0]).toContain('0.707x over 2');
    // v86 ran nothing.
    expect(table.head).not.toContain('relaxed / v86');
  });

  it('have times without each relaxation by those with all', () => {
    const rows = [
      row('null', { relaxed: [10, 20, 40], 'relaxed -returns': [20, 30, 40], 'relaxed -entries': [10, 20, 40] }),
      row('fork', { relaxed: [100], 'relaxed -returns': [600], 'relaxed -entries': [undefined] }),
    ];
    const minus = result({ groups: [group(rows)] });
    expect(minusTable(minus, minus.groups[0]!)!.rows).toEqual([
      ['null', '1.50x ±17%', '1.00x ±0%'],
      ['fork', '6.00x', 'failed: relaxed -entries'],
      ['geometric mean, kernel (2 rows)', '3.00x over 2', '1.00x over 1'],
    ]);
    expect(relaxationsTable(minus)!.rows).toEqual([
      ['-returns', '3.00x over 2'],
      ['-entries', '1.00x over 1'],
    ]);
    expect(relaxationsChart(minus)!.finding[0]).toMatch(/^Worth most: returns, .* takes 3\.00 times as long/);
  });

  it('have operations a second, and what else was said, of groups of which people expect them', () => {
    const get = {
      ...row('get', { relaxed: [100_000, 300_000, 200_000], qemu: [undefined, undefined], 'relaxed -returns': [1] }),
      also: { relaxed: { 'MB/s': 12.345, 'p99 ms': 3 } },
    };
    const served = group([get], { title: 'Apache', rate: true });
    const table = ratesTable(one, served)!;
    expect(table.head).toEqual(['row', 'subject', 'a second', 'MB/s', 'p99 ms']);
    expect(table.rows).toEqual([
      ['get', 'relaxed', '5,000', '12.3', '3.00'],
      ['get', 'qemu', 'failed', '–', '–'],
    ]);
    expect(table.notes).toEqual(['get: one get']);
    expect(ratesTable(one, ALL)).toBeUndefined();
  });

  it('have goals with what was measured', () => {
    const goals = [
      { name: 'a', asked: '≥ 3', measured: 2.58, met: false },
      { name: 'b', asked: '< 1e-6', measured: 5e-7, met: true },
      { name: 'c', asked: '< 1', measured: undefined, met: undefined },
    ];
    // As it comes from a file, too.
    for (const from of [goals, JSON.parse(JSON.stringify(goals)) as typeof goals])
      expect(goalsTable(result({ goals: from }))!.rows).toEqual([
        ['a', '≥ 3', '2.58', 'missed'],
        ['b', '< 1e-6', '5.0e-7', 'met'],
        ['c', '< 1', '–', 'not measured'],
      ]);
  });

  it('are none where there is nothing to show, and of one width each where there is', () => {
    expect(tables(result()).map(({ title }) => title)).toEqual(['Subjects']);
    for (const table of tables(wholeResult())) {
      for (const cells of table.rows) expect(cells.length, `${table.title}: ${cells[0]}`).toBe(table.head.length);
      expect(formatTable(table)).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

describe('counters', () => {
  const base = { workload: 'lmbench', firstLevelHits: 90, secondLevelHits: 9, directReturns: 0 };
  const without = {
    ...base,
    subject: 'relaxed -returns',
    returns: false,
    instructions: 1000,
    indirectBranches: 100,
    dispatcherEntries: 1,
    lookUps: 1,
  };
  const having = {
    ...base,
    subject: 'relaxed',
    returns: true,
    instructions: 4_000_000,
    indirectBranches: 100_000,
    dispatcherEntries: 4000,
    lookUps: 2,
  };

  it('say which part of the look-ups an instruction is gone, and how often neither level knows', () => {
    // 1 in 10 instructions without, 1 in 40 with.
    expect(shareGone(having, [without, having])).toBe(0.75);
    expect(shareGone(without, [without, having])).toBeUndefined();
    expect(shareGone(having, [{ ...without, workload: 'apache' }, having])).toBeUndefined();
    expect(lookUpsPerMillion(having)).toBe(0.5);
    expect(lookUpsPerMillion({ ...having, instructions: 0 })).toBeUndefined();
  });

  it('are a table with hits as parts of the look-ups', () => {
    const table = countersTable(result({ counters: [having, without] }))!;
    expect(table.rows[1]).toEqual([
      'lmbench',
      'relaxed -returns',
      'without',
      '1.00 k',
      '0',
      '100',
      '90 (90%)',
      '9 (9%)',
      '1',
      '1',
      '1,000',
      '–',
    ]);
    expect(table.rows[0]!.slice(-2)).toEqual(['0.500', '75%']);
    expect(countersTable(result())).toBeUndefined();
  });
});

describe('scaling', () => {
  const one = group([row('get', { relaxed: [100, 200, 300], qemu: [100] }), row('put', { relaxed: [50], qemu: [undefined] })]);
  const on = (cpus: number, get: number, put: number) =>
    group([row('get', { relaxed: [get], qemu: [50] }), row('put', { relaxed: [put], qemu: [10] })], { cpus });
  const made: PaperResult = result({ groups: [on(4, 80, 100), one, on(2, 100, 12.5), group([FORK], { workload: 'other' })] });
  const [found, ...others] = scalings(made);

  it('is throughput by that of the same row and subject on one CPU', () => {
    expect(others).toEqual([]);
    expect(found!.counts).toEqual([1, 2, 4]);
    expect(found!.rows).toEqual([
      { row: 'get', subject: 'relaxed', base: 5e6, by: [1, 2, 2.5] },
      { row: 'get', subject: 'qemu', base: 1e7, by: [1, 2, 2] },
      { row: 'put', subject: 'relaxed', base: 2e7, by: [1, 4, 0.5] },
      { row: 'put', subject: 'qemu', base: undefined, by: ['failed', undefined, undefined] },
    ]);
    expect(scalingMean(found!, 'relaxed')!.by[1]).toBeCloseTo(Math.sqrt(8), 12);
    expect(scalingMean(found!, 'qemu')).toEqual({ by: [1, 2, 2], rows: 1 });
  });

  it('says where CPUs are more than the host’s cores', () => {
    const table = scalingTable(found!, made);
    expect(table.head.slice(-3)).toEqual(['1 CPU', '2 CPUs', '4 CPUs (more than cores)']);
    expect(table.notes).toEqual(['4 CPUs are more than the host’s 2 cores, which they share'.replace('’', "'")]);
    expect(table.rows).toContainEqual(['geometric mean over 2 rows', 'relaxed', '', '1.00x', '2.83x', '1.12x']);
    const chart = scalingChart(found!, made)!;
    expect(chart.data.series.find(({ ideal }) => ideal)!.values).toEqual([1, 2, 2]);
    expect(chart.finding.join(' ')).toContain('The host has 2 cores');
    expect(scalingTable(found!, { host: { ...made.host, cpus: 8 } }).notes).toEqual([]);
  });
});

describe('charts', () => {
  it('say in words what they show, and stand on a logarithmic scale where ratios are far apart', () => {
    const made = result({ groups: [ALL] });
    const peers = peerPairs(made);
    const chart = ratioChart(ALL, peers, [...modePairs(made), ...peers], 'peers', 'peers')!;
    expect(chart.finding).toEqual(['relaxed takes 0.707 of qemu’s time (geometric mean of 2 rows): from 0.250 (fork) to 2.00 (null).']);
    expect(chart.data).toMatchObject({
      log: true,
      strong: [0],
      labels: ['geometric mean', 'null', 'fork', 'mmap', 'half', 'sieve (user)', 'hash (user)'],
    });
    expect(chart.data.series[0]).toMatchObject({ name: 'relaxed / qemu', colour: 3 });
    expect(chart.data.series[0]!.values.slice(1, 4)).toEqual([2, 0.25, null]);
    const near = group([row('null', { relaxed: [10], qemu: [20] })]);
    expect(ratioChart(near, peers, peers, 'peers', 'peers')!.data.log).toBe(false);
    expect(ratioChart(near, modePairs(made), peers, 'modes', 'modes')).toBeUndefined();
  });
});

it('writes times and counts with units that keep them short', () => {
  expect([0.5, 999, 1000, 1.5e6, 2e9, 5e12].map(duration)).toEqual(['0.500 ns', '999 ns', '1.00 µs', '1.50 ms', '2.00 s', '5,000 s']);
  expect([0, 999, 1234, 8e9, 5e15].map(count)).toEqual(['0', '999', '1.23 k', '8.00 G', '5,000 T']);
});
