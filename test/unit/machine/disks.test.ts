// Machines whose guest of a few instructions writes to a disk and reads it back: snapshots, and disks that are arrays and objects, in threads and in lockstep.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type DiskDevice, type DiskOptions, Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { EXIT, image, RIGHT, WRITES_AND_ENDS, WRITES_AND_READS, WRITES_AND_SPINS, written } from './disk-guest.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-disks-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A disk that answers after up to some milliseconds, now the one request first and now the other. */
function slow(data = image(), wait: () => Promise<void> = () => sleep(Math.random() * 4)) {
  const counts = { reads: 0, writes: 0, answered: 0 };
  const device: DiskDevice = {
    size: data.length,
    async read(offset, length) {
      counts.reads++;
      await wait();
      return data.slice(offset, offset + length);
    },
    async write(offset, bytes) {
      counts.writes++;
      await wait();
      data.set(bytes, offset);
      counts.answered++;
    },
  };
  return { device, data, counts };
}

async function run(disk: DiskOptions, options: MachineOptions = {}) {
  const shown: number[] = [];
  const machine = await Machine.create({
    kernel: WRITES_AND_READS,
    memoryBytes: 4 * MiB,
    debugExitPort: EXIT,
    disks: [disk],
    onDebugConsole: (bytes) => shown.push(...bytes),
    ...options,
  });
  const result = await machine.run();
  const { lockstep, instructions } = machine.stats();
  return { shown, end: result.kind, hash: machine.memoryHash(), turns: lockstep?.turns, virtualMs: lockstep?.virtualMs, instructions };
}
function imageFile(name: string): string {
  writeFileSync(join(folder, name), image());
  return join(folder, name);
}

describe.each([
  ['threads', {}],
  ['lockstep', { lockstep: { paced: false } }],
])('in %s a guest reads what it wrote', (_, options) => {
  it('to a snapshot, which leaves the file as it was', async () => {
    const path = imageFile('snapshot');
    expect(await run({ path, snapshot: true }, options)).toMatchObject({ shown: RIGHT, end: 'debug-exit' });
    expect(new Uint8Array(readFileSync(path))).toEqual(image());
    expect(await run({ path }, options)).toMatchObject({ shown: RIGHT });
    expect(new Uint8Array(readFileSync(path))).toEqual(written());
  });

  it('to an array, to a Blob', async () => {
    const bytes = image();
    expect(await run({ bytes }, options)).toMatchObject({ shown: RIGHT });
    expect(bytes).toEqual(written());
    expect(await run({ blob: new Blob([image()]) }, options)).toMatchObject({ shown: RIGHT });
  });

  it('to an object that answers later', async () => {
    const { device, data, counts } = slow();
    expect(await run(device, options)).toMatchObject({ shown: RIGHT });
    expect([data, counts]).toEqual([written(), { reads: 2, writes: 1, answered: 1 }]);
  });

  it('and all of it is with the object when the run has ended', async () => {
    const { device, data, counts } = slow();
    expect(await run(device, { ...options, kernel: WRITES_AND_ENDS })).toMatchObject({ end: 'debug-exit' });
    expect([data, counts]).toEqual([written(), { reads: 0, writes: 40, answered: 40 }]);
  });

  it('and what is being written when the run is stopped is waited for', async () => {
    let machine: Machine | undefined;
    const { device, counts } = slow(image(), async () => {
      if (counts.writes === 1) machine?.stop('enough');
      await sleep(50);
    });
    machine = await Machine.create({ kernel: WRITES_AND_SPINS, memoryBytes: 4 * MiB, disks: [device], ...options });
    expect(await machine.run()).toEqual({ kind: 'stopped', reason: 'enough' });
    expect(counts.answered).toBe(counts.writes);
    // Nobody else is kept from it any more.
    await (await Machine.create({ kernel: WRITES_AND_SPINS, memoryBytes: 4 * MiB, disks: [device], ...options })).close();
  });

  it('but for an I/O error, where a function fails; standard error is told once', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const device: DiskDevice = {
        sectors: 8,
        read: (offset, length) => new Uint8Array(offset === 0 ? length : length - 1).fill(0x5a),
        write: () => {
          throw new Error('the tape is torn');
        },
      };
      const { shown } = await run(device, options);
      expect([shown[0], shown[1], shown[6], shown[7]]).toEqual([1, 1, 0, 0x5a]);
      expect(said.mock.calls).toEqual([['dragoman: disks[0]: the guest got an I/O error: the tape is torn']]);
    } finally {
      said.mockRestore();
    }
  });
});

describe('in lockstep', () => {
  it('a run does not depend on how fast an object answers, nor on what the disk is', async () => {
    const options = { lockstep: { seed: 5, paced: false } };
    for (const guest of [WRITES_AND_READS, WRITES_AND_ENDS]) {
      const first = await run({ bytes: image() }, { ...options, kernel: guest });
      for (const disk of [
        { path: imageFile('lockstep'), snapshot: true },
        slow().device,
        slow(image(), async () => {}).device,
        { blob: new Blob([image()]) },
      ])
        expect(await run(disk, { ...options, kernel: guest })).toEqual(first);
    }
  });

  it('a recording knows a disk by what is in it', async () => {
    let recording = '';
    const recorded = await run(slow().device, { lockstep: { seed: 3, paced: false, onRecord: (text) => (recording += text) } });
    const replay = { lockstep: { paced: false, replay: recording } };
    expect(await run({ path: imageFile('replay'), snapshot: true }, replay)).toEqual(recorded);
    await expect(run({ bytes: written() }, replay)).rejects.toMatchObject({ code: 'BAD_RECORDING' });
    await expect(run({ bytes: image(), readOnly: true }, replay)).rejects.toMatchObject({ code: 'BAD_RECORDING' });
  });
});

it('several machines may have snapshots of one file at a time; a writer is refused meanwhile', async () => {
  const path = imageFile('shared');
  const make = (disk: DiskOptions) => Machine.create({ kernel: WRITES_AND_SPINS, memoryBytes: 4 * MiB, disks: [disk] });
  await using one = await make({ path, snapshot: true });
  await using other = await make({ path, snapshot: true });
  expect([one, other].length).toBe(2);
  await expect(make({ path })).rejects.toMatchObject({ code: 'BAD_DISK' });
  const both = [{ path, snapshot: true }, { path }];
  await expect(Machine.create({ kernel: WRITES_AND_SPINS, memoryBytes: 4 * MiB, disks: both })).rejects.toMatchObject({ code: 'BAD_DISK' });
});

it('a machine that cannot be made leaves its disks to others', async () => {
  const { device } = slow();
  const make = (signal?: AbortSignal) => Machine.create({ kernel: WRITES_AND_SPINS, memoryBytes: 4 * MiB, disks: [device], signal });
  await expect(make(AbortSignal.abort(new Error('no time')))).rejects.toThrow('no time');
  await expect(Machine.create({ kernel: new Uint8Array(64), disks: [device] })).rejects.toMatchObject({ code: 'BAD_KERNEL' });
  await (await make()).close();
});
