// Which regions a CPU keeps when it hears that a page with code was written to.
import { expect, it } from 'vitest';
import { BlockCache, type CodeRuntime } from '../../../src/cache/blocks.ts';
import { imageOf } from '../../../src/cache/code-image.ts';
import { codeWritten, pagesToDrop } from '../../../src/cache/code-pages.ts';
import { RegionTable } from '../../../src/cache/regions.ts';
import type { Instance } from '../../../src/cpu/runtime.ts';
import { createMemory } from '../../../src/cpu/state.ts';
import { Emitter, none } from '../../../src/emit/module.ts';
import { Cpu, Mode } from '../../../src/layout/cpu.ts';
import {
  BlockHead,
  CpuArea,
  cpuBase,
  JUMP_ENTRIES,
  JumpEntry,
  jumpIndex,
  MANY_PLACES,
  PAGE,
  PAGE_HAS_CODE,
  PAGE_SHIFT,
  PageMeta,
  planMemory,
  RAM,
} from '../../../src/layout/memory.ts';

const PAGE_NUMBER = 3;
const PHYS = (PAGE_NUMBER << PAGE_SHIFT) + 0x20;
const OTHER = PHYS + 0x40;
const CODE_BYTES = 4;
/** Where the test lays out a decoded block's head. */
const HEAD = RAM + 0x8000;

/** CPU 1 of two, with a table that is a Map. */
function cpu() {
  const shared = createMemory(planMemory(2, 16 * 65536));
  const table = new Map<number, unknown>();
  const imports = { env: { memory: shared.memory, table: new WebAssembly.Table({ initial: 1, element: 'anyfunc' }) } };
  const instance = { table, stub: 'stub', imports, reach: () => {} } as unknown as Instance;
  const blocks = {
    find: () => 0,
    bumpJumps: () => {},
    awaitStores: () => {},
    mark: (phys: number) =>
      void (shared.i32[(shared.plan.pageMeta + (phys >>> PAGE_SHIFT) * PageMeta.size + PageMeta.at.flags) >> 2]! |= PAGE_HAS_CODE),
    enterRegion: (head: number, slot: number) => void (shared.i32[(head + BlockHead.at.region) >> 2] = slot),
  } as unknown as BlockCache;
  const { i32, u8, plan } = shared;
  const meta = (field: number) => (plan.pageMeta + PAGE_NUMBER * PageMeta.size + field) >> 2;
  i32[meta(PageMeta.at.flags)] = PAGE_HAS_CODE;
  const regions = new RegionTable(shared, instance, blocks);
  return {
    regions,
    /** Translates code of CODE_BYTES bytes, as the page is now. */
    translated: (slot: number, phys = PHYS) => {
      const e = new Emitter();
      e.addCode(`r${slot}`, [], e.m.block(null, [], none));
      const at = phys & (PAGE - 1);
      const image = imageOf(() => u8.slice(RAM + PAGE_NUMBER * PAGE, RAM + (PAGE_NUMBER + 1) * PAGE), [[at, at + CODE_BYTES]]);
      return { bytes: e.finish(), entries: [{ slot, phys, eip: phys, mode: 0, image }] };
    },
    /** The same with code of the next page, which nobody holds code of yet. */
    translatedWide: (slot: number) => {
      const e = new Emitter();
      e.addCode(`r${slot}`, [], e.m.block(null, [], none));
      const image = imageOf(
        (by) => u8.slice(RAM + PAGE_NUMBER * PAGE + by, RAM + (PAGE_NUMBER + 1) * PAGE + by),
        [
          [0x20, 0x24],
          [PAGE + 0x10, PAGE + 0x14],
        ],
      );
      return { bytes: e.finish(), entries: [{ slot, phys: PHYS, eip: PHYS, mode: 0, image }] };
    },
    /** CPU 0 stores to code of the page. */
    store: (value: number, phys = PHYS) => {
      u8[RAM + phys] = value;
      codeWritten(shared, phys >>> PAGE_SHIFT, 0);
    },
    /** CPU 1 hears of it. */
    hear: () => {
      for (const { page, all } of pagesToDrop(shared, cpuBase(plan, 1))!) all ? regions.invalidateAll(page) : regions.review(page);
    },
    /** The slot that a block is led to when it is decoded. */
    attached: (phys = PHYS) => {
      i32.fill(0, HEAD >> 2, (HEAD + BlockHead.size) >> 2);
      i32[(HEAD + BlockHead.at.phys) >> 2] = phys;
      i32[(HEAD + BlockHead.at.eip) >> 2] = phys;
      regions.attach(HEAD);
      return i32[(HEAD + BlockHead.at.region) >> 2];
    },
    hasCode: () => (i32[meta(PageMeta.at.flags)]! & PAGE_HAS_CODE) !== 0,
    isInTable: (slot: number) => table.has(slot) && table.get(slot) !== 'stub',
  };
}

it('of the code of a page, what a store hit goes and the rest stays', () => {
  const { regions, translated, store, hear, attached, isInTable } = cpu();
  regions.install(translated(7));
  regions.install(translated(8, OTHER));
  store(1);
  hear();
  expect([attached(), isInTable(7)]).toEqual([0, false]);
  expect([attached(OTHER), isInTable(8)]).toEqual([8, true]);
});

it('a region from before a store goes, one from behind it stays, even where this CPU hears of the store last', () => {
  const { regions, translated, store, hear, attached, isInTable } = cpu();
  regions.install(translated(7));
  store(1);
  // Slot 7 was translated anew, and that was installed before this CPU looked at the ring.
  regions.install(translated(7));
  hear();
  expect([attached(), isInTable(7)]).toEqual([7, true]);
  // The same again: nothing of what is kept is ever forgotten.
  store(2);
  hear();
  expect([attached(), isInTable(7)]).toEqual([0, false]);
});

it('a region of two pages goes with what it was made from on either, and comes back with that', () => {
  for (const phys of [PHYS + 1, PHYS - 0x20 + PAGE + 0x11]) {
    const { regions, translated, translatedWide, store, hear, attached, isInTable } = cpu();
    regions.install(translatedWide(7));
    regions.install(translated(8, OTHER));
    expect([attached(), isInTable(7), regions.holds(phys, 1), [...regions.pageNumbers()]]).toEqual([
      7,
      true,
      true,
      [PAGE_NUMBER, PAGE_NUMBER + 1],
    ]);
    store(1, phys);
    hear();
    expect([attached(), isInTable(7), isInTable(8), regions.holds(phys, 1), [...regions.pageNumbers()]]).toEqual([
      0,
      false,
      true,
      false,
      [PAGE_NUMBER],
    ]);
    store(0, phys);
    hear();
    expect([attached(), isInTable(7)]).toEqual([7, true]);
  }
});

it('a region that is made anew from fewer pages has nothing to do with the others any more', () => {
  const callee = PHYS - 0x20 + PAGE + 0x11;
  const { regions, translated, translatedWide, store, hear, attached, isInTable } = cpu();
  regions.install(translatedWide(7));
  regions.install(translated(7));
  expect([...regions.pageNumbers()]).toEqual([PAGE_NUMBER]);
  store(1, callee);
  hear();
  expect([attached(), isInTable(7), regions.holds(callee, 1)]).toEqual([7, true, false]);
  for (const page of [...regions.pageNumbers()]) regions.invalidateAll(page);
  expect([isInTable(7), [...regions.pageNumbers()]]).toEqual([false, []]);
});

it('what was translated before a store is not installed behind it', () => {
  const { regions, translated, store, attached, isInTable } = cpu();
  const old = translated(7);
  store(1);
  regions.install(old);
  expect([attached(), isInTable(7)]).toEqual([0, false]);
});

it('a region whose code comes back as it was comes back as well', () => {
  const { regions, translated, store, hear, attached, isInTable } = cpu();
  regions.install(translated(7));
  store(1);
  hear();
  expect([attached(), isInTable(7)]).toEqual([0, false]);
  store(0);
  hear();
  expect([attached(), isInTable(7)]).toEqual([7, true]);
});

it('stores behind an installation are told, though nobody has decoded the page since the last one was', () => {
  const { regions, translated, store, hear, isInTable } = cpu();
  store(1);
  hear();
  regions.install(translated(7));
  store(2);
  hear();
  expect(isInTable(7)).toBe(false);
});

it('a page that stores go on to hit is data in the end, and nothing of it is kept', () => {
  const { regions, translated, store, hear, hasCode, isInTable } = cpu();
  regions.install(translated(7));
  regions.install(translated(8, OTHER));
  let stores = 0;
  for (; hasCode() && stores < 20; stores++) {
    store(stores + 1);
    hear();
  }
  expect([stores, isInTable(7), isInTable(8)]).toEqual([5, false, false]);
});

it('of the jump caches, an installed region takes only what knows its own EIP', () => {
  const shared = createMemory(planMemory(1, 16 * 65536));
  const base = cpuBase(shared.plan, 0);
  const blocks = new BlockCache(shared, base, { heatNow: () => 0, blockHashIndex: () => 0 } as unknown as CodeRuntime, []);
  const entry = (area: number, eip: number, beside: number) => (base + area + (jumpIndex(eip) ^ beside) * JumpEntry.size) >> 2;
  const areas = [CpuArea.at.jumpKernel, CpuArea.at.jumpUser];
  const generations = [Cpu.at.jumpKernelGen, Cpu.at.jumpUserGen].map((at) => (base + at) >> 2);
  for (const at of generations) shared.i32[at] = 5;
  for (const area of areas)
    for (const eip of [PHYS, OTHER])
      for (const beside of [0, 1, 2, 3]) {
        shared.i32[entry(area, eip, beside) + JumpEntry.at.eip / 4] = eip;
        shared.i32[entry(area, eip, beside) + JumpEntry.at.gen / 4] = 5;
      }
  shared.i32[(HEAD + BlockHead.at.place) >> 2] = PHYS;
  blocks.enterRegion(HEAD, 7);
  const gensOf = (eip: number) =>
    areas.map((area) => [0, 1, 2, 3].map((beside) => shared.i32[entry(area, eip, beside) + JumpEntry.at.gen / 4]));
  expect([gensOf(PHYS), gensOf(OTHER)]).toEqual([
    [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ],
    [
      [5, 5, 5, 5],
      [5, 5, 5, 5],
    ],
  ]);
  expect(generations.map((at) => shared.i32[at])).toEqual([5, 5]);
});

it('of the jump caches, a region of code that several processes have takes what leads to its block, wherever that is', () => {
  const shared = createMemory(planMemory(1, 16 * 65536));
  const base = cpuBase(shared.plan, 0);
  const blocks = new BlockCache(shared, base, { heatNow: () => 0, blockHashIndex: () => 0 } as unknown as CodeRuntime, []);
  const entry = (index: number) => (base + CpuArea.at.jumpUser + index * JumpEntry.size) >> 2;
  const entries = [0, 5, 1000, JUMP_ENTRIES - 1];
  entries.forEach((index, k) => {
    shared.i32[entry(index) + JumpEntry.at.gen / 4] = 5;
    shared.i32[entry(index) + JumpEntry.at.arg / 4] = k === 2 ? HEAD + 64 : HEAD;
  });
  shared.i32[(HEAD + BlockHead.at.mode) >> 2] = Mode.CODE32 | Mode.FLAT | Mode.USER;
  shared.i32[(HEAD + BlockHead.at.place) >> 2] = MANY_PLACES;
  blocks.enterRegion(HEAD, 7);
  expect(entries.map((index) => shared.i32[entry(index) + JumpEntry.at.gen / 4])).toEqual([0, 0, 5, 0]);
});
