// The end of the process: it comes, with its status, even where Node's own would never.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { Machine } from '../../../src/machine/machine.ts';
import { CLI_HLT, kernel } from '../machine/programs.ts';
import { path } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('comes where a thread of Node never ends, and leaves a shared pipe as it was', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const script = join(folder, 'script.mjs');
  // To open a pipe that nobody writes occupies a thread for ever, and process.exit() waits for it.
  writeFileSync(
    script,
    `import { open } from 'node:fs';
    import { leave } from ${JSON.stringify(path('src/cli/leave.ts'))};
    open(${JSON.stringify(pipe)}, () => {});
    process.on('exit', (status) => console.log('exit', status));
    setTimeout(() => leave(37), 100);`,
  );
  const command = `"$0" "$1"; echo "status $?"; cat /proc/self/fdinfo/1 2>/dev/null || echo 'flags: 01'`;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command, process.execPath, script], { timeout: 20_000 });
  expect(stdout).toMatch(/^exit 37\nstatus 37\n/);
  const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(stdout)![1], 8);
  expect(flags & 0o4000, 'O_NONBLOCK').toBe(0);
});

it('of a run does not wait for a thread that hangs where it cannot be ended', async () => {
  const machine = await Machine.create({ kernel: kernel(CLI_HLT), memoryBytes: 16 << 20 });
  const { executor } = machine as unknown as { executor: { gones: Promise<void>[] } };
  executor.gones.push(new Promise(() => {}));
  expect(await machine.run()).toEqual({ kind: 'halted' });
});
