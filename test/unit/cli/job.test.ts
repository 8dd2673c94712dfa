// `dragoman run` as a job of a shell in a terminal: raw while it runs, as it was while it is stopped, raw again behind fg.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import { afterAll, afterEach, describe, it } from 'vitest';
import { ECHO, kernel, out } from '../machine/programs.ts';
import { MAIN, path } from './process.ts';
import type { Step } from './scripted.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, data: string | Uint8Array) => {
  writeFileSync(join(folder, name), data);
  return join(folder, name);
};

/** A shell in a terminal, and what it has printed. */
class Terminal {
  readonly #pty: IPty;
  #text = '';
  #gone = false;

  constructor() {
    this.#pty = spawn('/bin/sh', ['-i'], { cwd: folder, env: { ...process.env, PS1: '$ ', ENV: '' } });
    this.#pty.onData((text) => {
      this.#text += text;
    });
    this.#pty.onExit(() => {
      this.#gone = true;
    });
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  async until(what: () => boolean, named: string): Promise<void> {
    for (const end = Date.now() + 30_000; !what(); await new Promise((resolve) => setTimeout(resolve, 10)))
      if (Date.now() > end || this.#gone) throw new Error(`${named} has not come to pass:\n${this.#text}`);
  }

  /** Waits for a text, and forgets what has been printed up to there. */
  async prints(text: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null;
    await this.until(() => (match = text.exec(this.#text)) !== null, `${text}`);
    const found = match as unknown as RegExpExecArray;
    this.#text = this.#text.slice(found.index + found[0].length);
    return found;
  }

  async is(mode: 'raw' | 'cooked'): Promise<void> {
    const name = await this.#name();
    const raw = () => / -icanon/.test(execFileSync('stty', ['-F', name, '-a'], { encoding: 'utf8' }));
    await this.until(() => raw() === (mode === 'raw'), `a ${mode} terminal`);
  }

  async #name(): Promise<string> {
    return (this.#pty as unknown as { _pty: string })._pty;
  }

  close(): void {
    this.#pty.kill('SIGKILL');
  }
}

const isStopped = (pid: number) => /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

describe.skipIf(process.platform !== 'linux')('a job (stty -F and /proc are of Linux)', () => {
  let terminal: Terminal;
  afterEach(() => terminal.close());

  /** Starts a script in the terminal, as a job of its own; its process. */
  async function start(script: string, ...args: string[]): Promise<number> {
    terminal = new Terminal();
    // The number of what the shell starts is that of what it becomes.
    terminal.type(`sh -c 'echo pid: $$; exec "$0" "$@"' ${[process.execPath, path(script), ...args].join(' ')}\n`);
    return Number((await terminal.prints(/pid: (\d+)\r?\n/))[1]);
  }

  /** SIGSTOP cannot be seen by who gets it. */
  it.each(['SIGTSTP', 'SIGSTOP'] as const)('is stopped by %s and goes on', async (signal) => {
    const steps: Step[] = [{ print: 'up' }, { echo: 1 }, { print: ' went' }, { echo: 2 }, { end: { kind: 'power-off' } }];
    const pid = await start('test/unit/cli/scripted.ts', file('steps', JSON.stringify(steps)));
    await terminal.prints(/up/);
    await terminal.is('raw');
    // Ctrl-Z is the guest's.
    terminal.type('\x1a');
    await terminal.prints(/ went/);
    for (let turn = 0; turn < 2; turn++) {
      process.kill(pid, signal);
      await terminal.until(() => isStopped(pid), 'the stop');
      // What nobody could put right, the shell does.
      if (signal === 'SIGSTOP') terminal.type('stty sane\n');
      await terminal.is('cooked');
      terminal.type('fg\n');
      await terminal.is('raw');
    }
    terminal.type('ab');
    await terminal.prints(/ab[\s\S]*powered off.*\s+\$ /);
    terminal.type('echo status $?\n');
    await terminal.prints(/status 0/);
    await terminal.is('cooked');
  });

  it('has its guest go on where it was', async () => {
    const pid = await start(MAIN, 'run', file('echo', kernel(out(0xe9, 0x21), ECHO, 'fa f4')), '--debugcon', '-');
    await terminal.prints(/!/);
    terminal.type('x');
    await terminal.prints(/x/);
    process.kill(pid, 'SIGTSTP');
    await terminal.until(() => isStopped(pid), 'the stop');
    await terminal.is('cooked');
    terminal.type('fg\n');
    await terminal.is('raw');
    terminal.type('yzq');
    await terminal.prints(/yzq[\s\S]*halted.*\s+\$ /);
    terminal.type('echo status $?\n');
    await terminal.prints(/status 3/);
  });
});
