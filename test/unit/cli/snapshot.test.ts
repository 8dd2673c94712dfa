// `dragoman run` saves a machine and goes on from it: when, where to, and what it says where that does not work.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { DragomanError } from '../../../src/api/errors.ts';
import { parseCommand } from '../../../src/cli/arguments.ts';
import { Saving, writeWhole } from '../../../src/cli/saving.ts';
import { ECHO, kernel, out, outDx, SPIN } from '../machine/programs.ts';
import { finish, MAIN, start } from './process.ts';
import type { Step } from './scripted.ts';

vi.setConfig({ testTimeout: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const file = (name: string, data: string | Uint8Array) => {
  writeFileSync(at(name), data);
  return at(name);
};
const play = (name: string, steps: Step[], ...args: string[]) =>
  finish('test/unit/cli/scripted.ts', [file(name, JSON.stringify(steps)), ...args]);
const POWER_OFF: Step = { end: { kind: 'power-off' } };

describe('what does not go together', () => {
  it.each([
    ['k --base f', /--base: is for a snapshot/],
    ['k --save-at x', /--save-at: say where to/],
    ['', /KERNEL, a ROM by --bios, or a snapshot/],
    ['k --restore f', /KERNEL: .*restored/],
    ['--restore f --bios r', /--bios: .*restored/],
    ['--restore f --append=', /--append: .*restored/],
    ['--restore f --module m', /--module: .*restored/],
  ])('%s', (words, message) => {
    expect(() => parseCommand(['run', ...words.split(' ').filter((word) => word !== '')])).toThrow(message);
  });
  it('but this does', () => {
    const command = parseCommand(['run', '--restore', 'f', '--cpus', '2', '--until', 'x']);
    expect(command).toMatchObject({ name: 'run', arguments: { restore: 'f', cpus: 2, given: new Set(['restore', 'cpus', 'until']) } });
  });
});

it.concurrent('saves when the text comes, and runs on', async () => {
  const saved = at('one.snap');
  const ended = await play('one', [{ print: 'log' }, { print: 'in:' }, { wait: 50 }, POWER_OFF], '--save', saved, '--save-at', 'login:');
  expect([ended.status, readFileSync(saved, 'utf8')]).toEqual([0, 'all of it']);
  expect(ended.stderr).toContain('powered off');
});

it.concurrent('ends when it is saved, where the run is to end at that text', async () => {
  const saved = at('two.snap');
  const ended = await play('two', [{ print: 'login:' }, { wait: 9000 }], '--save', saved, '--save-at', 'login:', '--until', 'login:');
  expect([ended.status, readFileSync(saved, 'utf8')]).toEqual([0, 'all of it']);
});

it.concurrent('says that the text has not come', async () => {
  const ended = await play('three', [{ print: 'log' }, POWER_OFF], '--save', at('three.snap'), '--save-at', 'login:');
  expect([ended.status, existsSync(at('three.snap'))]).toEqual([3, false]);
  expect(ended.stderr).toMatch(/not saved in .*three.snap: the guest has not printed 'login:'/);
});

it.concurrent.each([
  ['a device', '/dev/null', /--save: \/dev\/null: cannot write: it is no file/],
  ['a folder', folder, /it is no file/],
  ['nowhere', join(folder, 'none', 'f'), /no such folder/],
])('writes to no %s', async (_what, place, message) => {
  const ended = await finish('test/unit/cli/refusal.ts', [file('four', 'a kernel'), '--save', place, '--save-at', 'x']);
  expect(ended.stderr).toMatch(message);
  expect(ended.status).toBe(2);
});

it.concurrent('says when, where there is no terminal', async () => {
  const ended = await finish('test/unit/cli/refusal.ts', [file('five', 'a kernel'), '--save', at('five.snap')]);
  expect([ended.status, ended.stderr]).toEqual([2, expect.stringMatching(/--save: say when: --save-at TEXT/)]);
});

it.concurrent('says what is not saved', async () => {
  const [one, two] = [file('disk1', new Uint8Array(512)), file('disk2', new Uint8Array(512))];
  const ended = await play(
    'six',
    [{ print: 'in:' }, POWER_OFF],
    '--save',
    at('six.snap'),
    '--save-at',
    'in:',
    '--disk',
    one,
    '--disk',
    `${two},snapshot`,
  );
  expect([ended.status, ended.stderr]).toEqual([0, expect.stringMatching(/what is on .*disk1 is not in the snapshot/)]);
});

it('saves whenever it is asked to, and tells how that went', async () => {
  let count = 0;
  const saving = new Saving(at('asked.snap'), undefined, async () => Buffer.from(`${++count}`));
  expect(await saving.now()).toMatch(/^the machine is saved in .*asked.snap$/);
  expect(await saving.now()).toMatch(/is saved/);
  expect([readFileSync(at('asked.snap'), 'utf8'), await saving.done()]).toEqual(['2', undefined]);
  const failing = new Saving(at('failing.snap'), undefined, () => Promise.reject(new DragomanError('ENDED', 'the run has ended')));
  expect(await failing.now()).toBe('the machine was not saved: the run has ended');
  expect(existsSync(at('failing.snap'))).toBe(false);
});

it('does not write over what the run reads', async () => {
  const same = file('same', 'a kernel');
  const ended = await finish('test/unit/cli/refusal.ts', [same, '--save', same, '--save-at', 'x']);
  expect([ended.status, readFileSync(same, 'utf8')]).toEqual([2, 'a kernel']);
  expect(ended.stderr).toContain('an output must not be an input as well');
});

describe('a file that is written as a whole', () => {
  it('takes the place of the one before, where a link leads', () => {
    mkdirSync(at('whole'));
    const [path, link] = [file('whole/file', 'before'), at('whole/link')];
    chmodSync(path, 0o640);
    symlinkSync(path, link);
    writeWhole(link, Buffer.from('behind'));
    expect(readFileSync(path, 'utf8')).toBe('behind');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(at('whole')).sort()).toEqual(['file', 'link']);
  });
  it('leaves nothing behind where it cannot be', () => {
    mkdirSync(at('gone'));
    expect(() => writeWhole(at('gone'), Buffer.from('x'))).toThrow(/no file/);
    expect(() => writeWhole(join(folder, 'none', 'f'), Buffer.from('x'))).toThrow(/none/);
    expect(readdirSync(at('gone'))).toEqual([]);
  });
});

it('a machine goes on in another process', { timeout: 240_000 }, async () => {
  const guest = file('guest', kernel(outDx(0x3f8, 0x3e), ECHO, out(0xf4, 3), SPIN));
  const saved = at('machine.snap');
  const first = await finish(MAIN, [
    'run',
    guest,
    '--memory',
    '4M',
    '--debug-exit',
    '0xf4',
    '--save',
    saved,
    '--save-at',
    '>',
    '--until',
    '>',
  ]);
  expect([first.status, first.stdout]).toEqual([0, '>']);
  const { child, ended } = start(MAIN, ['run', '--restore', saved, '--cpus', '1']);
  child.stdin!.end('typed: q');
  expect(await ended).toMatchObject({ status: 7, stdout: 'typed: q' });
  const other = await finish(MAIN, ['run', '--restore', saved, '--cpus', '2']);
  expect([other.status, other.stderr]).toEqual([2, expect.stringMatching(/--cpus: the snapshot has 1/)]);
  // Against the first.
  const second = at('second.snap');
  const base = ['--base', saved];
  const again = start(MAIN, ['run', '--restore', saved, ...base, '--save', second, '--save-at', 'ab', '--until', 'ab']);
  again.child.stdin!.end('ab');
  expect(await again.ended).toMatchObject({ status: 0, stdout: 'ab' });
  expect(statSync(second).size).toBeLessThan(statSync(saved).size);
  const third = start(MAIN, ['run', '--restore', second, ...base]);
  third.child.stdin!.end('cdq');
  expect(await third.ended).toMatchObject({ status: 7, stdout: 'cdq' });
  const without = await finish(MAIN, ['run', '--restore', second]);
  expect([without.status, without.stderr]).toEqual([2, expect.stringMatching(/against a base/)]);
  const cut = await finish(MAIN, ['run', '--restore', file('cut', readFileSync(saved).subarray(0, 900))]);
  expect([cut.status, cut.stderr]).toEqual([2, expect.stringMatching(/cut: it is (damaged or )?cut off/)]);
});
