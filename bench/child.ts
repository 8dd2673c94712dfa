// Runs a machine as a child process until its console shows a text, and takes the process's time and memory from /proc.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Clock ticks a second in /proc/PID/stat: always 100 for user space. */
const TICKS = 100;

export interface Sample {
  /** Seconds from the start of the process to the text. */
  readonly seconds: number;
  /** Processor seconds of all its threads until then. */
  readonly cpuSeconds: number;
  /** Highest resident memory until then, MiB. */
  readonly peakMiB: number;
  /** Resident memory after `idleSeconds` more, MiB, and processor seconds that it used a second meanwhile. */
  readonly idleMiB?: number;
  readonly idleLoad?: number;
}

interface Usage {
  readonly cpuSeconds: number;
  readonly residentMiB: number;
  readonly peakMiB: number;
}

async function usage(pid: number): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS, residentMiB: field('VmRSS'), peakMiB: field('VmHWM') };
}

/** Resolves when the child's output contains `text`. */
function shows(child: ChildProcess, text: string, seconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    let errors = '';
    const timer = setTimeout(
      () => reject(new Error(`no '${text}' within ${seconds} s; last output: ${JSON.stringify(seen.slice(-200))}`)),
      seconds * 1000,
    );
    const settle = (done: () => void) => {
      clearTimeout(timer);
      done();
    };
    child.stdout!.on('data', (data: Buffer) => {
      seen = (seen + data.toString('latin1')).slice(-4000);
      if (seen.includes(text)) settle(resolve);
    });
    child.stderr!.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-400)));
    child.on('error', (error) => settle(() => reject(error)));
    child.on('exit', (code, signal) =>
      settle(() => reject(new Error(`ended (${signal ?? code}) before '${text}': ${(errors || seen).trim().slice(-300)}`))),
    );
  });
}

export interface RunOptions {
  /** Seconds that it goes on for behind the text. */
  readonly idleSeconds?: number;
  /** Standard input, from the start. */
  readonly type?: string;
  /** It ends by itself behind the text. */
  readonly toEnd?: boolean;
}

/** Starts the program, waits for `text` on its standard output, and ends it. */
export async function runUntil(
  command: readonly string[],
  text: string,
  timeoutSeconds: number,
  { idleSeconds = 0, type, toEnd = false }: RunOptions = {},
): Promise<Sample> {
  const start = performance.now();
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  if (type !== undefined) child.stdin.write(type);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  try {
    await shows(child, text, timeoutSeconds);
    const seconds = (performance.now() - start) / 1000;
    const { cpuSeconds, peakMiB } = await usage(child.pid!);
    const sample = { seconds, cpuSeconds, peakMiB };
    if (toEnd) await gone;
    if (idleSeconds === 0) return sample;
    // What the start has left behind ends first.
    await sleep(1000);
    const before = await usage(child.pid!);
    await sleep(idleSeconds * 1000);
    const after = await usage(child.pid!);
    return {
      ...sample,
      peakMiB: after.peakMiB,
      idleMiB: after.residentMiB,
      idleLoad: (after.cpuSeconds - before.cpuSeconds) / idleSeconds,
    };
  } finally {
    child.kill('SIGKILL');
    await gone;
  }
}
