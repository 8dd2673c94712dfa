// Which requests the translator makes regions for.
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { CodeCache } from '../../../src/cache/code-cache.ts';
import { CodeKeeper } from '../../../src/cache/code-keeper.ts';
import { type LoggedRegion, RegionLogReader } from '../../../src/cache/region-log.ts';
import type { Request } from '../../../src/cache/request.ts';
import { COPIES, Translator } from '../../../src/cache/translator.ts';
import { createMemory } from '../../../src/cpu/state.ts';
import { takeApart } from '../../../src/emit/module/relocation.ts';
import type { KeptFiles } from '../../../src/host/host.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { CONTROL, Control, PAGE, PAGE_HAS_CODE, PAGE_SHIFT, PageMeta, planMemory, RAM, Relax } from '../../../src/layout/memory.ts';
import { LIFTS } from '../../../src/lift/index.ts';
import type { Lift } from '../../../src/lift/lifter.ts';

const RAM_BYTES = 2 << 20;
const PAGE_NUMBER = 3;
const PHYS = (PAGE_NUMBER << PAGE_SHIFT) + 0x20;
/** INC EAX, RET: code of a page that every process has at another address. */
const CODE = [0x40, 0xc3];

function parts(cpuCount: number) {
  const shared = createMemory(planMemory(cpuCount, RAM_BYTES));
  const { i32, u8, plan } = shared;
  const meta = (number: number, field: number) => (plan.pageMeta + number * PageMeta.size + field) >> 2;
  /** A page of code. */
  const page = (number: number, code: readonly number[], offset = 0) => {
    i32[meta(number, PageMeta.at.flags)] = PAGE_HAS_CODE;
    u8.set(code, RAM + (number << PAGE_SHIFT) + offset);
  };
  return { shared, meta, page, translator: new Translator(shared, 1) };
}

function translator(cpuCount: number) {
  const { shared, meta, page, translator } = parts(cpuCount);
  page(PAGE_NUMBER, CODE, PHYS & (PAGE - 1));
  const request = (process: number): Request => ({
    phys: PHYS,
    eip: (0xb7f00020 + (process << PAGE_SHIFT)) >>> 0,
    mode: Mode.CODE32 | Mode.FLAT | Mode.USER,
  });
  return {
    /** The code is hot in a process. Whether it is translated. */
    asks: (process: number) => translator.translate([request(process)]) !== undefined,
    /** Somebody stored to the page. */
    changed: () => void shared.i32[meta(PAGE_NUMBER, PageMeta.at.version)]!++,
    slotOf: (process: number) => translator.slotOf(request(process).phys, request(process).eip, request(process).mode),
  };
}
const processes = (count: number) => Array.from({ length: count }, (_, k) => k);

it('code at a few addresses has a region for each', () => {
  const { asks } = translator(2);
  expect(processes(COPIES).map(asks)).toEqual(processes(COPIES).map(() => true));
});

it('code at one address more has to be asked for once more than there are CPUs, and takes no slot until then', () => {
  const { asks, slotOf } = translator(2);
  processes(COPIES).map(asks);
  const next = slotOf(1000) + 1;
  for (const process of [100, 101]) expect([asks(process), asks(process)]).toEqual([false, false]);
  expect(slotOf(1001)).toBe(next);
  expect(asks(100)).toBe(true);
});

it('with as many regions as there may be there is no room until all slots are given back, which are those of before then', () => {
  const { shared, page, translator } = parts(1);
  shared.i32[(CONTROL + Control.at.mostRegions) >> 2] = 64;
  const request = (number: number): Request => ({ phys: number << PAGE_SHIFT, eip: number << PAGE_SHIFT, mode: KERNEL });
  const slots: number[] = [];
  let number = 1;
  for (; translator.hasRoom; number++) {
    page(number, CODE);
    slots.push(translator.translate([request(number)])!.entries[0]!.slot);
  }
  expect([slots.length, new Set(slots).size, translator.translate([request(1)])]).toEqual([33, 33, undefined]);
  translator.giveBack();
  expect([translator.hasRoom, translator.translate([request(5)])!.entries[0]!.slot]).toEqual([true, slots[0]]);
  expect(shared.i32[(CONTROL + Control.at.statFlushes) >> 2]).toBe(1);
});

it('regions that rely on something else than is asked for are told from none, and go with the slots', () => {
  const { shared, page, translator } = parts(2);
  const relax = (bits: number) => void (shared.i32[(CONTROL + Control.at.relax) >> 2] = bits);
  const translate = (number: number) => {
    page(number, CODE);
    const request = { phys: number << PAGE_SHIFT, eip: number << PAGE_SHIFT, mode: KERNEL, cpu: 1 };
    return translator.byOwner([request]).every((list) => translator.translate(list) !== undefined);
  };
  const { CACHE, ENTRIES, HOLES, PRECISION, SEGMENTS, SHARED } = Relax;
  for (const [one, other] of [
    [SHARED | PRECISION | CACHE, SHARED | PRECISION],
    [SHARED, 0],
    [PRECISION, PRECISION | SHARED],
  ] as const) {
    relax(one);
    expect([translate(1), translator.isMixed]).toEqual([true, false]);
    relax(other);
    expect([translator.isMixed, translate(2), translator.isMixed]).toEqual([true, true, true]);
    // Those of the second page are there still.
    relax(one);
    expect(translator.isMixed).toBe(true);
    translator.giveBack();
    expect([translator.isMixed, translate(1), translator.isMixed]).toEqual([false, true, false]);
    // Nothing in the code depends on these.
    relax(one | HOLES | SEGMENTS | ENTRIES);
    expect(translator.isMixed).toBe(false);
    translator.giveBack();
  }
});

it('a region is made anew, without a stack to rely on, where that was refused, and stays so until the slots are given back', () => {
  const { shared, page, translator } = parts(1);
  shared.i32[(CONTROL + Control.at.relax) >> 2] = Relax.DIRECTMAP | Relax.SHARED | Relax.STACK;
  shared.i32[(CONTROL + Control.at.directOrigin) >> 2] = 0xc0100000 | 0;
  // PUSH EAX, POP EAX, RET
  page(1, [0x50, 0x58, 0xc3]);
  const request = { phys: 1 << PAGE_SHIFT, eip: 0xc0001000, mode: KERNEL, cpu: 0 };
  const other = { ...request, phys: request.phys + 2, eip: request.eip + 2 };
  const asks = (plain: boolean) => translator.byOwner([{ ...request, plain }]).map((list) => translator.translate(list)?.bytes.length)[0];
  const first = asks(false)!;
  expect(asks(false)).toBe(undefined);
  const plain = asks(true)!;
  expect(plain).toBeGreaterThan(first);
  expect([asks(true), asks(false)]).toEqual([undefined, undefined]);
  expect([translator.demandsFor(request).stack, translator.demandsFor(other).stack]).toEqual([false, true]);
  translator.giveBack();
  expect([asks(false), translator.demandsFor(request).stack]).toEqual([first, true]);
  // One that was hot on a stack elsewhere is not made twice.
  translator.giveBack();
  expect([asks(true), asks(false), asks(true)]).toEqual([plain, undefined, undefined]);
});

it('a region is for one CPU alone where code is not shared, and user code is in any case', () => {
  const { shared, page, translator } = parts(2);
  shared.i32[(CONTROL + Control.at.relax) >> 2] = 0;
  page(1, CODE);
  const hot = (mode: number) => [0, 1, 0].map((cpu) => ({ phys: 1 << PAGE_SHIFT, eip: 1 << PAGE_SHIFT, mode, cpu }));
  const made = (mode: number) => translator.byOwner(hot(mode)).map((list) => translator.translate(list));
  const kernel = made(KERNEL);
  expect(kernel.map((module) => module?.owner)).toEqual([0, 1]);
  const slots = kernel.map((module) => module!.entries.map(({ slot }) => slot));
  expect(slots.map(({ length }) => length)).toEqual([1, 1]);
  expect(slots[0]).not.toEqual(slots[1]);
  // Each has its own now.
  expect(made(KERNEL)).toEqual([undefined, undefined]);
  expect(made(KERNEL | Mode.USER).map((module) => [module?.owner, module?.entries.length])).toEqual([[undefined, 1]]);
});

it('code of a page that has changed is other code', () => {
  const { asks, changed } = translator(1);
  processes(COPIES).map(asks);
  expect(asks(100)).toBe(false);
  changed();
  expect(asks(101)).toBe(true);
});

it('code that goes on to change is translated less and less often, and as ever once it stands still', () => {
  const { asks, changed } = translator(1);
  const made: boolean[] = [];
  for (let k = 0; k < 40; k++) {
    made.push(asks(0));
    changed();
  }
  expect(made.slice(0, 12)).toEqual([true, true, true, true, true, false, true, false, false, true, false, false]);
  expect(made.filter(Boolean).length).toBeLessThan(10);
  let refused = 0;
  while (!asks(0)) refused++;
  expect(refused).toBeLessThan(64);
});

it('code that cannot be translated stays interpreted, and the rest of its module is made', () => {
  const { translator, page } = parts(1);
  // INC EAX, RET and, in the page behind it, SALC, RET.
  const salc = LIFTS.get('salc') as { lift: Lift };
  const { lift } = salc;
  page(PAGE_NUMBER, CODE);
  page(PAGE_NUMBER + 1, [0xd6, 0xc3]);
  const request = (number: number): Request => ({ phys: number << PAGE_SHIFT, eip: number << PAGE_SHIFT, mode: Mode.CODE32 | Mode.FLAT });
  salc.lift = () => {
    throw new Error('no SALC');
  };
  try {
    const errors: unknown[] = [];
    translator.onError = (error, { phys }) => errors.push([`${error}`, phys >>> PAGE_SHIFT]);
    const module = translator.translate([request(PAGE_NUMBER + 1), request(PAGE_NUMBER)])!;
    expect(module.entries.map(({ phys }) => phys >>> PAGE_SHIFT)).toEqual([PAGE_NUMBER]);
    expect(errors).toEqual([['Error: no SALC', PAGE_NUMBER + 1]]);
    expect(translator.failed).toBe(1);
    expect(WebAssembly.validate(module.bytes as Uint8Array<ArrayBuffer>)).toBe(true);
    expect(translator.translate([request(PAGE_NUMBER + 1)])).toBe(undefined);
    // Where nobody takes it, as in the tests' engine, it is thrown.
    translator.onError = undefined;
    expect(() => translator.translate([request(PAGE_NUMBER + 1)], true)).toThrow('no SALC');
  } finally {
    salc.lift = lift;
  }
});

const ORIGIN = 0xc0100000;
/** Pages of a kernel's direct map. */
const OWN = 0x110;
const CALLEES = 0x112;
/** A call of the page of callees, INC EAX, RET; INC EAX, RET. */
const CALLER = [0xe8, ...[0xfb, 0x1f, 0, 0], 0x40, 0xc3];
const CALLEE = CODE;
const KERNEL = Mode.CODE32 | Mode.FLAT;
const ALL = Relax.DIRECTMAP | Relax.CACHE | Relax.RETURNS | Relax.FRAMES;

/** A kernel with both, and what the region of its caller at `eip` is made from: offsets in pages. */
function directKernel(relax = ALL) {
  const made = parts(1);
  made.page(OWN, CALLER);
  made.page(CALLEES, CALLEE);
  made.shared.i32[(CONTROL + Control.at.relax) >> 2] = relax;
  made.shared.i32[(CONTROL + Control.at.directOrigin) >> 2] = ORIGIN | 0;
  const request: Request = { phys: OWN * PAGE, eip: (ORIGIN - (1 << 20) + OWN * PAGE) >>> 0, mode: KERNEL };
  return {
    ...made,
    request,
    ranges: (other: Partial<Request> = {}) => made.translator.translate([{ ...request, ...other }])!.entries[0]!.image.ranges,
  };
}
const BOTH = [0, 7, 0x2000, 0x2002];
const OWN_ONLY = [0, 7];

it('code of the direct map is made from callees of other pages as well', () => {
  expect(directKernel().ranges()).toEqual(BOTH);
});

it('a callee at the start of its page that is called twice is in the image once', () => {
  const { page, ranges } = directKernel();
  page(OWN, [...CALLER.slice(0, 5), 0xe8, ...[0xf6, 0x1f, 0, 0], 0xc3]);
  expect(ranges()).toEqual([0, 11, 0x2000, 0x2002]);
});

it.each([
  ['of a user', { mode: KERNEL | Mode.USER }],
  ['that is mapped elsewhere as well', { eip: 0xd0000000 }],
])('code %s is not', (_name, other) => {
  expect(directKernel().ranges(other)).toEqual(OWN_ONLY);
});

it('nor where callees were never run, nor where nothing may rely on it', () => {
  const { shared, meta, ranges } = directKernel();
  shared.i32[meta(CALLEES, PageMeta.at.flags)] = 0;
  expect(ranges()).toEqual(OWN_ONLY);
  for (const relax of [Relax.DIRECTMAP, Relax.CACHE]) expect(directKernel(ALL & ~relax).ranges()).toEqual(OWN_ONLY);
  // Not even what is behind the call.
  expect(directKernel(ALL & ~Relax.RETURNS).ranges()).toEqual([0, 5]);
});

it('code whose callee was written to is made anew', () => {
  const { shared, meta, translator, request } = directKernel();
  const made = () => translator.translate([request]) !== undefined;
  expect([made(), made()]).toEqual([true, false]);
  shared.i32[meta(CALLEES, PageMeta.at.version)]!++;
  expect([made(), made()]).toEqual([true, false]);
});

it('what is kept with callees of other pages is found where these are the same and as far away', () => {
  const files = memoryFiles();
  const keep = directKernel();
  const keeper = new CodeKeeper(keep.shared, keep.translator, new CodeCache(files, 'ab'.repeat(32)));
  expect(keep.ranges()).toEqual(BOTH);
  while (keeper.keepOne());
  keeper.codeCache.save();
  const found = (change: (run: ReturnType<typeof directKernel>) => Partial<Request> = () => ({})) => {
    const run = directKernel();
    const request = { ...run.request, ...change(run) };
    const { module } = new CodeKeeper(run.shared, run.translator, new CodeCache(files, 'ab'.repeat(32))).recall([request]);
    return module?.entries[0]?.image.ranges;
  };
  expect(found()).toEqual(BOTH);
  expect(
    found(({ page }) => {
      page(CALLEES, [0x48, 0xc3]);
      return {};
    }),
  ).toBe(undefined);
  // The same code once more, in the place of which the page of the request is mapped: its neighbours are not.
  expect(
    found(({ page }) => {
      page(OWN + 0x40, CALLER);
      page(CALLEES + 0x40, CALLEE);
      return { phys: (OWN + 0x40) * PAGE };
    }),
  ).toBe(undefined);
});

/** Files in memory. */
function memoryFiles(): KeptFiles {
  const files = new Map<string, Uint8Array>();
  return {
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    stamp: (name) => (files.has(name) ? String(files.get(name)!.length) : undefined),
    read: (name) => files.get(name),
    write: (name, parts) => void files.set(name, Uint8Array.from(Buffer.concat(parts))),
    touch: () => {},
    look: async () => {},
    settle: async () => {},
  };
}

/** A run of a kernel whose page PAGE_NUMBER is at linear address `start`: it loads a variable, which is in its page, calls another page and stores. */
function kernelRun(files: KeptFiles, start: number, relax: number = Relax.FRAMES, codeCache = new CodeCache(files, 'ab'.repeat(32))) {
  const { shared, page, translator } = parts(1);
  const word = (n: number) => Buffer.from(Uint32Array.of(n).buffer).toString('hex');
  const code = (at: number) =>
    Buffer.from(`a1${word(at + 0xf00)} e8db2f0000 8903 7405 a3${word(at + 0xf04)} c3`.replaceAll(' ', ''), 'hex');
  page(PAGE_NUMBER, [...code(start)], 0x20);
  shared.i32[(CONTROL + Control.at.relax) >> 2] = relax;
  shared.i32[(CONTROL + Control.at.directOrigin) >> 2] = 0xc0100000 | 0;
  const keeper = new CodeKeeper(shared, translator, codeCache);
  const request: Request = { phys: PHYS, eip: (start + 0x20) >>> 0, mode: Mode.CODE32 | Mode.FLAT };
  return {
    keeper,
    request,
    /** What is told of the regions that were made or recalled. */
    logged: () => [...new RegionLogReader(shared).read()],
    /** Hot code: what is recalled of it, or else translated and kept. */
    runs: () => {
      const { module, rest } = keeper.recall([request]);
      if (module !== undefined) return { recalled: true, bytes: module.bytes, entries: module.entries };
      const made = translator.translate(rest)!;
      while (keeper.keepOne());
      return { recalled: false, bytes: made.bytes, entries: made.entries };
    },
    end: () => codeCache.save(),
  };
}

it.each([
  ['exactly', Relax.FRAMES],
  ['with relaxations', Relax.FRAMES | Relax.DIRECTMAP | Relax.PRECISION],
])('a region is recalled as it was made, %s', (_name, relax) => {
  const files = memoryFiles();
  const first = kernelRun(files, 0xc3456000, relax);
  const made = first.runs();
  first.end();
  const next = kernelRun(files, 0xc3456000, relax);
  const second = next.runs();
  const [told] = first.logged();
  expect(told).toMatchObject({
    recalled: false,
    encoder: 'direct',
    instructions: 2,
    relax,
    directOrigin: relax & Relax.DIRECTMAP ? 0xc0100000 : 0,
  });
  expect(next.logged()).toEqual([{ ...(told as LoggedRegion), recalled: true }]);
  expect([made.recalled, second.recalled, second.entries]).toEqual([false, true, made.entries]);
  const code = (bytes: Uint8Array) => takeApart(bytes, (slot) => slot);
  expect(code(second.bytes)).toEqual(code(made.bytes));
  // Other demands, other code.
  for (const other of [Relax.PRECISION, Relax.RETURNS]) expect(kernelRun(files, 0xc3456000, relax ^ other).runs().recalled).toBe(false);
});

it('where regions say by points where they are they are neither kept nor recalled', () => {
  const files = memoryFiles();
  const keeps = (relax: number) => {
    const first = kernelRun(files, 0xc3456000, relax);
    first.runs();
    return first.keeper.codeCache.regions;
  };
  expect([keeps(0), keeps(Relax.FRAMES)]).toEqual([0, 1]);
  const kept = kernelRun(files, 0xc3456000, Relax.FRAMES);
  kept.runs();
  kept.end();
  expect([kernelRun(files, 0xc3456000, 0).runs().recalled, kernelRun(files, 0xc3456000, Relax.FRAMES).runs().recalled]).toEqual([
    false,
    true,
  ]);
});

it.each([
  ['exactly', Relax.FRAMES],
  ['with relaxations', Relax.FRAMES | Relax.DIRECTMAP | Relax.PRECISION],
])('what was proven in a pause is recalled wherever the kernel is, as if it had been made there, %s', (_name, relax) => {
  const files = memoryFiles();
  const first = kernelRun(files, 0xc3456000, relax);
  first.runs();
  first.end();
  const unproven = kernelRun(files, 0xc8456000, relax);
  expect(unproven.keeper.recall([unproven.request]).module).toBe(undefined);
  const again = kernelRun(memoryFiles(), 0xc3456000, relax);
  again.runs();
  expect([again.keeper.proveOne(), again.keeper.proveOne(), again.keeper.codeCache.regions]).toEqual([true, false, 1]);
  // It has a region by now.
  expect(again.keeper.recall([again.request])).toEqual({ module: undefined, rest: [] });
  for (const start of [0xc1456000, 0xc8456000, 0xd0456000]) {
    const { recalled, bytes } = kernelRun(files, start, relax, again.keeper.codeCache).runs();
    expect([start, recalled]).toEqual([start, true]);
    const code = (of: Uint8Array) => takeApart(of, (slot) => slot);
    expect(code(bytes)).toEqual(code(kernelRun(memoryFiles(), start, relax).runs().bytes));
  }
});
