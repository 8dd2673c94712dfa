// What the user's jump cache knows of address spaces: a CPU that comes back to one goes on with it where its page tables are as they were, and nowhere else.
import { beforeEach, describe, expect, test } from 'vitest';
import { BlockHead, FETCHED_ENTRIES, JumpEntry, jumpIndex, SPACE_ENTRIES, SPACES } from '../../../src/layout/memory.ts';
import { CR0, CR4, type Machine, machine, PT, putBlock } from './machine.ts';

const MAPPED = PT.P | PT.RW | PT.US;
const CODE_AT = 0x400000;
/** Tables of space `n`: the table of pointers (PAE), the directory of the first 4 MiB or GiB, that of the next ones, the table of CODE_AT, and another one with the same entries. */
const tables = (n: number) => {
  const top = 0x100000 + n * 0x5000;
  return { top, directory: top + 0x1000, next: top + 0x2000, table: top + 0x3000, twin: top + 0x4000 };
};

let m: Machine;
let pae: boolean;
let blocks: number;
const size = () => (pae ? 8 : 4);
const put = (at: number, value: number) => (pae ? m.setPhys64(at, BigInt(value)) : m.setPhys32(at, value));
const pteAt = (n: number, page: number) => tables(n).table + (page & (pae ? 511 : 1023)) * size();
const pdeAt = (n: number) => (pae ? tables(n).directory : tables(n).top) + (CODE_AT >>> (pae ? 21 : 22)) * size();

function makeSpace(n: number, page = CODE_AT >>> 12): void {
  const { top, directory, table, twin } = tables(n);
  if (pae) m.setPhys64(top, BigInt(directory | PT.P));
  for (const at of [pteAt(n, page), twin + (pteAt(n, page) - table)]) put(at, CODE_AT | MAPPED);
  put(pdeAt(n), table | MAPPED);
}

function load(n: number): void {
  m.setCpl(0);
  m.call.movToCr!(m.cpu, 3, tables(n).top);
  m.setCpl(3);
}

/** Looks code up as the dispatcher does where the jump cache has nothing. */
function look(eip: number): number {
  m.set('eip', eip);
  m.set('exit', 0);
  return m.call.lookup!(m.cpu) as number;
}

/** What the user's jump cache says at once: a block's head, or 0. */
function known(eip: number): number {
  const at = m.get('jumpUser') + jumpIndex(eip) * JumpEntry.size;
  const field = (name: keyof typeof JumpEntry.at) => m.view.getUint32(at + JumpEntry.at[name], true);
  return field('eip') === eip && field('gen') === m.get('jumpUserGen') ? field('arg') : 0;
}

const block = (eip: number, phys: number) => putBlock(m, 64 * blocks++, { eip, phys, mode: m.get('mode') });

async function start(wide: boolean): Promise<void> {
  m = await machine();
  pae = wide;
  blocks = 0;
  for (let n = 0; n < SPACES + 2; n++) makeSpace(n);
  m.call.movToCr!(m.cpu, 4, pae ? CR4.PAE : CR4.PSE);
  m.call.movToCr!(m.cpu, 3, tables(0).top);
  m.call.movToCr!(m.cpu, 0, CR0.PE | CR0.PG);
  m.setCpl(3);
}

describe.each([
  ['two levels', false],
  ['PAE', true],
])('%s', (_, wide) => {
  let head: number;
  beforeEach(async () => {
    await start(wide);
    load(0);
    head = block(CODE_AT, CODE_AT);
    expect(look(CODE_AT)).toBe(head);
  });

  test('what was known counts again behind a way through other address spaces', () => {
    for (const n of [1, 2]) {
      load(n);
      expect(known(CODE_AT)).toBe(0);
    }
    load(0);
    expect(known(CODE_AT)).toBe(head);
    load(0);
    expect(known(CODE_AT)).toBe(head);
  });

  test('code of the same address in two of them is known of both', () => {
    load(1);
    put(pteAt(1, CODE_AT >>> 12), 0x600000 | MAPPED);
    const other = block(CODE_AT, 0x600000);
    expect(look(CODE_AT)).toBe(other);
    load(0);
    // It waits beside.
    expect(look(CODE_AT)).toBe(1);
    expect(known(CODE_AT)).toBe(head);
    load(1);
    expect(look(CODE_AT)).toBe(1);
    expect(known(CODE_AT)).toBe(other);
  });

  test.each<readonly [string, () => void]>([
    ['a page that is mapped elsewhere', () => put(pteAt(0, CODE_AT >>> 12), 0x500000 | MAPPED | PT.A)],
    ['a page that is mapped no more', () => put(pteAt(0, CODE_AT >>> 12), 0)],
    ['a page of the kernel alone', () => put(pteAt(0, CODE_AT >>> 12), CODE_AT | PT.P | PT.RW | PT.A)],
    ['a page that was not used since', () => put(pteAt(0, CODE_AT >>> 12), CODE_AT | MAPPED)],
    ['another page table', () => put(pdeAt(0), tables(0).twin | MAPPED | PT.A)],
    ['no page table', () => put(pdeAt(0), 0)],
  ])('but not with %s', (_name, change) => {
    load(1);
    change();
    load(0);
    expect(known(CODE_AT)).toBe(0);
    // And that is so from now on.
    load(1);
    load(0);
    expect(known(CODE_AT)).toBe(0);
  });

  test('nor where the same address space is loaded once more', () => {
    put(pteAt(0, CODE_AT >>> 12), 0);
    load(0);
    expect(known(CODE_AT)).toBe(0);
  });

  test('nor where the translation that led to it was no longer in memory when it was looked up', () => {
    const eip = CODE_AT + 16;
    const late = block(eip, CODE_AT + 16);
    m.call.load8!(m.cpu, CODE_AT, 3);
    put(pteAt(0, CODE_AT >>> 12), 0x500000 | MAPPED | PT.A);
    // The TLB may say so until it is told.
    m.call.flushJumps!(m.cpu);
    expect(look(eip)).toBe(late);
    load(1);
    load(0);
    expect(known(eip)).toBe(0);
  });

  test('nor where the code was dropped meanwhile, or all that is known is stale', () => {
    for (const change of [() => m.call.flushJumps!(m.cpu), () => m.call.movToCr!(m.cpu, 0, CR0.PE | CR0.PG | CR0.WP)]) {
      load(1);
      m.setCpl(0);
      change();
      load(0);
      expect(known(CODE_AT)).toBe(0);
      look(CODE_AT);
      expect(known(CODE_AT)).toBe(head);
    }
  });

  test('nor where a breakpoint has come to its page meanwhile', () => {
    load(1);
    m.setCpl(0);
    m.call.movToDr!(m.cpu, 0, CODE_AT + 8);
    m.call.movToDr!(m.cpu, 7, 1);
    load(0);
    expect(known(CODE_AT)).toBe(0);
  });

  test('an INVLPG counts behind the way back as well', () => {
    load(1);
    // Another page takes the place that the one of space 0 has in the table of pages.
    const placeOf = (page: number) => (Math.imul(page, 0x9e3779b1) >>> 12) & (FETCHED_ENTRIES - 1);
    let page = (CODE_AT >>> 12) + 1;
    while (placeOf(page) !== placeOf(CODE_AT >>> 12)) page++;
    put((wide ? tables(1).directory : tables(1).top) + (page >>> (wide ? 9 : 10)) * size(), tables(1).twin | MAPPED);
    put(tables(1).twin + (page & (wide ? 511 : 1023)) * size(), 0x600000 | MAPPED);
    const other = block(page << 12, 0x600000);
    expect(look(page << 12)).toBe(other);
    load(0);
    m.setCpl(0);
    m.call.invlpg!(m.cpu, CODE_AT);
    expect(known(CODE_AT)).toBe(head);
    put(pteAt(0, CODE_AT >>> 12), 0);
    m.call.invlpg!(m.cpu, CODE_AT);
    expect(known(CODE_AT)).toBe(0);
  });

  test('of as many address spaces as there is room for, the last ones', () => {
    for (let n = 1; n <= SPACES; n++) {
      load(n);
      look(CODE_AT);
    }
    // The oldest one had to go.
    load(SPACES);
    expect(known(CODE_AT)).toBe(head);
    load(1);
    expect(look(CODE_AT)).not.toBe(0);
    const before = m.get('jumpUserLast');
    load(2);
    expect(m.get('jumpUserLast')).toBe(before);
    load(0);
    expect(m.get('jumpUserLast')).toBe(before + 1);
  });

  test('more pages of code than there is room for are looked up each time', () => {
    for (let k = 0; k < SPACE_ENTRIES; k++) {
      const page = 0x800 + k;
      put((wide ? tables(0).directory : tables(0).top) + (page >>> (wide ? 9 : 10)) * size(), tables(0).twin | MAPPED);
      put(tables(0).twin + (page & (wide ? 511 : 1023)) * size(), 0x500000 | MAPPED);
      block(page << 12, 0x500000);
      look(page << 12);
    }
    load(1);
    load(0);
    expect(known(CODE_AT)).toBe(0);
    look(CODE_AT);
    load(1);
    load(0);
    expect(known(CODE_AT)).toBe(head);
  });
});

test('PAE: not behind another table of pointers, whatever the registers had', async () => {
  await start(true);
  load(0);
  block(CODE_AT, CODE_AT);
  look(CODE_AT);
  load(1);
  m.setPhys64(tables(0).next + 8 * (CODE_AT >>> 21), BigInt(tables(0).table | MAPPED | PT.A));
  m.setPhys64(tables(0).top, BigInt(tables(0).next | PT.P));
  load(0);
  expect(known(CODE_AT)).toBe(0);
  // What is in memory comes to the registers with the next load alone.
  m.setPhys64(tables(0).top, BigInt(tables(0).directory | PT.P));
  look(CODE_AT);
  load(1);
  load(0);
  expect(known(CODE_AT)).toBe(0);
});

/** What a walk of 32-bit or PAE tables finds in memory: the physical page, for a fetch by the user; undefined: none. */
function mapped(n: number, eip: number): number | undefined {
  const entry = (at: number) => (pae ? Number(m.phys64(at) & 0xffffffffn) : m.phys32(at)) >>> 0;
  const frame = (value: number) => (value & 0xfffff000) >>> 0;
  const may = (value: number) => (value & (PT.P | PT.US)) === (PT.P | PT.US);
  const directory = pae ? frame(entry(tables(n).top)) : tables(n).top;
  const pde = entry(directory + (eip >>> (pae ? 21 : 22)) * size());
  if (!may(pde)) return undefined;
  const pte = entry(frame(pde) + ((eip >>> 12) & (pae ? 511 : 1023)) * size());
  return may(pte) ? frame(pte) : undefined;
}

test.each([
  ['two levels', false],
  ['PAE', true],
])('%s: whatever is mapped where, and changed when, behind a load of CR3 all that is known is so in memory', async (_, wide) => {
  let state = 12345;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  await start(wide);
  const spaces = SPACES + 2;
  const pages = [0, 1, 2, 3, 4, 5].map((k) => (CODE_AT >>> 12) + k);
  const frames = [0x500, 0x501, 0x502];
  const eips = pages.flatMap((page) => [page * 4096, page * 4096 + 64]);
  for (const eip of eips) for (const frame of frames) block(eip, frame * 4096 + (eip & 4095));
  const change = () => {
    const n = random(spaces);
    if (random(8) === 0) put(pdeAt(n), (random(2) === 0 ? tables(n).table : tables(n).twin) | MAPPED);
    else if (random(4) === 0) put(pteAt(n, pages[random(6)]!), random(3) === 0 ? 0 : (frames[random(3)]! * 4096) | MAPPED);
    else put(tables(n).twin + (pages[random(6)]! & 511) * size(), (frames[random(3)]! * 4096) | MAPPED);
  };
  for (let k = 0; k < 200; k++) change();
  let all = 0;
  let current = 0;
  for (let turn = 0; turn < 6000; turn++) {
    for (let k = random(3) === 0 ? random(3) : 0; k > 0; k--) change();
    const next = random(3) === 0 ? random(spaces) : random(3);
    current = next;
    load(current);
    for (const eip of eips) {
      const found = known(eip);
      if (found === 0) continue;
      all++;
      const phys = m.view.getUint32(found + BlockHead.at.phys, true);
      expect({ turn, current, eip, phys: phys & ~4095 }).toEqual({ turn, current, eip, phys: mapped(current, eip) });
    }
    for (let k = random(6); k > 0; k--) {
      look(eips[random(eips.length)]!);
      m.fault();
    }
    if (random(4) === 0) {
      change();
      m.setCpl(0);
      for (const page of pages) m.call.invlpg!(m.cpu, page * 4096);
      m.setCpl(3);
      for (const eip of eips) {
        const found = known(eip);
        if (found !== 0) expect(m.view.getUint32(found + BlockHead.at.phys, true) & ~4095).toBe(mapped(current, eip));
      }
    }
  }
  expect(all, 'so much was known behind a load').toBeGreaterThan(5000);
});
