// Which module the command runs: what was built, if it was built from the sources as they are.
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { isCurrent, statesOf } from '../../../bin/find-main.mjs';
import { finish, path } from './process.ts';

let [sources, built]: string[] = [];
const file = (name: string) => join(sources, name);
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'find-main-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  [sources, built] = [join(folder, 'src'), join(folder, 'built')];
  mkdirSync(file('deep'), { recursive: true });
  mkdirSync(built);
  writeFileSync(file('a.ts'), 'a');
  writeFileSync(file('deep/b.ts'), 'b');
  writeFileSync(join(built, 'sources.json'), JSON.stringify(statesOf(sources)));
});

it('is what was built while the sources are the same', () => {
  expect(isCurrent(built, sources)).toBe(true);
});

it.each<[string, () => void]>([
  ['changed', () => writeFileSync(file('deep/b.ts'), 'bb')],
  ['touched', () => utimesSync(file('a.ts'), 1, 1)],
  ['added', () => writeFileSync(file('deep/c.ts'), '')],
  ['removed', () => rmSync(file('deep/b.ts'))],
  ['renamed', () => renameSync(file('a.ts'), file('c.ts'))],
])('is the sources where one was %s', (_, change) => {
  change();
  expect(isCurrent(built, sources)).toBe(false);
});

it('is the sources where nothing was built', () => {
  expect(isCurrent(join(built, 'nowhere'), sources)).toBe(false);
});

it('runs a machine by the name of the package', async () => {
  const ended = await finish('test/unit/cli/by-name.mjs', [path('examples/serai/serai.elf')]);
  expect(ended).toMatchObject({ status: 0, stderr: '' });
  expect(ended.stdout).toContain('serai> ');
});
