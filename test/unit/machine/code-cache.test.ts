// Translated code that is kept from run to run: what is found, what is dropped, and that a guest does the same with it, without it, and with a damaged one.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { Machine, type MachineOptions, type MachineStats, MiB } from '../../../src/api/index.ts';
import { CodeCache, type KeptRegion } from '../../../src/cache/code-cache.ts';
import { holds, imageOf } from '../../../src/cache/code-image.ts';
import { FileCache } from '../../../src/host/file-cache.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { KEPT_PAGES, PAGE } from '../../../src/layout/memory.ts';

const LONG = process.env.DRAGOMAN_LONG_TESTS === '1';
const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
let folders = 0;
const newFolder = () => join(folder, String(folders++));

const KEY = '0123456789abcdef'.repeat(4);
const START = 0xc1234000;
const page = Uint8Array.from({ length: PAGE }, (_, k) => k & 0xff);
const region = (offset: number, more: Partial<KeptRegion> = {}): KeptRegion => ({
  start: START,
  offset,
  mode: 5,
  demands: 'these,true',
  image: imageOf(
    () => page,
    [
      [offset, offset + 20],
      [offset + 40, offset + 50],
    ],
  ),
  moved: [],
  inner: [offset + 5, offset + 40],
  facts: [1, 12, 3, -0x1000],
  code: {
    code: Uint8Array.of(1, 2, 3, offset & 0xff),
    calls: ['runtime.a', 'code.b'],
    relocations: [1, 0, 2, -1, 3, -9],
    hints: [2],
    fixed: true,
  },
  ...more,
});

/** A cache over a folder, as a run has it. */
function open(at: string, key = KEY) {
  const files = new FileCache(at, (error) => {
    throw error;
  });
  const cache = new CodeCache(files, key);
  const find = (offset: number, now = page, mode = 5, demands = 'these,true', start = START) =>
    cache.find(start, offset, mode, demands, (image) => holds(now, 0, image));
  return { cache, find };
}
const fileOf = (at: string, key = KEY) => join(at, `${key.slice(0, 32)}.pack`);

function filled(offsets = [0x10, 0x200, 0x333]): string {
  const at = newFolder();
  const { cache } = open(at);
  for (const offset of offsets) cache.add(region(offset));
  cache.save();
  return at;
}

describe('a pack', () => {
  it('gives back what was put in, where memory holds what it was made from', () => {
    const at = newFolder();
    const first = open(at);
    for (const offset of [0x10, 0x200]) first.cache.add(region(offset));
    expect(first.find(0x10)).toEqual(region(0x10));
    expect(first.cache.news).toBe(1);
    first.cache.save();
    expect(first.cache.news).toBe(0);
    const { cache, find } = open(at);
    expect([find(0x10), find(0x200), find(0x20)]).toEqual([region(0x10), region(0x200), undefined]);
    expect(cache.onPage(START, 5, 'these,true', (image) => holds(page, 0, image)).map(({ offset }) => offset)).toEqual([0x10, 0x200]);
    // Of another mode, another demand, another page.
    expect([find(0x10, page, 4), find(0x10, page, 5, 'others,true'), find(0x10, page, 5, 'these,true', START + PAGE)]).toEqual(
      Array(3).fill(undefined),
    );
  });

  it('gives nothing for a page that differs by one byte of the code', () => {
    const { find, cache } = open(filled());
    for (const at of [0x10, 0x10 + 19, 0x10 + 40, 0x10 + 49]) {
      const other = page.slice();
      other[at]! ^= 0x10;
      expect([at, find(0x10, other)]).toEqual([at, undefined]);
      expect(cache.onPage(START, 5, 'these,true', (image) => holds(other, 0, image)).length).toBe(2);
    }
    // Between the pieces there is none of its code.
    const beside = page.slice();
    beside[0x10 + 20]! ^= 1;
    expect(find(0x10, beside)).toEqual(region(0x10));
  });

  it('keeps the code of both of two pages that were at one place', () => {
    const at = filled([0x10]);
    const other = page.map((byte) => byte ^ 0xff);
    const first = open(at);
    first.cache.add(region(0x10, { image: imageOf(() => other, [[0x10, 0x20]]), inner: [1] }));
    first.cache.save();
    const { find } = open(at);
    expect([find(0x10)?.inner, find(0x10, other)?.inner]).toEqual([[0x15, 0x38], [1]]);
  });

  const offsets = [0x10, 0x200, 0x333];
  const size = readFileSync(fileOf(filled(offsets))).length;
  it.each([0, 1, 15, 16, 40, 47, 48, 60, Math.floor(size / 2), size - 1])(
    'cut off behind %i bytes gives what is whole, and is mended',
    (length) => {
      const at = filled(offsets);
      writeFileSync(fileOf(at), readFileSync(fileOf(at)).subarray(0, length));
      const { cache, find } = open(at);
      const found = offsets.map((offset) => find(offset));
      found.forEach((x, k) => expect([undefined, region(offsets[k]!)]).toContainEqual(x));
      expect(found.at(-1)).toBe(undefined);
      expect(cache.news).toBe(length === 48 ? 0 : 1);
      for (const offset of offsets) cache.add(region(offset));
      cache.save();
      expect(readFileSync(fileOf(at)).length).toBe(size);
      expect(offsets.map((offset) => open(at).find(offset))).toEqual(offsets.map((offset) => region(offset)));
    },
  );

  it('with any bit the other way gives nothing that is not as it was written', () => {
    const at = filled(offsets);
    const whole = readFileSync(fileOf(at));
    let lost = 0;
    for (let byte = 0; byte < size; byte++) {
      const bad = Uint8Array.from(whole);
      bad[byte]! ^= 1 << (byte & 7);
      writeFileSync(fileOf(at), bad);
      const { find, cache } = open(at);
      const found = offsets.map((offset) => find(offset));
      found.forEach((x, k) => expect([undefined, region(offsets[k]!)]).toContainEqual(x));
      cache.onPage(START, 5, 'these,true', () => true).forEach((x) => expect(x).toEqual(region(x.offset)));
      if (found.includes(undefined)) lost++;
    }
    // No bit is of no use.
    expect(lost).toBe(size);
  });

  it('of another engine, or another guest, is none', () => {
    const at = filled();
    const other = KEY.replace('0', '1');
    expect(open(at, other).find(0x10)).toBe(undefined);
    // Under the other's name as well, and with the other's key at its start: each record belongs to its key.
    writeFileSync(fileOf(at, other), readFileSync(fileOf(at)));
    expect(open(at, other).find(0x10)).toBe(undefined);
    const forged = Uint8Array.from(readFileSync(fileOf(at)));
    forged.set(Buffer.from(other, 'hex'), 16);
    writeFileSync(fileOf(at, other), forged);
    expect(open(at, other).find(0x10)).toBe(undefined);
  });

  it('has what two runs at once have made', () => {
    const at = filled([0x10]);
    const [one, two] = [open(at), open(at)];
    one.cache.add(region(0x200));
    two.cache.add(region(0x333));
    one.cache.save();
    two.cache.save();
    const { find } = open(at);
    expect([0x10, 0x200, 0x333].map((offset) => find(offset))).toEqual([0x10, 0x200, 0x333].map((offset) => region(offset)));
    expect(readFileSync(fileOf(at)).length).toBe(size);
  });

  it('says which pages something is kept of, wherever their kernel is', () => {
    const at = newFolder();
    const first = open(at);
    for (const start of [START, 0x8048000, 0x12345]) first.cache.add(region(0x10, { start }));
    first.cache.save();
    const bits = new Int32Array(KEPT_PAGES / 32).fill(-1);
    open(at).cache.markPages(bits);
    const set = [...bits.keys()].flatMap((word) =>
      [...Array(32).keys()].filter((bit) => (bits[word]! >> bit) & 1).map((bit) => word * 32 + bit),
    );
    expect(set).toEqual([0x12, 0x13, 0x48, 0x234]);
    open(newFolder()).cache.markPages(bits);
    expect(bits.every((word) => word === 0)).toBe(true);
  });

  it('is bounded: what no run used goes first', () => {
    const at = newFolder();
    const big = (offset: number) =>
      region(offset, { code: { code: new Uint8Array(40 << 20), calls: [], relocations: [], hints: [], fixed: true } });
    const first = open(at);
    first.cache.add(big(0x10));
    first.cache.save();
    const second = open(at);
    second.cache.add(big(0x200));
    second.cache.save();
    const { find } = open(at);
    expect([find(0x10) === undefined, find(0x200) === undefined]).toEqual([true, false]);
  });
});

describe('code of a kernel that moves', () => {
  const AT = [0xc3234000, 0xc5234000, 0xd9234000] as const;
  const OFFSETS = [0x10, 0x200];
  /** The page at a place: two bytes of the first region are parts of addresses. */
  const pageAt = (start: number) => {
    const bytes = page.slice();
    bytes[0x18] = start >>> 24;
    bytes[0x39] = (start >>> 24) + 1;
    return bytes;
  };
  const made = (start: number, offset: number, more: Partial<KeptRegion> = {}): KeptRegion => ({
    ...region(offset),
    start,
    mode: Mode.CODE32 | Mode.FLAT,
    image: imageOf(
      () => pageAt(start),
      [
        [offset, offset + 20],
        [offset + 40, offset + 50],
      ],
    ),
    moved: offset === 0x10 ? [8, 21] : [],
    code: { ...region(offset).code, fixed: false },
    ...more,
  });
  const found = ({ cache }: ReturnType<typeof open>, start: number, now = pageAt(start), mode = Mode.CODE32 | Mode.FLAT) =>
    cache
      .onPage(start, mode, 'these,true', (image) => holds(now, 0, image))
      .map(({ offset, start: at, image }) => [offset, at, holds(now, 0, image)]);
  /** Runs of a kernel, at places. */
  const kept = (...runs: readonly (readonly KeptRegion[])[]) => {
    const at = newFolder();
    for (const regions of runs) {
      const { cache } = open(at);
      for (const x of regions) cache.add(x);
      cache.save();
    }
    return open(at);
  };
  const run = (start: number, more: Partial<KeptRegion> = {}) => OFFSETS.map((offset) => made(start, offset, more));

  it('is found at a third place when it was the same at two', () => {
    const one = kept(run(AT[0]));
    expect([found(one, AT[0]).length, found(one, AT[1]), found(one, AT[2])]).toEqual([2, [], []]);
    const two = kept(run(AT[0]), run(AT[1]));
    for (const start of AT) expect(found(two, start)).toEqual(OFFSETS.map((offset) => [offset, start, true]));
    // It is kept once.
    expect([two.cache.regions, one.cache.regions]).toEqual([2, 2]);
  });

  it('is not where its bytes are others, or moved otherwise', () => {
    const two = kept(run(AT[0]), run(AT[1]));
    const half = pageAt(AT[2]);
    half[0x18] = AT[0] >>> 24;
    expect(found(two, AT[2], half)).toEqual([[0x200, AT[2], true]]);
    // Not by a multiple of 16 MiB, to user code, or to a low address.
    expect(found(two, AT[2] + PAGE, pageAt(AT[2]))).toEqual([]);
    expect(found(two, AT[2], pageAt(AT[2]), Mode.CODE32 | Mode.FLAT | Mode.USER)).toEqual([]);
    expect(found(two, 0x43234000, pageAt(0x43234000))).toEqual([]);
  });

  it.each([
    ['its code', { code: { ...region(0x10).code, code: Uint8Array.of(9), fixed: false } }],
    ['a relocation', { code: { ...region(0x10).code, relocations: [1, 0, 3], fixed: false } }],
    ['a hint', { code: { ...region(0x10).code, hints: [], fixed: false } }],
    ['a call', { code: { ...region(0x10).code, calls: [], fixed: false } }],
    ['what is inside', { inner: [] }],
    ['what moves', { moved: [1] }],
    ['the word that it is fixed', { code: { ...region(0x10).code, fixed: true } }],
  ] satisfies [string, Partial<KeptRegion>][])('is not where %s differs between the two places', (_name, more) => {
    const two = kept([made(AT[0], 0x10)], [made(AT[1], 0x10, more)]);
    expect([found(two, AT[0]).length, found(two, AT[1]).length, found(two, AT[2])]).toEqual([1, 1, []]);
  });
});

interface Run {
  readonly text: string;
  readonly end: string;
  readonly translator: MachineStats['translator'];
}
async function serai(codeCache: string | undefined, options: Partial<MachineOptions> = {}): Promise<Run> {
  let text = '';
  const machine = await Machine.create({
    kernel: readFileSync(SERAI),
    memoryBytes: 64 * MiB,
    // The same work in each run, and time for its last translations.
    append: 'run="primes 500000; parallel call-sysenter 200000 1; sleep 1; halt"',
    codeCache,
    onConsole: (bytes) => void (text += Buffer.from(bytes).toString('latin1')),
    ...options,
  });
  const { kind } = await machine.run();
  // Its first line measures the clocks.
  const said = text.slice(text.indexOf('\n')).replace(/[\d.]+ m?s/g, '');
  return { text: said, end: kind, translator: machine.stats().translator };
}
const packsIn = (at: string) => readdirSync(at).filter((name) => name.endsWith('.pack'));

describe('a machine', { timeout: 120_000 }, () => {
  const at = newFolder();
  let cold: Run;
  let whole: Buffer;

  it('does the same when it starts hot, with fewer translations', async () => {
    const without = await serai(undefined);
    cold = await serai(at);
    expect([without.end, cold.end]).toEqual(['power-off', 'power-off']);
    expect(cold.text).toBe(without.text);
    expect(without.translator).toMatchObject({ cacheHits: 0, cacheMisses: 0 });
    expect(cold.translator.cacheMisses).toBe(cold.translator.regions);
    expect(cold.translator.regions).toBeGreaterThan(3);
    expect(packsIn(at).length).toBe(1);
    whole = readFileSync(join(at, packsIn(at)[0]!));
    const hot = await serai(at);
    expect([hot.text, hot.end]).toEqual([cold.text, cold.end]);
    expect(hot.translator.cacheHits).toBeGreaterThan(3);
    expect(hot.translator.regions).toBeLessThan(cold.translator.regions);
    expect(packsIn(at).length).toBe(1);
  });

  // Each way of damage by itself: above. What a machine makes of a pack that is dropped is the same for all.
  const damages: [string, () => Buffer][] = [
    ['full of flipped bits', () => Buffer.from(whole.map((byte, k) => (k > 60 && k % 997 === 0 ? byte ^ 4 : byte)))],
    ['of another version', () => Buffer.concat([Buffer.from('dragoman code 0\n'), whole.subarray(16)])],
  ];
  it.each(LONG ? damages : damages.slice(0, 1))('does the same where the pack is %s, and mends it', async (_name, damaged) => {
    const place = join(at, packsIn(at)[0]!);
    writeFileSync(place, damaged());
    const run = await serai(at);
    expect([run.text, run.end, run.translator.failed]).toEqual([cold.text, cold.end, 0]);
    expect(run.translator.cacheMisses).toBeGreaterThan(0);
    expect((await serai(at)).translator.cacheHits).toBeGreaterThan(3);
  });

  it('shares a folder with another one at the same time', async () => {
    const both = newFolder();
    const runs = [...(await Promise.all([serai(both), serai(both)])), ...(await Promise.all([serai(both), serai(both)]))];
    expect(runs.map(({ text, end }) => [text, end])).toEqual(Array(4).fill([cold.text, cold.end]));
    for (const { translator } of runs.slice(2)) expect(translator.cacheHits).toBeGreaterThan(3);
    expect(readdirSync(both).length).toBe(1);
  });

  it('with other CPUs, relaxations or counts has code of its own', async () => {
    const all: Partial<MachineOptions>[] = [{ clients: ['prof'] }, { cpus: 2 }, { countInstructions: true }];
    for (const options of LONG ? all : all.slice(0, 1)) {
      const first = await serai(at, options);
      const second = await serai(at, options);
      expect([first.end, second.end]).toEqual([cold.end, cold.end]);
      expect(first.translator.regions).toBeGreaterThan(3);
      expect(second.translator.cacheHits).toBeGreaterThan(first.translator.cacheHits);
    }
  });

  it.each([
    ['in lockstep', { lockstep: { paced: false } }],
    ['with a trace', { onTrace: () => {}, append: 'run="halt"' }],
    ['with the interpreter alone', { engine: 'interpreter', append: 'run="halt"' }],
    ...(LONG ? [['with names for profilers', { perfMap: true }] as const] : []),
  ] satisfies (readonly [string, Partial<MachineOptions>])[])('keeps nothing %s', async (_name, options) => {
    const none = newFolder();
    const { end, translator } = await serai(none, options);
    expect([end, translator.cacheHits, translator.cacheMisses]).toEqual(['power-off', 0, 0]);
    expect(() => readdirSync(none)).toThrow('ENOENT');
  });

  it('runs where its folder cannot be made, and has nothing then', async () => {
    const file = newFolder();
    writeFileSync(file, '');
    const { end, text, translator } = await serai(join(file, 'deeper'));
    expect([end, text, translator.cacheHits]).toEqual([cold.end, cold.text, 0]);
  });
});
