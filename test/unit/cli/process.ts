// Runs our commands as processes and collects what they print.
import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findMain } from '../../../bin/find-main.mjs';

export const path = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));

/** The command line's module. */
export const MAIN = relative(path('.'), findMain());

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ReturnType<typeof spawn>;
  readonly ended: Promise<Ended>;
}

/** Starts `node SCRIPT ARGS`, with standard input open. `stdout`: a file descriptor for it in the place of a pipe. `env`: of the process, beside ours. */
export function start(
  script: string,
  args: readonly string[],
  stdout: 'pipe' | number = 'pipe',
  env: Readonly<Record<string, string>> = {},
): Started {
  const options = { stdio: ['pipe' as const, stdout, 'pipe' as const], timeout: 60_000, env: { ...process.env, ...env } };
  const child = spawn(process.execPath, [path(script), ...args], options);
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (bytes) => void (output.stdout += bytes));
  child.stderr!.on('data', (bytes) => void (output.stderr += bytes));
  child.stdin!.on('error', () => {});
  const ended = new Promise<Ended>((resolve) => child.on('close', (status, signal) => resolve({ status, signal, ...output })));
  return { child, ended };
}

/** The same, with an empty standard input, to the end. */
export function finish(script: string, args: readonly string[], stdout: 'pipe' | number = 'pipe'): Promise<Ended> {
  const { child, ended } = start(script, args, stdout);
  child.stdin!.end();
  return ended;
}
