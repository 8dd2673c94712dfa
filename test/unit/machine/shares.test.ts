// Machines whose guest of a few instructions mounts a share: in threads and in lockstep, where runs repeat whatever the host does; what is refused; and that all is given back.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DragomanError, Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { EXIT, MOUNTS, SPINS, TYPES, WORKS } from './share-guest.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-shares-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with the same in it, made in another order each time. */
function tree(name: string, order: readonly string[] = ['hello', 'other']): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const file of order) {
    writeFileSync(join(path, file), `${file} from the host`);
    utimesSync(join(path, file), 1_700_000_000, 1_700_000_000);
  }
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  return path;
}
const make = (options: MachineOptions) => Machine.create({ memoryBytes: 4 * MiB, debugExitPort: EXIT, engine: 'interpreter', ...options });
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof DragomanError ? `${error.code} ${error.message}` : error),
  );
/** Files and folders of a tree that this process has open. */
const openBelow = (path: string) =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      return false;
    }
  }).length;

async function run(path: string, options: MachineOptions = {}) {
  const shown: number[] = [];
  const machine = await make({ kernel: WORKS, shares: [{ path }], onDebugConsole: (bytes) => shown.push(...bytes), ...options });
  const { kind } = await machine.run();
  const { lockstep, instructions } = machine.stats();
  return { kind, shown, hash: machine.memoryHash(), turns: lockstep?.turns, virtualMs: lockstep?.virtualMs, instructions };
}

describe.each([
  ['threads', {}],
  ['lockstep', { lockstep: { paced: false } }],
])('in %s', (name, options) => {
  it('a guest works in a share, and nothing of it is left open', async () => {
    const path = tree(name);
    expect(await run(path, options)).toMatchObject({ kind: 'debug-exit', shown: TYPES });
    expect([readFileSync(join(path, 'made'), 'utf8'), readdirSync(path).sort()]).toEqual(['guest', ['folder', 'hello', 'made', 'other']]);
    expect(openBelow(path)).toBe(0);
  });

  it('a snapshot is refused while it is mounted', async () => {
    const path = tree(`${name} mounted`);
    const shown: number[] = [];
    const machine = await make({
      kernel: MOUNTS,
      shares: [{ path, tag: 'files' }],
      onDebugConsole: (bytes) => shown.push(...bytes),
      ...options,
    });
    const ended = machine.run();
    while (shown.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await refusal(machine.snapshot())).toMatch(/^NOT_SUPPORTED not supported: a snapshot .*'files'/);
    await machine.close();
    await ended;
    expect(openBelow(path)).toBe(0);
  });

  it('a machine whose guest has not mounted it goes on from a snapshot, with the same shares', async () => {
    const path = tree(`${name} saved`);
    const shares = [{ path, readOnly: true }];
    const machine = await make({ kernel: SPINS, shares, ...options });
    const ended = machine.run();
    while (machine.state !== 'running') await new Promise((resolve) => setTimeout(resolve, 1));
    const snapshot = await machine.snapshot();
    await machine.close();
    await ended;
    expect(await refusal(Machine.restore(snapshot))).toMatch(/^BAD_OPTION shares: the snapshot has 1/);
    expect(await refusal(Machine.restore(snapshot, { shares: [{ path }] }))).toMatch(/^BAD_OPTION shares\[0\].readOnly/);
    expect(await refusal(Machine.restore(snapshot, { shares: [{ path, readOnly: true, tag: 'other' }] }))).toMatch(
      /^BAD_OPTION shares\[0\].tag/,
    );
    const other = await Machine.restore(snapshot, { shares });
    const again = other.run();
    await other.close();
    await again;
    expect(openBelow(path)).toBe(0);
  });
});

it('runs in lockstep repeat, whatever the times, numbers and order are that the host gives to files', async () => {
  const one = await run(tree('one'), { lockstep: { paced: false } });
  // Numbers are others, folders are read in another order, and what the guest makes is of another time.
  for (let n = 0; n < 7; n++) writeFileSync(join(folder, `filler ${n}`), '');
  const two = await run(tree('two', ['other', 'hello']), { lockstep: { paced: false } });
  expect(two).toEqual(one);
  expect((await run(tree('three'), { lockstep: { paced: false, seed: 1 } })).turns).not.toBe(one.turns);
});

it('refuses what is no folder, and what cannot be recorded', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  symlinkSync('nowhere', join(folder, 'dangling'));
  const kernel = SPINS;
  const good = tree('good');
  expect(await refusal(make({ kernel, shares: [{ path: join(folder, 'none') }] }))).toBe(`NO_FILE ${join(folder, 'none')}: no such folder`);
  expect(await refusal(make({ kernel, shares: [{ path: join(folder, 'dangling') }] }))).toMatch(/^NO_FILE .*: no such folder$/);
  expect(await refusal(make({ kernel, shares: [{ path: good }, { path: file, tag: 'b' }] }))).toBe(`BAD_SHARE ${file}: is not a folder`);
  expect(openBelow(good)).toBe(0);
  for (const lockstep of [{ onRecord: () => {} }, { replay: '' }])
    expect(await refusal(make({ kernel, shares: [{ path: good }], lockstep }))).toMatch(
      /^NOT_SUPPORTED shares: not supported: a recording/,
    );
  expect(openBelow(good)).toBe(0);
  const machine = await make({ kernel, shares: [{ path: good }] });
  expect(openBelow(good)).toBe(1);
  await machine.close();
  expect(openBelow(good)).toBe(0);
});
