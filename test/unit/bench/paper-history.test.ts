// bench/history: what is kept of a release, read and written; what is no release's figures is refused with the reason.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type HistoryEntry, historyEntry, parseHistory, readHistory, writeHistory } from '../../../bench/paper/report/history.ts';
import { pairHistories, releaseGoalsTable, releasesTable } from '../../../bench/paper/report/releases.ts';
import { group, result, row, wholeResult } from './paper-fixture.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paper-history-'));
});
afterEach(() => rm(folder, { recursive: true }));

const entryOf = (some: Partial<HistoryEntry> = {}): HistoryEntry => ({ ...historyEntry(wholeResult()), ...some });

it('keeps means of groups at one CPU and goals, and reads back what it wrote', async () => {
  const made = group([row('null', { relaxed: [20], qemu: [10], 'relaxed -returns': [1] }), row('fork', { relaxed: [10], qemu: [80] })]);
  const entry = historyEntry(
    result({ groups: [made, { ...made, cpus: 2 }], goals: [{ name: 'a', asked: '< 1', measured: undefined, met: undefined }] }),
  );
  expect(entry.means).toEqual([
    { workload: 'lmbench', title: made.title, heat: 'warm', subject: 'relaxed', base: 'qemu', mean: 0.5, rows: 2 },
  ]);
  expect(await writeHistory(entry, { folder })).toBe(join(folder, '0.2.0.json'));
  expect(await readdir(folder)).toEqual(['0.2.0.json']);
  expect(await readHistory(folder)).toEqual([JSON.parse(JSON.stringify(entry))]);
});

it('has the oldest release first, and none where there is no folder', async () => {
  await writeHistory(entryOf({ version: '0.10.0', date: '2026-03-01T00:00:00Z' }), { folder });
  await writeHistory(entryOf({ version: '0.9.0', date: '2026-02-01T00:00:00Z' }), { folder });
  await writeHistory(entryOf({ version: '0.11.0', date: '2026-02-01T00:00:00Z' }), { folder });
  await writeFile(join(folder, 'README.md'), 'no release');
  expect((await readHistory(folder)).map(({ version }) => version)).toEqual(['0.9.0', '0.11.0', '0.10.0']);
  expect(await readHistory(join(folder, 'none'))).toEqual([]);
});

it('writes over the same commit’s figures, and over another’s only where it is told to', async () => {
  await writeHistory(entryOf({ commit: 'aaa', guest: '5' }), { folder });
  await writeHistory(entryOf({ commit: 'aaa', guest: '6' }), { folder });
  expect((await readHistory(folder))[0]!.guest).toBe('6');
  await expect(writeHistory(entryOf({ commit: 'bbb' }), { folder })).rejects.toMatchObject({
    name: 'DragomanError',
    code: 'BAD_OPTION',
    message: expect.stringMatching(/0\.2\.0\.json: it has the figures of commit aaa; those of bbb/),
  });
  expect((await readHistory(folder))[0]!.commit).toBe('aaa');
  await writeHistory(entryOf({ commit: 'bbb' }), { folder, replace: true });
  expect((await readHistory(folder))[0]!.commit).toBe('bbb');
});

it('leaves the folder as it is where a version is none', async () => {
  for (const version of ['', '../0.1.0', '1.2', '1.2.3/4'])
    await expect(writeHistory(entryOf({ version }), { folder }), version).rejects.toThrow(`'${version}' is no version`);
  expect(await readdir(folder)).toEqual([]);
});

const whole = JSON.parse(JSON.stringify(entryOf())) as Record<string, any>;
const [mean, ...means] = whole.means;
it.each([
  ['no JSON', '{'],
  ['it is no object', 'null'],
  ['commit is missing', { ...whole, commit: undefined }],
  ['date is "yesterday"', { ...whole, date: 'yesterday' }],
  ['quick is 1', { ...whole, quick: 1 }],
  ['host is no object', { ...whole, host: 'here' }],
  ['host.cpus is 0', { ...whole, host: { ...whole.host, cpus: 0 } }],
  ['means is no list', { ...whole, means: {} }],
  ['means[0].mean is "fast"', { ...whole, means: [{ ...mean, mean: 'fast' }, ...means] }],
  ['means[0].mean is -1', { ...whole, means: [{ ...mean, mean: -1 }, ...means] }],
  ['means[0].heat is "hot"', { ...whole, means: [{ ...mean, heat: 'hot' }] }],
  ['goals[0] is no object', { ...whole, goals: [7] }],
  ['goals[0].met is "yes"', { ...whole, goals: [{ name: 'a', asked: 'b', met: 'yes' }] }],
])('says what is wrong: %s', (reason, value) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  expect(() => parseHistory(text, 'here.json')).toThrow(reason);
  expect(() => parseHistory(text, 'here.json')).toThrow(/^here\.json: /);
});

it('says when a file is named after another release', async () => {
  await writeFile(join(folder, '0.3.0.json'), await readFile(await writeHistory(entryOf(), { folder })));
  await expect(readHistory(folder)).rejects.toThrow(/0\.3\.0\.json: it is of version 0\.2\.0/);
});

it('shows releases beside each other, with what only some have', () => {
  const one = { workload: 'lmbench', title: 'lmbench', heat: 'warm', subject: 'relaxed', rows: 3 } as const;
  const entries = [
    entryOf({
      version: '0.1.0',
      means: [
        { ...one, base: 'qemu', mean: 0.75 },
        { ...one, base: 'v86', mean: 0.5 },
      ],
      goals: [],
    }),
    entryOf({
      version: '0.2.0',
      means: [{ ...one, base: 'qemu', mean: 0.5, title: 'LMbench' }],
      goals: [{ name: 'a', asked: '< 1', measured: 0.5, met: true }],
    }),
  ];
  expect(releasesTable(entries)).toMatchObject({
    head: ['pair', 'workload', '0.1.0', '0.2.0'],
    rows: [
      ['relaxed / qemu', 'LMbench, warm', '0.750x', '0.500x'],
      ['relaxed / v86', 'LMbench, warm', '0.500x', '–'],
    ],
  });
  expect(releaseGoalsTable(entries)!.rows).toEqual([['a', '–', '0.500, met (< 1)']]);
  expect(pairHistories(entries).map(({ lines }) => lines[0]!.means)).toEqual([
    [0.75, 0.5],
    [0.5, undefined],
  ]);
  expect(releasesTable([])).toBeUndefined();
});
