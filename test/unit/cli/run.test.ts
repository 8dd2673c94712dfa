// `dragoman run` as a process, on a scripted machine: exit statuses, --until, outputs, signals, lost readers.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { DiskFile } from '../../../src/host/disk-file.ts';
import { CLI_HLT, kernel, UD2 } from '../machine/programs.ts';
import { finish, MAIN, start } from './process.ts';
import type { Step } from './scripted.ts';

// Many processes start at once, on machines that have other work.
vi.setConfig({ testTimeout: 30_000 });
const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const file = (data: string | Uint8Array, name = `file${files++}`) => {
  writeFileSync(join(folder, name), data);
  return join(folder, name);
};
const SCRIPTED = 'test/unit/cli/scripted.ts';
const play = (steps: Step[], ...args: string[]) => finish(SCRIPTED, [file(JSON.stringify(steps)), ...args]);
const POWER_OFF: Step = { end: { kind: 'power-off' } };

describe('exit status', () => {
  const cases: [string, Step[], string[], number, RegExp][] = [
    ['power-off', [POWER_OFF], [], 0, /powered off/],
    ['reset', [{ end: { kind: 'reset' } }], [], 0, /reset/],
    ['halted for ever', [{ end: { kind: 'halted' } }], [], 3, /never run again/],
    ['text found', [{ print: 'a wo' }, { print: 'rd' }, { wait: 9000 }], ['--until', 'word'], 0, /printed 'word'/],
    ['text found, byte by byte', [...'αβγ-ready'].map((print) => ({ print })), ['--until', 'γ-ready'], 0, /printed/],
    ['power-off before the text', [{ print: 'a wo' }, POWER_OFF], ['--until', 'word'], 3, /powered off/],
    ['reset before the text', [{ end: { kind: 'reset' } }], ['--until', 'word'], 3, /reset/],
    ['time-out', [{ wait: 9000 }], ['--timeout', '0.1'], 4, /time-out after 0.1 s/],
    ['time-out before the text', [{ wait: 9000 }], ['--timeout', '.1', '--until', 'x'], 4, /time-out/],
    ['debug-exit 0', [{ end: { kind: 'debug-exit', value: 0 } }], ['--debug-exit', '0xf4'], 1, /wrote 0/],
    ['debug-exit 0x10', [{ end: { kind: 'debug-exit', value: 16 } }], ['--debug-exit', '0xf4', '--until', 'x'], 33, /wrote 16/],
    ['triple fault', [{ end: { kind: 'triple-fault', dump: 'EAX=1\nEIP=2\n' } }], [], 5, /triple fault\nEAX=1\nEIP=2/],
    ['internal error', [{ end: { kind: 'internal-error', message: 'oh', dump: 'EAX=3' } }], [], 5, /internal error: oh\nEAX=3/],
    ['exception', [{ throw: 'ouch' }], [], 5, /internal error: ouch/],
  ];
  it.concurrent.each(cases)('%s', async (_, steps, args, status, message) => {
    const ended = await play(steps, ...args);
    expect(ended.stderr).toMatch(message);
    expect(ended.status).toBe(status);
  });
});

it.concurrent.each(['jit', 'interpreter'])('shows what a crashed guest ran last (%s)', async (engine) => {
  // jmp crash; hlt; crash: ud2
  const ended = await finish(MAIN, ['run', file(kernel('eb01 f4', UD2)), '--memory', '16M', '--engine', engine]);
  expect(ended.status).toBe(5);
  expect(ended.stdout).toBe('');
  expect(ended.stderr).toMatch(/triple fault\nCPU 0: exit triple-fault[\s\S]*\nEIP=00100023 /);
  expect(ended.stderr).toMatch(/\nlast blocks .*:\n {2}00100020 00100023\nlast exceptions .*:\n {2}exception 06 \(#UD\) at 00100023\n/);
});

it('refuses a disk that another process has, and empties no file for it', async () => {
  const [disk, log] = [file(new Uint8Array(512), 'disk'), file('kept', 'log')];
  const other = new DiskFile(disk);
  try {
    for (const [mode, text] of [
      ['', 'another machine has it (only read-only disks can be shared)'],
      [',ro', 'another machine writes it'],
    ]) {
      const ended = await finish(MAIN, ['run', file(kernel(CLI_HLT)), '--disk', disk + mode, '--debugcon', log]);
      expect(ended).toMatchObject({ status: 2, stdout: '', stderr: `dragoman: ${disk}: the image is in use: ${text}\n` });
    }
  } finally {
    other.close();
  }
  expect(readFileSync(log, 'utf8')).toBe('kept');
});

describe('input and output', () => {
  it('prints all of the console, and nothing else, on standard output', async () => {
    const { stdout } = await play([{ print: 'begin ' }, { flood: 4 }, { print: ' end' }, POWER_OFF]);
    expect(stdout.length).toBe(4 * 1024 * 1024 + 10);
    expect(stdout.endsWith('. end')).toBe(true);
  });

  it('passes bytes on as they are, Ctrl-A too; end of input ends nothing', async () => {
    const { child, ended } = start(SCRIPTED, [file(JSON.stringify([{ echo: 4 }, { wait: 200 }, { print: '!' }, POWER_OFF]))]);
    child.stdin!.end('\x01xyz');
    expect(await ended).toMatchObject({ status: 0, stdout: '\x01xyz!' });
  });

  it('writes the virtio console to a file or standard output', async () => {
    const steps: Step[] = [{ virtio: 'hvc' }, { print: 'serial' }, { virtio: '0' }, POWER_OFF];
    const path = join(folder, 'virtio');
    expect(await play(steps, '--virtio-console', path)).toMatchObject({ status: 0, stdout: 'serial' });
    expect(readFileSync(path, 'utf8')).toBe('hvc0');
    expect(await play(steps, '--virtio-console', '-')).toMatchObject({ status: 0, stdout: 'hvcserial0' });
    expect(await play(steps)).toMatchObject({ status: 0, stdout: 'serial' });
  });

  it('says so where the virtio console can no longer be written', async () => {
    // Every write to this device fails.
    const ended = await play([{ virtio: 'x' }, { wait: 9000 }], '--virtio-console', '/dev/full');
    expect(ended.stderr).toMatch(/\/dev\/full: cannot write: no space left/);
    expect(ended.status).toBe(2);
  });

  it('plugs a network card into a loop, or has none', async () => {
    const steps: Step[] = [{ frame: 60 }, POWER_OFF];
    expect((await play(steps, '--net', 'loopback')).stdout).toBe('a frame of 60');
    expect((await play(steps, '--net', 'none')).stdout).toBe('no card');
    expect((await play(steps)).stdout).toBe('no card');
  });

  it('writes debug console, POST codes and statistics to files', async () => {
    const [debug, post, stats] = ['debug', 'post', 'stats'].map((name) => join(folder, name));
    const steps: Step[] = [{ debug: 'hello' }, { post: 0x0a }, { post: 0xff }, { debug: ' world' }, POWER_OFF];
    expect((await play(steps, '--debugcon', debug, '--post', post, '--stats', stats)).status).toBe(0);
    expect([readFileSync(debug, 'utf8'), readFileSync(post, 'utf8')]).toEqual(['hello world', '0a\nff\n']);
    expect(JSON.parse(readFileSync(stats, 'utf8'))).toMatchObject({
      end: 'power-off',
      status: 0,
      instructions: 2,
      instructionsAre: 'counted',
    });
  });

  it('writes them to standard output where asked', async () => {
    const { stdout } = await play([{ debug: 'd' }, { post: 1 }, { print: 'c' }, POWER_OFF], '--debugcon', '-', '--post=-', '--stats=-');
    expect(stdout.startsWith('d01\nc\n{')).toBe(true);
    expect(JSON.parse(stdout.slice(6)).end).toBe('power-off');
  });

  it('leaves a profile in a file', async () => {
    const profile = join(folder, 'profile');
    expect((await play([POWER_OFF], '--client', `flame:hz=100,file=${profile}`)).status).toBe(0);
    expect(readFileSync(profile, 'utf8')).toBe('a profile');
  });

  it('writes the trace to a file or standard output', async () => {
    const steps: Step[] = [{ print: 'c\n' }, { trace: '0 I one\n' }, { trace: '0 I two\n' }, POWER_OFF];
    const trace = join(folder, 'trace');
    expect((await play(steps, '--trace', trace)).status).toBe(0);
    expect(readFileSync(trace, 'utf8')).toBe('0 I one\n0 I two\n');
    expect((await play(steps, '--trace', '-')).stdout).toBe('c\n0 I one\n0 I two\n');
  });

  it('traces a real guest, and counts its instructions as well', async () => {
    const [trace, stats] = ['real-trace', 'real-stats'].map((name) => join(folder, name));
    // mov ecx, 2; again: dec ecx; jnz again; cli; hlt
    const args = ['--memory', '16M', '--engine', 'interpreter', '--trace', trace, '--stats', stats];
    expect((await finish(MAIN, ['run', file(kernel('b902000000 49 75fd', CLI_HLT)), ...args])).status).toBe(3);
    const lines = readFileSync(trace, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/EDX=.*(?= EFL)/, '...'))).toEqual([
      '0 I 00100020 EAX=2badb002 ECX=00000000 ... EFL=00000002 CPL=0 CS=0008 CR3=00000000',
      '0 I 00100025 EAX=2badb002 ECX=00000001 ... EFL=00000002 CPL=0 CS=0008 CR3=00000000',
      '0 I 00100028 EAX=2badb002 ECX=00000000 ... EFL=00000046 CPL=0 CS=0008 CR3=00000000',
    ]);
    expect(JSON.parse(readFileSync(stats, 'utf8'))).toMatchObject({ instructions: 7, timesAre: 'measured' });
  });

  it.each([
    [[], 141],
    [['--until', 'never'], 3],
  ])('ends quietly when the reader of standard output goes away %j', async (args, expected) => {
    const steps: Step[] = [
      { print: 'x' },
      { wait: 300 },
      ...Array<Step[]>(20)
        .fill([{ flood: 1 }, { wait: 20 }])
        .flat(),
      { wait: 9000 },
    ];
    const { child, ended } = start(SCRIPTED, [file(JSON.stringify(steps)), ...args]);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const { status, stderr } = await ended;
    expect(stderr).toMatch(/^dragoman: nobody reads standard output any more \(.*\)\n$/);
    expect(status).toBe(expected);
  });

  describe('says so where standard output cannot be written', () => {
    // Every write to this device fails.
    const full = openSync('/dev/full', 'w');
    afterAll(() => closeSync(full));
    const NO_SPACE = /^dragoman: cannot write standard output: no space left on the device/;
    const fails = (steps: Step[], ...args: string[]) => finish(SCRIPTED, [file(JSON.stringify(steps)), ...args], full);

    it.each<[string, Step[], string[], number]>([
      ['while the guest runs', [{ print: 'x' }, { wait: 9000 }], [], 2],
      ['at its end', [{ print: 'x' }, POWER_OFF], [], 2],
      ['with the text found', [{ print: 'text' }, { wait: 9000 }], ['--until', 'text'], 2],
      ['with statistics alone', [POWER_OFF], ['--stats', '-'], 2],
    ])('%s', async (_, steps, args, status) => {
      const ended = await fails(steps, ...args);
      expect(ended.stderr).toMatch(NO_SPACE);
      expect(ended.status).toBe(status);
    });

    it.each<[string, Step, RegExp]>([
      ['a crash', { end: { kind: 'triple-fault', dump: 'EAX=0' } }, /the exit status would be 5 otherwise\)\n.*triple fault\nEAX=0/],
      [
        'a status of its own',
        { end: { kind: 'debug-exit', value: 16 } },
        /the exit status would be 33 otherwise\)\n.*wrote 16 to the debug-exit port/,
      ],
    ])('before %s, which is told as well', async (_, end, text) => {
      const ended = await fails([{ print: 'x' }, end], '--debug-exit', '0xf4');
      expect(ended.stderr).toMatch(NO_SPACE);
      expect(ended.stderr).toMatch(text);
      expect(ended.status).toBe(2);
    });

    it('by the other commands', async () => {
      const ended = await finish(MAIN, ['--help'], full);
      expect(ended.stderr).toMatch(NO_SPACE);
      expect(ended.status).toBe(2);
    });
  });

  describe('says so where the end of a file cannot be written, and how the guest ended', () => {
    const written: [string, Step[]][] = [
      ['--debugcon', [{ debug: 'x' }]],
      ['--virtio-console', [{ virtio: 'x' }]],
      ['--post', [{ post: 1 }]],
      ['--trace', [{ trace: 'x\n' }]],
      ['--record', [{ record: 'x\n' }]],
      ['--stats', []],
    ];
    it.concurrent.each(written)('%s', async (option, steps) => {
      const ended = await play([...steps, { end: { kind: 'debug-exit', value: 1 } }], '--debug-exit', '0xf4', option, '/dev/full');
      const lines = ended.stderr.trimEnd().split('\n');
      expect(lines[0]).toMatch(
        /^dragoman: \/dev\/full: cannot write: no space left on the device \(the exit status would be 3 otherwise\)$/,
      );
      expect(lines[1]).toMatch(/^dragoman: the guest wrote 1 to the debug-exit port/);
      expect(ended.status).toBe(2);
    });
  });

  it('ends by a signal, with what was printed so far and its statistics', async () => {
    const { child, ended } = start(SCRIPTED, [file(JSON.stringify([{ print: 'up' }, { wait: 9000 }])), '--stats', '-']);
    child.stdout!.once('data', () => child.kill('SIGTERM'));
    const { status, stdout, stderr } = await ended;
    expect(stderr).toMatch(/ended by SIGTERM/);
    expect(status).toBe(143);
    expect(JSON.parse(stdout.slice(3)).status).toBe(143);
  });
});
