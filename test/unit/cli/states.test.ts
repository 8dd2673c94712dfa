// The states of the CPUs on standard error: at a time-out, by SIGQUIT, at a panic, and where a guest can never go on; never among what the guest prints.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { CLI_HLT, kernel, outDx, SPIN } from '../machine/programs.ts';
import { finish, MAIN, start } from './process.ts';

vi.setConfig({ testTimeout: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
const guest = (name: string, ...code: string[]): string => {
  writeFileSync(join(folder, name), kernel(...code));
  return join(folder, name);
};
const print = (text: string) => [...text].map((letter) => outDx(0x3f8, letter.charCodeAt(0))).join('');
const COMMON = ['--memory', '4M', '--code-cache', 'off'];
/** The registers, and what follows. */
const STATE =
  /dragoman: CPU 0: exit [\s\S]*\nprotected mode, 32-bit code, no paging[\s\S]*\ncode, next instruction first, at 0010[\s\S]*\nstack from its top:\n[\s\S]*\ncalls, innermost first/;
const times = (text: string, what: string) => text.split(what).length - 1;

it.each([['jit'], ['interpreter'], ['jit', '--lockstep']])('at a time-out (%s %s)', async (engine, ...more) => {
  const path = guest('spin', SPIN);
  const ended = await finish(MAIN, ['run', path, ...COMMON, '--engine', engine!, ...more, '--until', 'never', '--timeout', '1.5']);
  expect(ended).toMatchObject({ status: 4, stdout: '' });
  expect(ended.stderr).toMatch(STATE);
  expect(ended.stderr).toMatch(/\ndragoman: time-out after 1.5 s \(.* s\)\n$/);
  expect(times(ended.stderr, 'CPU 0: exit')).toBe(1);
});

it('where no CPU can ever go on', async () => {
  const ended = await finish(MAIN, ['run', guest('halt', print('out\n'), CLI_HLT), ...COMMON]);
  expect(ended).toMatchObject({ status: 3, stdout: 'out\n' });
  expect(ended.stderr).toMatch(STATE);
  expect(ended.stderr).toContain('waits in HLT with interrupts off');
  expect(ended.stderr).toMatch(/\ndragoman: the guest halted with interrupts off: it can never run again \(.* s\)\n$/);
});

it('by SIGQUIT, and the guest goes on', async () => {
  const { child, ended } = start(MAIN, [
    'run',
    guest('echo', print('>'), '66bafd03 ec a801 74fb 66baf803 ec ee 3c71 75ed', CLI_HLT),
    ...COMMON,
  ]);
  const seen = { stdout: '', stderr: '' };
  child.stdout!.on('data', (bytes) => (seen.stdout += bytes));
  child.stderr!.on('data', (bytes) => (seen.stderr += bytes));
  await expect.poll(() => seen.stdout, { timeout: 50_000 }).toBe('>');
  child.kill('SIGQUIT');
  await expect.poll(() => seen.stderr, { timeout: 50_000 }).toMatch(STATE);
  child.stdin!.write('ab');
  await expect.poll(() => seen.stdout, { timeout: 50_000 }).toBe('>ab');
  child.stdin!.write('q');
  expect((await ended).status).toBe(3);
});

it('at a panic, once, whether the run ends then or not', async () => {
  const panic = print('panic: no way\nmore\npanic: again\n');
  const goes = await finish(MAIN, ['run', guest('panic', panic, print('on\n'), SPIN), ...COMMON, '--lockstep', '--until', 'on\n']);
  expect(goes).toMatchObject({ status: 0, stdout: 'panic: no way\nmore\npanic: again\non\n' });
  expect(times(goes.stderr, 'dragoman: the guest panics: panic: no way\ndragoman: CPU 0: exit')).toBe(1);
  // The keyboard controller resets the machine.
  const ends = await finish(MAIN, ['run', guest('reset', panic, 'b0fe e664', SPIN), ...COMMON]);
  expect(ends).toMatchObject({ status: 0, stdout: 'panic: no way\nmore\npanic: again\n' });
  expect(ends.stderr).toMatch(/^dragoman: the guest panics: panic: no way\ndragoman: CPU 0: /);
  expect(times(ends.stderr, 'the guest panics')).toBe(1);
});
