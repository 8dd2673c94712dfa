// The command between a guest and those who read and write slowly, or not at all.
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { spawn } from '@lydell/node-pty';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { Patience } from '../../../src/cli/patience.ts';
import { StreamSink } from '../../../src/cli/sinks.ts';
import { attach } from '../../../src/cli/terminal.ts';
import { counted, ECHO, kernel, out, outDx, outMany, printPolitely, SPIN } from '../machine/programs.ts';
import { MAIN, path, start } from './process.ts';

vi.setConfig({ testTimeout: 30_000 });
const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const file = (data: Uint8Array) => {
  const name = join(folder, `file${files++}`);
  writeFileSync(name, data);
  return name;
};
const run = (code: readonly string[], ...args: string[]) => [
  'run',
  file(kernel(...code)),
  '--memory',
  '16M',
  '--debug-exit',
  '0xf4',
  ...args,
];

/** More than the pipe between us and the command holds. */
const COUNT = 300_000;
const FOREVER = [printPolitely(-1), SPIN];
const UNREAD = /nobody read the last (\d+) bytes of output\n/;
const unread = (stderr: string) => Number(UNREAD.exec(stderr)?.[1] ?? 0);
/** What may be between a guest and a reader: a ring on either side of the callback, and a stream's own buffer. */
const MOST_UNREAD = 256 * 1024;

describe.concurrent('a pipe that nobody reads', () => {
  it.each<[string, string[], string[]]>([
    ['the serial port', FOREVER, []],
    ['the debug console', [outMany(0xe9, -1), SPIN], ['--debugcon', '-']],
    ['the trace of a guest', [outDx(0x3f8, 0x2e), SPIN], ['--trace', '-']],
    ['the serial port in lockstep', FOREVER, ['--lockstep']],
  ])('holds %s back, and the run ends by its time-out', async (name, code, args) => {
    const { child, ended } = start(MAIN, run(code, '--timeout', '2', ...args));
    child.stdout!.pause();
    await new Promise((resolve) => child.once('exit', resolve));
    child.stdout!.resume();
    const { status, stderr } = await ended;
    expect(stderr).toMatch(/time-out after 2 s/);
    expect(status).toBe(4);
    // The trace has a longer ring: what is in it at the end is turned into lines.
    expect(unread(stderr)).toBeLessThan(name.includes('trace') ? 4 * 1024 * 1024 : MOST_UNREAD);
  });

  it('holds back nothing that comes when it is read, however late', async () => {
    const { child, ended } = start(MAIN, run([printPolitely(COUNT), out(0xf4, 3), SPIN]));
    const chunks: Uint8Array[] = [];
    child.stdout!.removeAllListeners('data');
    child.stdout!.on('data', (bytes) => chunks.push(bytes));
    child.stdout!.pause();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(child.exitCode).toBeNull();
    child.stdout!.resume();
    expect(await ended).toMatchObject({ status: 7, stderr: expect.not.stringMatching(UNREAD) });
    expect(Buffer.concat(chunks).equals(counted(COUNT))).toBe(true);
  });

  it('does not make a success of a run whose output nobody wants', async () => {
    // A reset.
    const { child, ended } = start(MAIN, run([printPolitely(COUNT), outDx(0xcf9, 6), SPIN], '--timeout', '3'));
    child.stdout!.pause();
    await new Promise((resolve) => child.once('exit', resolve));
    child.stdout!.resume();
    const { status, stderr } = await ended;
    expect(unread(stderr)).toBeLessThan(MOST_UNREAD);
    expect(status).toBe(4);
  });

  it('may be a file of the system as well', async () => {
    const fifo = join(folder, 'fifo');
    spawnSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const { ended } = start(MAIN, run([outMany(0xe9, -1), SPIN], '--timeout', '2', '--debugcon', fifo));
    const { status, stderr } = await ended;
    closeSync(reader);
    expect(unread(stderr)).toBeLessThan(MOST_UNREAD);
    expect(status).toBe(4);
  });
});

it.concurrent('reads no more than the guest takes', async () => {
  const { child, ended } = start(MAIN, run([printPolitely(1), SPIN]));
  let written = 0;
  const piece = Buffer.alloc(64 * 1024);
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  const more = () => {
    for (let free = true; free; written += piece.length) free = child.stdin!.write(piece);
  };
  child.stdin!.on('drain', more);
  more();
  setTimeout(() => child.kill(), 1000);
  expect((await ended).status).toBe(143);
  // Its buffers and ours, and the pipe's.
  expect(written).toBeLessThan(1024 * 1024);
});

it.concurrent('types all of a long input, to the end', async () => {
  const { child, ended } = start(MAIN, run([ECHO, out(0xf4, 3), SPIN]));
  const text = 'all that is typed. '.repeat(8_000);
  child.stdin!.end(`${text}q`);
  const { status, stdout } = await ended;
  expect(status).toBe(7);
  expect(stdout === `${text}q`).toBe(true);
});

describe('a stream', () => {
  const slow = (written: string[]) => {
    const calls: (() => void)[] = [];
    const stream = new Writable({
      highWaterMark: 4,
      decodeStrings: false,
      write(chunk, _encoding, done) {
        written.push(String(chunk));
        calls.push(done);
      },
    });
    return { stream, next: () => calls.shift()!() };
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  it('asks to wait while its reader is behind', async () => {
    const written: string[] = [];
    const { stream, next } = slow(written);
    const sink = new StreamSink(stream, () => {});
    expect(sink.write('ab')).toBeUndefined();
    const wait = sink.write('cdef');
    expect(wait).toBeInstanceOf(Promise);
    let resumed = false;
    void wait!.then(() => {
      resumed = true;
    });
    next();
    await settle();
    expect([written, resumed]).toEqual([['ab', 'cdef'], false]);
    next();
    await wait;
    expect(sink.write('g')).toBeUndefined();
  });

  it('asks nobody to wait for a reader that went away', async () => {
    const failures: Error[] = [];
    const { stream } = slow([]);
    const sink = new StreamSink(stream, (error) => failures.push(error));
    const wait = sink.write('abcdef');
    stream.destroy(new Error('EPIPE'));
    await wait;
    expect(failures.length).toBe(1);
    expect([sink.write('abcdef'), await sink.close(new Patience())]).toEqual([undefined, 0]);
  });

  it('is waited for while it takes something, even in a hurry', async () => {
    const { stream, next } = slow([]);
    const sink = new StreamSink(stream, () => {});
    for (const text of ['ab', 'cd', 'ef']) void sink.write(text);
    const patience = new Patience();
    patience.hurry();
    const unread = sink.close(patience);
    setTimeout(next, 600);
    // 'ab' and then nothing.
    expect(await unread).toBe(4);
  });
});

describe('a keyboard', () => {
  function keyboard(isTTY: boolean) {
    const stream = Object.assign(new PassThrough({ highWaterMark: 4 }), { isTTY, setRawMode: () => {} });
    const typed: string[] = [];
    let room: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>();
    let quits = 0;
    const detach = attach(stream as unknown as NodeJS.ReadStream, {
      input: (bytes) => {
        typed.push(Buffer.from(bytes).toString());
        return room?.promise;
      },
      quit: () => quits++,
      help: () => {},
      state: () => {},
      pause: () => {},
      reset: () => {},
      save() {},
    });
    const go = () => {
      room!.resolve();
      room = undefined;
    };
    return { stream, typed, detach, go, quits: () => quits };
  }
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

  it('is read on when the guest has taken what came', async () => {
    const { stream, typed, go, detach } = keyboard(false);
    stream.write('one');
    await settle();
    stream.write('two');
    await settle();
    expect(typed).toEqual(['one']);
    go();
    await settle();
    expect(typed.join()).toBe('one,two');
    detach();
  });

  it('is read on for Ctrl-A where it is a terminal', async () => {
    const { stream, typed, detach, quits } = keyboard(true);
    stream.write('one');
    await settle();
    stream.write('two\x01x');
    await settle();
    expect([typed, quits()]).toEqual([['one', 'two'], 1]);
    detach();
  });
});

it.concurrent('Ctrl-A x quits in a terminal that nobody reads', async () => {
  const terminal = spawn(process.execPath, [path(MAIN), ...run(FOREVER)], {});
  const exited = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  await new Promise<void>((resolve) => terminal.onData((text) => text.includes('zyx') && resolve()));
  terminal.pause();
  // Long enough for it to be full.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  terminal.write('\x01x');
  expect(await exited).toBe(0);
});
