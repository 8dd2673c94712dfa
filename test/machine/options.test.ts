// Options of the API of the wrong type, misspelt or out of range: each is a DragomanError BAD_OPTION that names it, and no machine is made.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { checkOptions } from '../../src/api/check.ts';
import { DragomanError } from '../../src/api/errors.ts';
import type { MachineOptions } from '../../src/api/options.ts';
import { DiskFile } from '../../src/host/disk-file.ts';
import { Machine } from '../../src/machine/machine.ts';
import { CLI_HLT, kernel } from './programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What Machine.create says, as a program in plain JavaScript meets it. */
async function refusal(options: unknown): Promise<DragomanError> {
  try {
    (await Machine.create(options as MachineOptions)).stop('made');
  } catch (error) {
    expect(error).toBeInstanceOf(DragomanError);
    return error as DragomanError;
  }
  throw new Error(`accepted: ${JSON.stringify(options)}`);
}

const fn = () => {};
const NO_BYTES = ['text', 5, true, null, [1, 2], {}, new ArrayBuffer(8), new Uint16Array(4), fn];
const NO_TEXT = [5, true, null, ['x'], {}, fn, new Uint8Array(4)];
const NO_FLAG = ['true', 1, 0, null, {}, fn];
const NO_FUNCTION = ['log', true, 5, null, {}, []];
const NO_COUNT = ['4', true, null, [4], {}, fn, Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1.5, 1e12, 4n];
const WRONG: Record<keyof MachineOptions, readonly unknown[]> = {
  kernel: NO_BYTES,
  initrd: NO_BYTES,
  bios: NO_BYTES,
  append: NO_TEXT,
  kernelName: NO_TEXT,
  modules: [
    'x',
    {},
    5,
    null,
    [5],
    [{}],
    [{ data: new Uint8Array(1) }],
    [{ data: 'x', string: 'x' }],
    [{ data: new Uint8Array(1), string: 5 }],
  ],
  cpus: [...NO_COUNT, 65],
  strictOrder: NO_FLAG,
  lockstep: [
    true,
    'x',
    5,
    null,
    [],
    fn,
    { seed: '1' },
    { seed: 1.5 },
    { seed: null },
    { paced: 1 },
    { onRecord: 'x' },
    { replay: 5 },
    { sead: 1 },
  ],
  timerSlackMs: ['5', true, null, [], {}, fn, Number.NaN, -1, 1001],
  memoryBytes: [...NO_COUNT, 1 << 20, (64 << 20) + 1],
  disks: [
    'x',
    {},
    5,
    null,
    ['x'],
    [null],
    [{}],
    [{ path: 5 }],
    [{ path: '' }],
    [{ path: 'a\0' }],
    [{ path: 'x', readOnly: 'yes' }],
    Array(9).fill({ path: 'x' }),
  ],
  net: [
    true,
    'loopback',
    5,
    null,
    [],
    fn,
    {},
    { onFrame: 'x' },
    { onFrame: fn, connect: 5 },
    { onFrame: fn, mac: 5 },
    { onFrame: fn, mac: 'x' },
  ],
  engine: ['JIT', '', 5, null, {}, fn],
  debugExitPort: ['0xf4', true, null, {}, Number.NaN, -1, 1.5, 0x10000],
  testDevice: NO_FLAG,
  countInstructions: NO_FLAG,
  onConsole: NO_FUNCTION,
  onVirtioConsole: NO_FUNCTION,
  onDebugConsole: NO_FUNCTION,
  onPost: NO_FUNCTION,
  onTrace: NO_FUNCTION,
};
/** Where the range is asked for, an option has a shorter name. */
const NAMES: Record<string, string> = { memoryBytes: 'memory' };

describe('Machine.create refuses', () => {
  const image = kernel(CLI_HLT);
  it.each(Object.entries(WRONG))('%s of the wrong kind', async (name, values) => {
    for (const value of values) {
      const error = await refusal({ ...(name === 'bios' ? {} : { kernel: image }), [name]: value });
      expect([error.code, error.where]).toEqual(['BAD_OPTION', expect.stringMatching(new RegExp(`^${NAMES[name] ?? name}`))]);
    }
  });

  it('what are no options, and names that there are not', async () => {
    for (const options of [undefined, null, 'kernel', 5, fn]) expect(await refusal(options)).toMatchObject({ code: 'BAD_OPTION' });
    expect(await refusal({ kernel: image, memory: 64 })).toMatchObject({ code: 'BAD_OPTION', where: 'memory', message: /no such option/ });
    expect(await refusal({ kernel: image, bios: image })).toMatchObject({ code: 'BAD_OPTION', where: 'bios' });
    expect(await refusal({})).toMatchObject({ code: 'BAD_OPTION', where: 'kernel' });
  });

  it('nothing that is right: bytes of another realm, undefined, a back end with more to it', () => {
    const other = runInNewContext('new Uint8Array(8)');
    expect(() => checkOptions({ kernel: other, initrd: undefined, net: { onFrame: fn, connect: undefined, more: 1 } })).not.toThrow();
  });

  it('without keeping disks', async () => {
    const path = join(folder, 'disk');
    writeFileSync(path, new Uint8Array(512));
    expect(await refusal({ kernel: new Uint8Array(64), disks: [{ path }] })).toMatchObject({ code: 'BAD_KERNEL' });
    new DiskFile(path).close();
  });

  it('what is typed where it is no bytes', async () => {
    const machine = await Machine.create({ kernel: image, memoryBytes: 16 << 20, onVirtioConsole: fn });
    for (const bytes of NO_BYTES) {
      for (const method of ['sendInput', 'sendVirtioConsole'] as const)
        expect(() => machine[method](bytes as Uint8Array)).toThrow(expect.objectContaining({ code: 'BAD_OPTION', where: method }));
    }
    machine.stop('done');
  });
});
