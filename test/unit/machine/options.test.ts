// Options of the API of the wrong type, misspelt or out of range: each is a DragomanError BAD_OPTION that names it, and no machine is made.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { CLIENTS } from '../../../src/api/client-names.ts';
import { DragomanError } from '../../../src/api/errors.ts';
import type { MachineOptions } from '../../../src/api/options.ts';
import { readOptions } from '../../../src/api/schema.ts';
import { DiskFile } from '../../../src/host/disk-file.ts';
import { Machine } from '../../../src/machine/machine.ts';
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
/** As a place it may be read. */
const NO_SOURCE = [5, true, null, [1, 2], {}, new SharedArrayBuffer(8), new Uint16Array(4), fn];
const NO_TEXT = [5, true, null, ['x'], {}, fn, new Uint8Array(4)];
const NO_FLAG = ['true', 1, 0, null, {}, fn];
const NO_FUNCTION = ['log', true, 5, null, {}, []];
const NO_COUNT = ['4', true, null, [4], {}, fn, Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1.5, 1e12, 4n];
const WRONG: Record<keyof MachineOptions, readonly unknown[]> = {
  kernel: NO_SOURCE,
  initrd: NO_SOURCE,
  bios: NO_SOURCE,
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
    [{ data: 5, string: 'x' }],
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
    { seed: -1 },
    { seed: 2 ** 32 },
    { seed: null },
    { paced: 1 },
    { onRecord: 'x' },
    { replay: 5 },
    { sead: 1 },
    { onRecord: fn, replay: '' },
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
    [{ path: 'x', snapshot: 1 }],
    [{ path: 'x', bytes: new Uint8Array(512) }],
    [{ bytes: 'x' }],
    [{ bytes: [1, 2] }],
    [{ bytes: new Blob() }],
    [{ blob: new Uint8Array(512) }],
    [{ read: 'x', sectors: 1 }],
    [{ read: fn }],
    [{ read: fn, sectors: 1, flush: true }],
    [{ read: fn, sectors: 1.5 }],
    Array(9).fill({ path: 'x' }),
  ],
  shares: [
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
    [{ path: 'x', ro: true }],
    [{ path: 'x', tag: '' }],
    [{ path: 'x', tag: 5 }],
    [{ path: 'x', tag: 'a b' }],
    [{ path: 'x', tag: 'a,b' }],
    [{ path: 'x', tag: 't'.repeat(32) }],
    [{ path: 'x' }, { path: 'y' }],
    [{ path: 'x' }, { path: 'y', tag: 'share' }],
    Array.from({ length: 9 }, (_, n) => ({ path: 'x', tag: `${n}` })),
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
    { onFrame: fn, open: 5 },
    { onFrame: fn, close: 'x' },
    { onFrame: fn, mac: 5 },
    { onFrame: fn, mac: 'x' },
  ],
  engine: ['JIT', '', 5, null, {}, fn],
  encoder: ['Binaryen', 'wabt', '', 5, null, {}, fn],
  maxRegions: ['64', null, {}, Number.NaN, 0, 31, 64.5, 65537],
  codeCache: [...NO_TEXT, '', 'a\0'],
  mode: ['Relaxed', 'off', '', 5, null, {}, fn],
  relax: ['all', 5, null, {}, fn, ['everything'], [5], ['direct map'], ['-all']],
  debugExitPort: ['0xf4', true, null, {}, Number.NaN, -1, 1.5, 0x10000],
  testDevice: NO_FLAG,
  virtioConsole: NO_FLAG,
  signal: [true, 'x', 5, null, {}, fn, new AbortController()],
  paused: NO_FLAG,
  countInstructions: NO_FLAG,
  clients: [
    'prof',
    5,
    true,
    null,
    {},
    fn,
    [5],
    ['proof'],
    ['prof:'],
    ['prof:from'],
    ['prof:from='],
    ['prof:to=x'],
    ['prof', 'prof:from=x'],
    ['prof:from=a,from=b'],
    ['flame:hz=0'],
    ['flame:hz=20000'],
    ['flame:format=svg'],
    ['flame:level=3'],
    ['flame:idle=no'],
  ],
  onConsole: NO_FUNCTION,
  onVirtioConsole: NO_FUNCTION,
  onDebugConsole: NO_FUNCTION,
  onPost: NO_FUNCTION,
  onTrace: NO_FUNCTION,
  traceFilter: [
    5,
    'cpu=1',
    true,
    null,
    [],
    fn,
    ...[...NO_COUNT, 'x'].map((count) => ({ count })),
    ...[null, [-1], [1.5], ['0'], [256], 1].map((cpus) => ({ cpus })),
    ...[null, 'x', [null], [''], [-1], [2 ** 32], [{ from: 1 }], [{ to: 1 }], [{}], Array(17).fill(1)].map((addresses) => ({ addresses })),
    ...[null, 'blocks', [1], ['block']].map((only) => ({ only })),
    ...[null, '', 0, -1, 1.5, [1]].map((from) => ({ from })),
    { names: 'yes' },
  ],
  perfMap: NO_FLAG,
  onLoading: NO_FUNCTION,
  symbols: [...NO_TEXT, '', 'no symbols', 'c1000000 D data_only', '00000000 T hidden'],
};

describe('Machine.create refuses', () => {
  const image = kernel(CLI_HLT);
  it.each(Object.entries(WRONG))('%s of the wrong kind', async (name, values) => {
    for (const value of values) {
      const error = await refusal({ ...(name === 'bios' ? {} : { kernel: image }), [name]: value });
      expect([error.code, error.where]).toEqual(['BAD_OPTION', expect.stringMatching(new RegExp(`^${name}\\b`))]);
    }
  });

  it('what are no options', async () => {
    for (const options of [undefined, null, 'kernel', 5, fn])
      expect(await refusal(options)).toMatchObject({ code: 'BAD_OPTION', where: 'options', message: /is not an object with kernel, / });
  });

  // As the user reads them: each names the option and what is allowed.
  it.each([
    [{ engine: 'JIT' }, "engine: 'JIT' is not one of 'jit' and 'interpreter'; is 'jit' meant?"],
    [{ encoder: 'binarien' }, "encoder: 'binarien' is not one of 'binaryen' and 'direct'; is 'binaryen' meant?"],
    [{ engine: 'fast' }, "engine: 'fast' is not one of 'jit' and 'interpreter'"],
    [{ lockstep: true }, 'lockstep: true is not an object with seed, paced, onRecord, replay, reverse'],
    [{ lockstep: { sead: 1 } }, "lockstep.sead: there is no such option; is 'seed' meant?"],
    [{ lockstep: { turns: 1 } }, 'lockstep.turns: there is no such option; there are seed, paced, onRecord, replay, reverse'],
    [{ codeCache: true }, 'codeCache: true is not the path of a folder'],
    [{ cpus: '2' }, "cpus: '2' is not a number of CPUs (1 to 64)"],
    [{ kernel: [1] }, 'kernel: an array is not a Uint8Array, an ArrayBuffer, a Blob, a URL or a path'],
    [{ memory: 64 }, "memory: there is no such option; is 'memoryBytes' meant?"],
    [{ Initrd: 5 }, "Initrd: there is no such option; is 'initrd' meant?"],
    [{ memoryBytes: 64 }, 'memoryBytes: 64 is not a size of memory (2M to 1'],
    [{ disks: [{}] }, 'disks[0]: an object (Object) is not an object with path, bytes, blob, or read and sectors'],
    [{ disks: [{ path: 'x', ro: true }] }, 'disks[0].ro: there is no such option; there are path, readOnly, snapshot, format'],
    [{ disks: [{ path: 'x', format: 'qcow2' }] }, "disks[0].format: 'qcow2' is not one of 'raw'"],
    [
      { shares: [{ path: 'x', tag: 'a,b' }] },
      "shares[0].tag: 'a,b' is not a tag of 1 to 31 printable characters without commas and spaces",
    ],
    [{ shares: [{ path: 'x' }, { path: 'x' }] }, "shares: the tag 'share' is there twice: each share needs its own"],
    [{ debugExitPort: 65536 }, 'debugExitPort: 65536 is not an I/O port (0 to 0xffff)'],
    [{ clients: ['prog'] }, "clients[0]: there is no client 'prog'; is 'prof' meant?"],
    [
      { clients: ['heap'] },
      `clients[0]: there is no client 'heap'; there are ${Object.keys(CLIENTS).join(', ')}, and a path is one of your own`,
    ],
    [{ clients: ['flame:hz=fast'] }, "clients[0]: hz: 'fast' is not a number of samples a second (1 to 10000)"],
    [{ clients: ['flame:format=svg'] }, "clients[0]: format: 'svg' is not one of 'speedscope' and 'pprof' and 'folded'"],
    [{ clients: ['prof:since=x'] }, "clients[0]: the client prof has no option 'since'; there are from, until"],
    [{ clients: ['prof', 'prof'] }, 'clients: the client prof is there twice'],
    [{ timerSlackMs: 1001 }, 'timerSlackMs: 1001 is not a number of milliseconds (0 to 1000)'],
    [{ bios: image }, 'bios: a ROM starts instead of a kernel: give one of them'],
    [{ kernel: undefined }, 'kernel: is missing: give it, or bios'],
    [{ kernel: undefined, bios: image, initrd: image }, 'initrd: is for a kernel, and none is given'],
    [{ kernel: undefined, bios: image, modules: [{ data: image, string: '' }] }, 'modules: is for a kernel, and none is given'],
  ])('%o', async (options, message) => {
    const error = await refusal({ kernel: image, ...options });
    expect([error.code, error.message.slice(0, message.length)]).toEqual(['BAD_OPTION', message]);
    if (!message.includes('2M to')) expect(error.message).toBe(message);
  });

  it('nothing that is right: bytes of another realm, undefined, a back end with more to it', () => {
    const other = runInNewContext('new Uint8Array(8)');
    const net = { onFrame: fn, connect: undefined, more: 1 };
    expect(readOptions({ kernel: other, initrd: undefined, net })).toMatchObject({
      kernel: other,
      cpus: 1,
      engine: 'jit',
      memoryBytes: 256 << 20,
    });
    expect(readOptions({ kernel: other, net }).net).toBe(net);
    expect(readOptions({ kernel: other, cpus: 4 }).timerSlackMs).toBe(100);
  });

  it('no ArrayBuffer: it is taken as its bytes', async () => {
    const buffer = new Uint8Array(image).buffer;
    const machine = await Machine.create({ kernel: buffer, memoryBytes: 16 << 20, engine: 'interpreter' });
    const same = await Machine.create({ kernel: image, memoryBytes: 16 << 20, engine: 'interpreter' });
    expect(machine.memoryHash()).toBe(same.memoryHash());
    expect(await machine.run()).toEqual({ kind: 'halted' });
    same.stop('made');
  });

  it('without keeping disks', async () => {
    const path = join(folder, 'disk');
    writeFileSync(path, new Uint8Array(512));
    expect(await refusal({ kernel: new Uint8Array(64), disks: [{ path }] })).toMatchObject({ code: 'BAD_KERNEL' });
    new DiskFile(path).close();
  });

  it('what is typed where it is no bytes', async () => {
    const machine = await Machine.create({ kernel: image, memoryBytes: 16 << 20, onVirtioConsole: fn });
    for (const bytes of [...NO_SOURCE, 'text']) {
      for (const method of ['sendInput', 'sendVirtioConsole'] as const)
        expect(() => machine[method](bytes as Uint8Array)).toThrow(expect.objectContaining({ code: 'BAD_OPTION', where: method }));
    }
    machine.stop('done');
  });
});
