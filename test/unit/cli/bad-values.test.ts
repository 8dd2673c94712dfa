// Every option of `dragoman run` with every kind of bad value: each is refused by name, before a machine is made and before a file is emptied or made.
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DragomanError } from '../../../src/api/errors.ts';
import { parseCommand } from '../../../src/cli/arguments.ts';
import { RUN_OPTIONS } from '../../../src/cli/flags.ts';
import { run } from '../../../src/cli/run.ts';
import { finish, MAIN } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
const at = (name: string) => join(folder, name);
const CONTENT = 'kept'.repeat(256);
const before = new Map<string, string>();
beforeAll(() => {
  for (const name of ['kernel', 'd.img', 'other']) writeFileSync(at(name), CONTENT);
  mkdirSync(at('dir'));
  symlinkSync('d.img', at('link'));
  symlinkSync('new', at('dangling'));
  linkSync(at('d.img'), at('hard'));
  writeFileSync(at('secret'), CONTENT);
  chmodSync(at('secret'), 0);
  chmodSync(at('d.img'), 0o644);
  for (const name of readdirSync(folder)) before.set(name, name === 'dir' || name === 'secret' || name === 'dangling' ? '' : CONTENT);
});
afterAll(() => rmSync(folder, { recursive: true }));

const ACCEPTED = 'a machine was asked for';
/** What `dragoman run ARGS` says, up to where a machine would be made; file names are those in `folder`. */
async function say(args: readonly string[]): Promise<DragomanError | string> {
  try {
    const command = parseCommand(['run', ...args]);
    if (command.name !== 'run') return command.name;
    const stdin = new PassThrough() as unknown as NodeJS.ReadStream;
    await run(command.arguments, () => Promise.reject(new Error(ACCEPTED)), {
      stdin,
      stdout: new PassThrough(),
      say: () => {},
      onSignal: () => () => {},
      onQuestion: () => () => {},
    });
    return 'ran';
  } catch (error) {
    return error instanceof DragomanError ? error : (error as Error).message;
  }
}

/** Nothing in the folder was changed, made or deleted. */
function untouched(): void {
  expect(readdirSync(folder).sort()).toEqual([...before.keys()].sort());
  for (const [name, content] of before) if (content !== '') expect(readFileSync(at(name), 'utf8')).toBe(content);
}

const NUMBERS = ['-5', 'x', '1e3', '0x', '1,5', ' 1', 'NaN', 'Infinity', '99999999999999999999', '-'];
const FILES = ['missing', 'dir', 'other/below'];
/** Bad values of each option, besides the empty one and none at all; for files, names in the folder. */
const BAD: Readonly<Record<string, readonly string[]>> = {
  help: ['=yes'],
  initrd: [...FILES, 'other'],
  module: FILES,
  bios: [...FILES, 'other'],
  cpus: [...NUMBERS, '0', '65', '1.5'],
  memory: ['-5', 'x', '1e3', '0', '1M', '3G', '1X', '64 KK', '99999999999999999999'],
  disk: [...FILES, 'missing,ro', 'dir,ro', ',ro', 'd.img,rw', 'd.img,,ro', 'missing,snapshot', 'dir,snapshot', 'd.img,,snapshot'],
  share: [
    ...['missing', 'other', 'other/below', 'missing,ro', 'other,ro', ',ro', 'dir,rw', 'dir,,ro', 'dir,tag'],
    ...['dir,tag=', 'dir,tag=a b', 'dir,ro,ro', 'dir,tag=a,tag=b', `dir,tag=${'t'.repeat(32)}`],
  ],
  net: ['tap', 'None', '0', 'user,', 'user,hostfwd=', 'user,hostfwd=tcp:0.0.0.0:1-:1', 'none,restrict'],
  'virtio-console': ['dir', 'missing/x', 'other/below'],
  engine: ['JIT', 'fast', '0'],
  encoder: ['Binaryen', 'wabt', '0'],
  'max-regions': [...NUMBERS, '31', '65537'],
  'code-cache': ['other', 'other/below'],
  mode: ['Relaxed', 'all', '0'],
  client: ['Prof', 'count', '0'],
  relax: ['All', '-all', 'direct', '0', '-'],
  lockstep: ['=1'],
  reverse: ['=1'],
  'strict-order': ['=no'],
  'test-device': ['=no'],
  seed: [...NUMBERS, '4294967296', '1.5'],
  record: ['dir', 'missing/x', 'other/below'],
  replay: [...FILES, 'other'],
  'timer-slack': [...NUMBERS, '1001'],
  'debug-exit': [...NUMBERS, '65536', 'f4'],
  debugcon: ['dir', 'missing/x', 'other/below'],
  post: ['dir', 'missing/x', 'other/below'],
  timeout: [...NUMBERS, '0', '2000001'],
  stats: ['dir', 'missing/x', 'other/below'],
  trace: ['dir', 'missing/x', 'other/below'],
  'perf-map': ['=yes'],
  // What is no System.map the machine refuses: perf-map.test.ts.
  symbols: FILES,
  gdb: [...NUMBERS, '65536', '1.5', 'localhost:1'],
  save: ['dir', 'missing/x', 'other/below'],
  'gdb-wait': ['=yes'],
};
const FILE_OPTIONS = [
  'code-cache',
  'initrd',
  'module',
  'bios',
  'disk',
  'share',
  'virtio-console',
  'record',
  'replay',
  'debugcon',
  'post',
  'stats',
  'trace',
  'symbols',
  'save',
];
const REPEATED = ['module', 'disk', 'share', 'client'];

/** What is wrong with the answer to `--NAME VALUE`, or undefined. `names`: what the message must have in it. */
async function wrong(args: readonly string[], names: readonly string[]): Promise<string | undefined> {
  const answer = await say(args);
  if (!(answer instanceof DragomanError)) return `${args.join(' ')}: ${answer}`;
  const lacking = names.filter((name) => !answer.message.includes(name));
  return lacking.length === 0 && answer.code !== 'INTERNAL' ? undefined : `${args.join(' ')}: '${answer.message}' lacks ${lacking}`;
}

describe('bad values', () => {
  it('are known of every option', () => {
    expect(Object.keys(BAD).sort()).toEqual(
      Object.keys(RUN_OPTIONS)
        // Any text will do; and what is restored, and against what, the machine reads (snapshot.test.ts).
        .filter((name) => !['append', 'until', 'save-at', 'restore', 'base'].includes(name))
        .sort(),
    );
  });

  it.each(Object.entries(BAD))('of --%s', async (name, values) => {
    const found: (string | undefined)[] = [];
    // One goes in the kernel's place, and one needs another beside it.
    const start = name === 'bios' ? [] : [at('kernel'), ...(name === 'save' ? ['--save-at', 'text'] : [])];
    for (const value of values) {
      if (value.startsWith('=')) found.push(await wrong([...start, `--${name}${value}`], [`--${name}`, `'${value.slice(1)}'`]));
      else if (FILE_OPTIONS.includes(name)) {
        const path = value === ',ro' ? value : at(value);
        found.push(await wrong([...start, `--${name}`, path], [`--${name}`, path.replace(/,,?(ro|snapshot)$/, '')]));
      } else {
        for (const given of [[`--${name}=${value}`], [`--${name}`, value]])
          found.push(await wrong([...start, ...given], [`--${name}`, `'${value}'`]));
      }
    }
    untouched();
    expect(found.filter(Boolean)).toEqual([]);
  });

  it.each(Object.entries(RUN_OPTIONS))('of --%s: none, an empty one, another option, twice', async (name, { type }) => {
    const found: (string | undefined)[] = [];
    const start = name === 'bios' ? [] : [at('kernel')];
    const option = `--${name}`;
    if (type === 'string') {
      found.push(await wrong([...start, option], [option, 'missing']));
      found.push(await wrong([...start, option, '--lockstep'], [option, '--lockstep']));
      if (name !== 'append') found.push(await wrong([...start, `${option}=`], [option, 'empty']));
    }
    if (!REPEATED.includes(name)) {
      const once = type === 'string' ? [option, '1'] : [option];
      found.push(await wrong([...start, ...once, ...once], [option, 'more than once']));
    }
    found.push(await wrong([...start, `${option.slice(0, -1)}z`], [`${option.slice(0, -1)}z`, option]));
    untouched();
    expect(found.filter(Boolean)).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('of a file that may not be read (root may read all)', async () => {
    for (const [option, text] of [
      ['--initrd', 'permission denied'],
      ['--disk', 'permission denied'],
      ['--trace', 'cannot write: permission denied'],
    ])
      expect(await wrong([at('kernel'), option, at('secret')], [at('secret'), text])).toBeUndefined();
  });

  it('of an option leave the files of others as they were, and so does a machine that cannot be made', async () => {
    expect(await wrong([at('kernel'), '--debugcon', at('other'), '--trace', at('dir')], ['--trace', at('dir')])).toBeUndefined();
    expect(await say([at('kernel'), '--debugcon', at('other')])).toBe(ACCEPTED);
    untouched();
  });

  it('end the command with status 2', async () => {
    const ended = await finish(MAIN, ['run', at('kernel'), '--disk', at('d.img'), '--debugcon', at('hard')]);
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toBe(
      `dragoman: --debugcon: '${at('hard')}' is also --disk '${at('d.img')}': an output must not be an input as well\n`,
    );
    untouched();
  });
});

describe('one file for two things', () => {
  const INPUTS = ['--initrd', '--module', '--replay', '--symbols', '--disk', '--disk,ro', '--disk,snapshot'];
  const OUTPUTS = ['--virtio-console', '--debugcon', '--post', '--trace', '--stats', '--record'];
  const given = (option: string, path: string) =>
    option.startsWith('--disk,') ? ['--disk', path + option.slice('--disk'.length)] : [option, path];
  // The files are no initrd or recording: what is asked here comes before anybody reads them.
  const refused = (a: string[], b: string[], text: string) => wrong([at('kernel'), ...a, ...b], [b[0], text]);

  it('is refused where an output is an input, by whatever name', async () => {
    const found: (string | undefined)[] = [];
    for (const input of INPUTS) {
      for (const output of OUTPUTS) {
        if (input === '--replay' && output === '--record') continue;
        for (const name of ['d.img', 'link', 'hard', 'dir/../link'])
          found.push(await refused(given(input, at('d.img')), [output, `${folder}/${name}`], 'an output must not be an input as well'));
      }
    }
    for (const output of OUTPUTS) {
      found.push(await wrong([at('kernel'), output, at('kernel')], [output, 'KERNEL', 'an output must not be an input']));
      found.push(await wrong(['--bios', at('d.img'), output, at('link')], [output, '--bios', 'an output must not be an input']));
    }
    untouched();
    expect(found.filter(Boolean)).toEqual([]);
  });

  it('is refused where two outputs have it, there already or not', async () => {
    const found: (string | undefined)[] = [];
    for (const a of OUTPUTS) {
      for (const b of OUTPUTS.slice(OUTPUTS.indexOf(a) + 1)) {
        for (const [one, other] of [
          ['other', 'other'],
          ['d.img', 'link'],
          ['new', 'new'],
          ['new', 'dangling'],
          ['new', 'dir/../new'],
        ])
          found.push(await refused([a, at(one)], [b, `${folder}/${other}`], 'two outputs cannot share a file'));
      }
    }
    untouched();
    expect(found.filter(Boolean)).toEqual([]);
  });

  it('is refused where a disk that is written is attached twice', async () => {
    for (const [a, b] of [
      ['d.img', 'link'],
      ['d.img', 'hard,ro'],
      ['d.img,ro', 'link'],
      ['d.img', 'hard,snapshot'],
    ])
      expect(await refused(['--disk', at(a)], ['--disk', at(b)], 'attached only once')).toBeUndefined();
  });

  it('is fine where it is only read, and for devices', async () => {
    expect(await say([at('kernel'), '--module', at('kernel'), '--disk', at('d.img,ro'), '--disk', at('link,ro')])).toBe(ACCEPTED);
    expect(await say([at('kernel'), '--disk', at('d.img,snapshot'), '--disk', at('link,snapshot'), '--disk', at('d.img,ro')])).toBe(
      ACCEPTED,
    );
    expect(await say([at('d.img'), '--disk', at('d.img')])).toBe(ACCEPTED);
    expect(await say([at('kernel'), ...OUTPUTS.flatMap((output) => [output, '/dev/null'])])).toBe(ACCEPTED);
    expect(await say([at('kernel'), ...OUTPUTS.flatMap((output) => [output, '-'])])).toBe(ACCEPTED);
    untouched();
  });
});
