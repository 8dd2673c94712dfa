// Machine after machine, several at once, and stop() at any time: what a program that uses machines as others use functions does.
// Cannot prove: that nothing is held for longer than a garbage collection; memory is looked at with much room.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { SeededRandom } from '../../../src/machine/lockstep/random.ts';
import { counted, kernel, out, printPolitely, SPIN } from './programs.ts';

const END = out(0xf4, 1) + SPIN;
const ENDED = { kind: 'debug-exit', value: 1 };
const WAYS: readonly MachineOptions[] = [{}, { lockstep: { paced: false } }];
const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function newDisk(): string {
  const disk = join(folder, `disk${files++}`);
  writeFileSync(disk, new Uint8Array(512));
  return disk;
}

const create = (options: MachineOptions): Promise<Machine> =>
  Machine.create({ memoryBytes: 16 * MiB, debugExitPort: 0xf4, engine: 'interpreter', ...options });
const COUNT = 2000;
const printing = kernel(printPolitely(COUNT), END);

/** Runs one to its end, which it finds with all that it printed. */
async function runOne(options: MachineOptions): Promise<void> {
  const printed: Uint8Array[] = [];
  const machine = await create({ kernel: printing, onConsole: (bytes) => printed.push(bytes), ...options });
  expect(await machine.run()).toEqual(ENDED);
  expect(Buffer.concat(printed).equals(counted(COUNT))).toBe(true);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const openFiles = () => readdirSync('/proc/self/fd').length;
async function held() {
  // A thread's end, and what is freed behind it, take some turns.
  for (let n = 0; n < 5; n++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { files: openFiles(), resources: process.getActiveResourcesInfo().length, bytes: process.memoryUsage().rss };
}

it('50 in a row hold nothing', { timeout: 120_000 }, async () => {
  const disk = newDisk();
  // What each has in its RAM, so that one that is held weighs something.
  const modules = [{ data: new Uint8Array(6 * MiB).fill(1), string: '' }];
  // Threads take their time to start: each tenth has some.
  const some = async (count: number) => {
    for (let n = 0; n < count; n++)
      await runOne({ ...WAYS[n % 10 === 0 ? 0 : 1], disks: [{ path: disk }], net: { onFrame: () => {} }, modules });
  };
  await some(15);
  const before = await held();
  await some(35);
  const after = await held();
  // A file or two are the system's.
  expect(after.files).toBeLessThan(before.files + 10);
  expect(after.resources).toBeLessThan(before.resources + 10);
  // 35 that are held are more than 300 MB.
  expect(after.bytes).toBeLessThan(before.bytes + 150 * MiB);
});

it('several at once do not see each other', async () => {
  await Promise.all(Array.from({ length: 4 }, (_, n) => runOne({ ...WAYS[n % 2], cpus: 1 + (n >> 1) })));
});

describe.each([
  ['threads', 5, {}],
  ['lockstep', 30, { lockstep: { paced: false } }],
] as const)('%s: stop()', (_way, times, options) => {
  const SPINS: MachineOptions = { kernel: kernel(printPolitely(0x7fffffff)), ...options };

  it('ends a run at any time', { timeout: 60_000 }, async () => {
    const random = new SeededRandom(1);
    for (let n = 0; n < times; n++) {
      const reason = `${n}: enough`;
      let printed = 0;
      const machine = await create({
        ...SPINS,
        cpus: 1 + random.below(2),
        clients: random.below(2) === 0 ? ['flame'] : [],
        onConsole: (bytes) => void (printed += bytes.length),
      });
      const before = random.below(5) === 0;
      if (before) machine.stop(reason);
      const run = machine.run();
      const turns = random.below(4);
      if (turns === 1) await Promise.resolve();
      else if (turns === 2) await new Promise((resolve) => setImmediate(resolve));
      else if (turns === 3) await new Promise((resolve) => setTimeout(resolve, random.below(40)));
      const pausing = random.below(3) === 0 ? machine.pause().catch(() => {}) : undefined;
      if (random.below(2) === 0) await pausing;
      machine.stop(reason);
      machine.stop('too late');
      expect(await run, `${n}`).toEqual({ kind: 'stopped', reason });
      await pausing;
      expect(machine.state).toBe('ended');
      const then = printed;
      await new Promise((resolve) => setImmediate(resolve));
      expect(printed).toBe(then);
      await machine.close();
    }
  });

  it('of a signal ends a machine that is being made, or its run', { timeout: 60_000 }, async () => {
    const random = new SeededRandom(2);
    const disk = newDisk();
    const ends = new Set<string>();
    for (let n = 0; n < 9; n++) {
      const open = openFiles();
      const controller = new AbortController();
      const made = create({ ...SPINS, disks: [{ path: disk }], signal: controller.signal });
      const abort = () => controller.abort(new Error('no more'));
      if (n < 3) abort();
      else for (let turns = random.below(30); turns > 0; turns--) await Promise.resolve();
      if (n >= 6) await made;
      abort();
      const end = await made.then(
        (machine) => machine.run().then(({ kind }) => kind),
        (error: Error) => error.message,
      );
      ends.add(end);
      expect(openFiles()).toBeLessThanOrEqual(open + 3);
    }
    expect([...ends].sort()).toEqual(['no more', 'stopped']);
  });

  it('from its own callback ends the run', async () => {
    let calls = 0;
    const machine: Machine = await create({ ...SPINS, onConsole: () => ++calls === 3 && machine.stop('from within') });
    expect(await machine.run()).toEqual({ kind: 'stopped', reason: 'from within' });
  });
});
