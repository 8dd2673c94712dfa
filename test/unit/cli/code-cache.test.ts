// Where the command keeps translated code, and that a second run finds it there.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import type { MachineStats } from '../../../src/api/options.ts';
import { cachesOf, codeCacheFolder } from '../../../src/cli/code-cache.ts';
import { MAIN, start } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['linux', { XDG_CACHE_HOME: '/x/y' }, '/x/y'],
  ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/u/.cache'],
  ['linux', { XDG_CACHE_HOME: '' }, '/home/u/.cache'],
  ['linux', {}, '/home/u/.cache'],
  ['darwin', {}, '/home/u/Library/Caches'],
  ['win32', { LOCALAPPDATA: '/l' }, '/l'],
  ['win32', {}, '/home/u/AppData/Local'],
] as const)('on %s with %o the caches are in %s', (platform, env, expected) => {
  expect(cachesOf(platform, env, '/home/u')).toBe(expected);
});

it('the option comes first, then the environment', () => {
  expect(process.env.DRAGOMAN_CODE_CACHE).toBe('off');
  expect([codeCacheFolder(undefined), codeCacheFolder('off'), codeCacheFolder('./off')]).toEqual([undefined, undefined, './off']);
});

/** Runs serai to its end; what it said on standard error, and its translator. */
async function serai(env: Readonly<Record<string, string>>, ...options: string[]) {
  const stats = join(folder, 'stats.json');
  const { child, ended } = start(MAIN, ['run', SERAI, '--stats', stats, ...options], 'pipe', env);
  child.stdin!.end('primes 2000000\rsleep 1\rhalt\r');
  const { status, stderr, stdout } = await ended;
  expect({ status, primes: stdout.includes('148933 primes'), stderr }).toMatchObject({ status: 0, primes: true });
  return { stderr, translator: (JSON.parse(readFileSync(stats, 'utf8')) as MachineStats).translator };
}

it('a second run finds what the first one kept: in the folder of the user, of the environment, of the option', {
  timeout: 120_000,
}, async () => {
  const user = join(folder, 'user');
  const kept = join(user, 'dragoman');
  const off = { DRAGOMAN_CODE_CACHE: 'off' };
  const first = await serai({ DRAGOMAN_CODE_CACHE: '', XDG_CACHE_HOME: user, NODE_COMPILE_CACHE: '' });
  expect([first.translator.cacheHits, first.translator.cacheMisses > 1]).toEqual([0, true]);
  const packs = () => readdirSync(kept).filter((name) => name.endsWith('.pack')).length;
  expect(packs()).toBe(1);
  // What V8 made of the sources, of the main thread and of others.
  expect(readdirSync(join(kept, 'compiled'), { recursive: true }).length).toBeGreaterThan(10);
  for (const [env, ...options] of [[{ DRAGOMAN_CODE_CACHE: kept }], [off, '--code-cache', kept]] as const) {
    const { cacheHits, cacheMisses } = (await serai(env, ...options)).translator;
    expect([cacheHits > 0, cacheMisses < first.translator.cacheMisses]).toEqual([true, true]);
    expect(packs()).toBe(1);
  }
  const { translator } = await serai(off);
  expect([translator.cacheHits, translator.cacheMisses]).toEqual([0, 0]);
});

it('a folder that cannot be is told once where it was asked for, and else not at all', { timeout: 60_000 }, async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const asked = await serai({}, '--code-cache', join(folder, 'x'.repeat(300)));
  expect(asked.stderr.match(/code cannot be kept in .*xxx: ENAMETOOLONG/g)?.length).toBe(1);
  const own = await serai({ DRAGOMAN_CODE_CACHE: '', XDG_CACHE_HOME: file });
  expect(own.stderr).not.toContain('kept');
});
