// A host that gives this process too little: one line and status 2, before the machine starts, in the place of an end of Node's.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { Machine } from '../../../src/machine/machine.ts';
import { CLI_HLT, kernel } from '../machine/programs.ts';
import { MAIN, path } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
const hlt = join(folder, 'hlt');
writeFileSync(hlt, kernel(CLI_HLT));

/** `dragoman run` of a kernel that halts (status 3), by a shell that has set a limit. */
async function limited(limit: string, ...args: string[]): Promise<{ status: number; stderr: string }> {
  const command = `ulimit ${limit} && exec "$0" "$@"`;
  const words = [process.execPath, path(MAIN), 'run', hlt, '--memory', '16M', ...args];
  try {
    const { stderr } = await promisify(execFile)('/bin/sh', ['-c', command, ...words], { timeout: 30_000 });
    return { status: 0, stderr };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { status: code, stderr };
  }
}

it.skipIf(process.platform !== 'linux').each<[string, string, string[], RegExp]>([
  ['open files', '-n 30', [], /^dragoman: too few files may be open: 3 threads need 23 more \(ulimit -n\)\n$/],
  ['open files for many CPUs', '-n 200', ['--cpus', '64'], /^dragoman: too few files may be open: 66 threads/],
  ['address space', '-v 40000000', [], /^dragoman: too little address space: 38 GiB, and V8 sets 88 GiB aside, .*\(ulimit -v\)\n$/],
  ['address space in lockstep', '-v 16000000', ['--lockstep'], /^dragoman: too little address space: 15 GiB, and V8 sets 32 GiB aside/],
])('says so where there are too little %s (limits are kept on Linux alone)', async (_, limit, args, text) => {
  const { status, stderr } = await limited(limit, ...args);
  expect(stderr).toMatch(text);
  expect(status).toBe(2);
});

it.skipIf(process.platform !== 'linux')('runs with just enough (limits are kept on Linux alone)', async () => {
  for (const limits of ['-n 30 && ulimit -v 40000000', '-n 60']) {
    const { status, stderr } = await limited(limits, ...(limits === '-n 60' ? [] : ['--lockstep']));
    expect(stderr).toMatch(/halted with interrupts off/);
    expect(status).toBe(3);
  }
});

it('rejects a run for which the host gives no thread', async () => {
  const machine = await Machine.create({ kernel: kernel(CLI_HLT), memoryBytes: 16 << 20 });
  const failure = Object.assign(new Error('Worker initialization failure: EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
  const { executor } = machine as unknown as {
    executor: { workers: { threadName: string; emit(name: string, error: Error): void }[] };
  };
  const ended = machine.run();
  executor.workers.find(({ threadName }) => threadName === 'CPU 0')!.emit('error', failure);
  await expect(ended).rejects.toMatchObject({
    code: 'HOST_LIMIT',
    message: 'CPU 0: the host gives no thread: Worker initialization failure: EAGAIN',
  });
});
