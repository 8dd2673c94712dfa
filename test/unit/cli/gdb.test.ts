// --gdb and --gdb-wait of the command: where gdb attaches is told, a port that somebody has is refused before the guest runs, and nothing of it outlives the run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Client } from '../gdb/client.ts';
import { CLI_HLT, ENTRY, kernel, le32, outMany } from '../machine/programs.ts';
import { finish, MAIN, start } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-gdb-'));
afterAll(() => rmSync(folder, { recursive: true }));
const image = join(folder, 'kernel');
// Something on the debug console, then HLT for ever.
writeFileSync(image, kernel(outMany(0xe9, 3), CLI_HLT));
const COMMON = ['run', image, '--memory', '4M', '--code-cache', 'off', '--debugcon', '-'];

it.each([
  ['threads', []],
  ['lockstep', ['--lockstep']],
])('the guest waits for gdb, which is told how it ended (%s)', async (_, more) => {
  const { child, ended } = start(MAIN, [...COMMON, '--gdb', '0', '--gdb-wait', ...more]);
  // Whoever has no input waits as well.
  child.stdin!.end();
  let said = '';
  const port = await new Promise<number>((resolve) =>
    child.stderr!.on('data', (text) => {
      said += text;
      const found = /gdb attaches by "target remote 127\.0\.0\.1:(\d+)"; the guest waits for it\n/.exec(said);
      if (found !== null) resolve(Number(found[1]));
    }),
  );
  const client = await Client.connect(port);
  expect(await client.ask('p8')).toBe(le32(ENTRY));
  client.send('c');
  expect(await client.packet()).toMatch(/^O/);
  expect(await client.packet()).toBe('W03');
  const { status, stdout } = await ended;
  expect([status, stdout]).toEqual([3, '\x03\x02\x01']);
});

it('a port that somebody has', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const { status, stdout, stderr } = await finish(MAIN, [...COMMON, '--gdb', `${port}`]);
  other.close();
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: `dragoman: --gdb: port ${port} of 127.0.0.1 cannot be had: in use\n`,
  });
});

it('a run that nobody attaches to ends as any other', async () => {
  const { status, stderr } = await finish(MAIN, [...COMMON, '--gdb', '0']);
  expect(status).toBe(3);
  expect(stderr).toMatch(/^dragoman: gdb attaches by "target remote 127\.0\.0\.1:\d+"\n/);
});
