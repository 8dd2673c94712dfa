// Machines go on from snapshots, in both engines, on threads and in lockstep; and what is no snapshot, or does not fit, is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DragomanError,
  describeSnapshot,
  LONGEST_NOTE,
  Machine,
  type MachineOptions,
  MiB,
  type RestoreOptions,
} from '../../../src/api/index.ts';
import type { SharedMemory } from '../../../src/cpu/state.ts';
import { Cpu, GPR_STRIDE, Gpr } from '../../../src/layout/cpu.ts';
import { cpuBase, RAM } from '../../../src/layout/memory.ts';
import { SeededRandom } from '../../../src/machine/lockstep/random.ts';
import { SnapshotReader, writeSnapshot } from '../../../src/snapshot/stream.ts';
import { ECHO, kernel, le32, out, SPIN } from '../machine/programs.ts';

const COUNT = 0x200000;
/** mov ebx, COUNT; xor eax, eax; loop: inc dword [ebx]; add eax, 3; jmp loop */
const LOOP = `bb${le32(COUNT)} 31c0 ff03 83c003 ebf9`;
/** mov ebx, COUNT; loop: rdtsc; mov [ebx], eax; mov [ebx + 4], edx; jmp loop */
const CLOCK = `bb${le32(COUNT)} 0f31 8903 895304 ebf7`;

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
const disk = join(folder, 'disk');
writeFileSync(disk, new Uint8Array(4096));
afterAll(() => rmSync(folder, { recursive: true }));

const make = (options: MachineOptions, ...code: string[]) =>
  Machine.create({ kernel: kernel(...code), memoryBytes: 4 * MiB, debugExitPort: 0xf4, ...options });
const sharedOf = (machine: Machine) => (machine as unknown as { shared: SharedMemory }).shared;
const word = (machine: Machine, physical: number) => sharedOf(machine).i32[(RAM + physical) >> 2]! >>> 0;
const count = (machine: Machine) => word(machine, COUNT);
const eax = (machine: Machine) => sharedOf(machine).i32[(cpuBase(sharedOf(machine).plan, 0) + Cpu.at.gpr + Gpr.EAX * GPR_STRIDE) >> 2]!;
const until = async (is: () => boolean) => {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 1));
};
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof DragomanError ? `${error.code} ${error.message}` : error),
  );

describe.each<[string, MachineOptions, RestoreOptions]>([
  ['threads, JIT', {}, {}],
  ['threads, interpreter', { engine: 'interpreter' }, { engine: 'interpreter' }],
  ['lockstep, JIT', { lockstep: { paced: false } }, { lockstep: { paced: false } }],
  ['lockstep, interpreter', { lockstep: { paced: false }, engine: 'interpreter' }, {}],
])('%s', (_way, options, more) => {
  it('goes on where it stood, and so does the machine that was saved', async () => {
    const machine = await make(options, LOOP);
    expect(await refusal(machine.snapshot())).toMatch(/^BAD_STATE/);
    const run = machine.run();
    await until(() => count(machine) > 1000);
    // It runs on behind it.
    await machine.snapshot();
    expect(machine.state).toBe('running');
    const before = count(machine);
    await until(() => count(machine) !== before);
    await machine.pause();
    const [there, sum] = [count(machine), eax(machine)];
    const snapshot = await machine.snapshot();
    expect([machine.state, count(machine)]).toEqual(['paused', there]);
    machine.stop('enough');
    await run;
    expect(await refusal(machine.snapshot())).toMatch(/^ENDED/);

    const other = await Machine.restore(snapshot, { ...more, paused: true });
    expect([other.state, count(other), eax(other)]).toEqual(['created', there, sum]);
    expect(await refusal(other.snapshot())).toMatch(/^BAD_STATE/);
    const paused = new Promise((resolve) => other.addEventListener('paused', resolve));
    const again = other.run();
    await paused;
    expect([count(other), eax(other)]).toEqual([there, sum]);
    await other.resume();
    await until(() => count(other) > there + 1000);
    await other.pause();
    // Each turn of the loop adds three.
    const [turns, added] = [count(other) - there, (eax(other) - sum) / 3];
    expect(turns - added === 0 || turns - added === 1 || added - turns === 1).toBe(true);
    await other.close();
    await again;
  });

  it('reads what was typed before, however much', async () => {
    const machine = await make({ ...options, paused: true }, ECHO, out(0xf4, 9), SPIN);
    const typed = `${'abcdefghij'.repeat(1000)}q`;
    const paused = new Promise((resolve) => machine.addEventListener('paused', resolve));
    void machine.run();
    await paused;
    machine.sendInput(Buffer.from(typed));
    const snapshot = await machine.snapshot();
    await machine.close();
    let text = '';
    const other = await Machine.restore(snapshot, { ...more, onConsole: (bytes) => (text += Buffer.from(bytes).toString()) });
    expect(await other.run()).toEqual({ kind: 'debug-exit', value: 9 });
    expect(text).toBe(typed);
  });
});

it('stands still until it is run: the guest’s clock goes on where it was', async () => {
  const tsc = (machine: Machine) => count(machine) + word(machine, COUNT + 4) * 2 ** 32;
  const machine = await make({}, CLOCK);
  void machine.run();
  await until(() => tsc(machine) > 0);
  await machine.pause();
  const there = tsc(machine);
  const snapshot = await machine.snapshot();
  await machine.close();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const other = await Machine.restore(snapshot, { paused: true });
  const paused = new Promise((resolve) => other.addEventListener('paused', resolve));
  void other.run();
  await paused;
  await other.step(0, 4);
  const step = tsc(other) - there;
  expect(step).toBeGreaterThan(0);
  expect(step).toBeLessThan(250e6);
  await other.close();
});

it('saves against another snapshot what has changed since', async () => {
  // mov edi, 210000H; mov ecx, 20000H; rdtsc; rep stosd; then the loop: half a MiB that stays as it is.
  const machine = await make({}, `bf00002100 b900000200 0f31 f3ab ${LOOP}`);
  void machine.run();
  await until(() => count(machine) > 1000);
  const base = await machine.snapshot();
  await machine.pause();
  const there = count(machine);
  const [whole, small] = [await machine.snapshot(), await machine.snapshot({ base })];
  await machine.close();
  const pages = async (bytes: Uint8Array) => ((await new SnapshotReader(bytes).header()) as { pages: number }).pages;
  expect(await pages(whole)).toBeGreaterThan(128);
  expect(await pages(small)).toBe(1);
  const other = await Machine.restore(small, { base });
  expect([count(other), other.memoryHash()]).toEqual([there, machine.memoryHash()]);
  await other.close();
  expect(await refusal(Machine.restore(small))).toMatch(/^BAD_SNAPSHOT.*against a base/);
  expect(await refusal(Machine.restore(small, { base: whole }))).toMatch(/^BAD_SNAPSHOT.*another base/);
  expect(await refusal(Machine.restore(small, { base: small }))).toMatch(/^BAD_SNAPSHOT.*another base/);
});

it('says what it is of, and what its maker noted', async () => {
  const machine = await make({ cpus: 2, paused: true, engine: 'interpreter', lockstep: { seed: 7 } }, SPIN);
  const paused = new Promise((resolve) => machine.addEventListener('paused', resolve));
  void machine.run();
  await paused;
  const plain = await machine.snapshot();
  const noted = await machine.snapshot({ note: 'before the crash \u2603', base: plain });
  await machine.close();
  const facts = { cpus: 2, memoryBytes: 4 * MiB, disks: 0, lockstep: { seed: 7, engine: 'interpreter' } };
  expect(await describeSnapshot(plain)).toEqual({ ...facts, hasBase: false, note: undefined });
  expect(await describeSnapshot(new Blob([noted as Uint8Array<ArrayBuffer>]))).toEqual({
    ...facts,
    hasBase: true,
    note: 'before the crash \u2603',
  });
  expect(await refusal(describeSnapshot(plain.subarray(0, 40)))).toMatch(/^BAD_SNAPSHOT/);
  expect(await refusal(machine.snapshot({ note: 'x'.repeat(LONGEST_NOTE + 1) }))).toMatch(/^BAD_OPTION snapshot.note: /);
});

describe('what is refused', () => {
  let snapshot: Uint8Array;
  let lockstep: Uint8Array;
  const net = { onFrame: () => {}, mac: '52:54:00:00:00:01' };
  const DISKS = [{ path: disk, readOnly: true }];

  async function snapshotOf(options: MachineOptions): Promise<Uint8Array> {
    const machine = await make({ ...options, paused: true }, SPIN);
    const paused = new Promise((resolve) => machine.addEventListener('paused', resolve));
    void machine.run();
    await paused;
    const snapshot = await machine.snapshot();
    await machine.close();
    return snapshot;
  }

  beforeAll(async () => {
    snapshot = await snapshotOf({ net, disks: DISKS, virtioConsole: true, memoryBytes: 2 * MiB });
    lockstep = await snapshotOf({ lockstep: { seed: 4 } });
  });

  it.each<[RestoreOptions & MachineOptions, RegExp]>([
    [{ cpus: 2 }, /^BAD_OPTION cpus: the snapshot has 1/],
    [{ memoryBytes: 4 * MiB }, /^BAD_OPTION memoryBytes/],
    [{ debugExitPort: 0xf0 }, /^BAD_OPTION debugExitPort/],
    [{ testDevice: true }, /^BAD_OPTION testDevice: the snapshot has none/],
    [{ virtioConsole: false }, /^BAD_OPTION virtioConsole/],
    [{ onDebugConsole: () => {} }, /^BAD_OPTION onDebugConsole/],
    [{ net: { ...net, mac: '52:54:00:00:00:02' } }, /^BAD_OPTION net.mac/],
    [{ disks: [] }, /^BAD_OPTION disks: the snapshot has 1/],
    [{ disks: [{ path: disk }] }, /^BAD_OPTION disks\[0\].readOnly/],
    [{ lockstep: {} }, /^BAD_OPTION lockstep: .*threads/],
    [{ kernel: new Uint8Array(1) }, /^BAD_OPTION kernel/],
    [{ engine: 'fast' as 'jit' }, /^BAD_OPTION engine/],
    [{ base: 7 as unknown as string }, /^BAD_OPTION base/],
  ])('options that contradict it: %o', async (options, message) => {
    expect(await refusal(Machine.restore(snapshot, { disks: DISKS, ...options }))).toMatch(message);
  });

  it('a disk of another size, and recordings', async () => {
    const small = join(folder, 'small');
    writeFileSync(small, new Uint8Array(512));
    expect(await refusal(Machine.restore(snapshot, { disks: [{ path: small, readOnly: true }] }))).toMatch(
      /^BAD_OPTION disks\[0\]: .*8 sectors/,
    );
    expect(await refusal(Machine.restore(lockstep, { lockstep: { seed: 5 } }))).toMatch(/^BAD_OPTION lockstep.seed/);
    expect(await refusal(Machine.restore(lockstep, { lockstep: { onRecord: () => {} } }))).toMatch(/^NOT_SUPPORTED/);
    const machine = await make({ lockstep: { onRecord: () => {} } }, SPIN);
    void machine.run();
    expect(await refusal(machine.snapshot())).toMatch(/^NOT_SUPPORTED/);
    await machine.close();
  });

  it('what fits is not', async () => {
    const machine = await Machine.restore(snapshot, { disks: DISKS, net, cpus: 1, memoryBytes: 2 * MiB, virtioConsole: true });
    await machine.close();
    const other = await Machine.restore(new Blob([lockstep as Uint8Array<ArrayBuffer>]), { lockstep: { seed: 4 } });
    await other.close();
  });

  it('other files, other versions, files that are not there', async () => {
    expect(await refusal(Machine.restore(new Uint8Array(0)))).toMatch(/^BAD_SNAPSHOT this is no snapshot/);
    expect(await refusal(Machine.restore(kernel(SPIN)))).toMatch(/^BAD_SNAPSHOT this is no snapshot/);
    const newer = snapshot.slice();
    newer[12]++;
    expect(await refusal(Machine.restore(newer))).toMatch(/^BAD_SNAPSHOT it is of version 3, and this Dragoman reads version 2/);
    expect(await refusal(Machine.restore(join(folder, 'none')))).toMatch(/^NO_FILE/);
    writeFileSync(join(folder, 'cut'), snapshot.subarray(0, 500));
    expect(await refusal(Machine.restore(join(folder, 'cut')))).toMatch(/^BAD_SNAPSHOT .*cut: /);
  });

  it('what is cut off, anywhere', async () => {
    for (let bytes = 0; bytes < snapshot.length; bytes += bytes < 40 ? 1 : 131)
      expect(await refusal(Machine.restore(snapshot.subarray(0, bytes), { disks: DISKS }))).toMatch(/^BAD_SNAPSHOT/);
    expect(await refusal(Machine.restore(snapshot.subarray(0, -1), { disks: DISKS }))).toMatch(/^BAD_SNAPSHOT/);
    const longer = new Uint8Array(snapshot.length + 1);
    longer.set(snapshot);
    expect(await refusal(Machine.restore(longer, { disks: DISKS }))).toMatch(/^BAD_SNAPSHOT/);
  });

  it('what is damaged, anywhere', async () => {
    const random = new SeededRandom(3);
    /** Of the gzip header, which mean nothing: when and where it was packed. */
    const free = (at: number) => at >= 20 && at < 26;
    // Among zeros a bit may say of another place, where there is the same: the snapshot is the same then.
    const unpacked = (bytes: Uint8Array) => {
      try {
        return gunzipSync(bytes.subarray(16)).toString('latin1');
      } catch {
        return undefined;
      }
    };
    const whole = unpacked(snapshot);
    for (let n = 0; n < 150; n++) {
      const at = n < 30 ? n : random.below(snapshot.length);
      if (free(at)) continue;
      const damaged = snapshot.slice();
      damaged[at]! ^= 1 << random.below(8);
      if (at >= 16 && unpacked(damaged) === whole) continue;
      expect(`${at} ${await refusal(Machine.restore(damaged, { disks: DISKS }))}`).toMatch(/^\d+ BAD_SNAPSHOT/);
    }
  });

  it('headers that say what cannot be, before anything is made for it', async () => {
    const header = (await new SnapshotReader(snapshot).header()) as Record<string, Record<string, unknown>>;
    const machine = (more: object) => ({ ...header, machine: { ...header.machine, ...more } });
    const made: [unknown, RegExp][] = [
      [{}, /header/],
      [null, /damaged/],
      [machine({ cpus: 1e9 }), /cpus/],
      [machine({ memoryBytes: 2 ** 40 }), /memoryBytes/],
      [machine({ disks: new Array(100).fill({ sectors: 1, readOnly: true }) }), /disks/],
      [{ ...header, pages: 1e6 }, /pages/],
      [{ ...header, cpuFields: ['eip:4'] }, /other version|another version/],
      [{ ...header, control: { ...header.control, a20: 1.5 } }, /a20/],
      [{ ...header, records: ['pic: 999999999 a@0'] }, /state of devices/],
      [{ ...header, kept: [{ device: 0, bytes: [1e15] }] }, /bytes/],
      [{ ...header, clock: { ...header.clock, ns: 'now' } }, /clock/],
      [{ ...header, pages: 0 }, /damaged/],
    ];
    for (const [json, message] of made) {
      const bytes = await writeSnapshot(json as object, []);
      const said = await refusal(Machine.restore(bytes, { disks: DISKS }));
      expect(said).toMatch(/^BAD_SNAPSHOT/);
      if (json !== made.at(-1)![0]) expect(said).toMatch(message);
    }
  });
});
