// What becomes of a run whose encoder cannot be loaded.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import type { MachineStats } from '../../../src/api/options.ts';
import { MAIN, path, start } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
const NO_BINARYEN = { NODE_OPTIONS: `--import=${pathToFileURL(path('test/unit/cli/no-binaryen.mjs'))}` };

it.each([
  ['a thread', []],
  ['lockstep', ['--lockstep']],
])('in %s it goes on with the other one, and says so once', { timeout: 90_000 }, async (name, options) => {
  const stats = join(folder, name);
  const { child, ended } = start(MAIN, ['run', path('examples/serai/serai.elf'), '--stats', stats, ...options], 'pipe', NO_BINARYEN);
  child.stdin!.write('primes 300000\r');
  // A thread loads it in a pause.
  if (name === 'a thread') await once(child.stderr!, 'data');
  child.stdin!.end('halt\r');
  const { status, stdout, stderr } = await ended;
  expect({ status, primes: stdout.includes('25997 primes'), stderr }).toEqual({
    status: 0,
    primes: true,
    stderr: expect.stringMatching(
      /^dragoman: the encoder binaryen cannot be loaded, regions go on to be encoded directly: Error: no such package: binaryen\n/,
    ),
  });
  expect(stderr.split('cannot be loaded').length).toBe(2);
  const { translator } = JSON.parse(readFileSync(stats, 'utf8')) as MachineStats;
  expect(translator).toMatchObject({
    encoder: 'direct',
    encoderFailed: true,
    failed: 0,
    modulesBy: { binaryen: 0, direct: translator.modules },
  });
  expect(translator.modules).toBeGreaterThan(0);
});
