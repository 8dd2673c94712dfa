// Whether a region may rely on its stack, where the byte of the stack's page does not tell (wasm/engine/reach.ts).
import { beforeEach, expect, test } from 'vitest';
import { Cpu, FAULT_AGAIN, FAULT_BAIL, GPR_STRIDE, Gpr } from '../../../src/layout/cpu.ts';
import { CONTROL, Control, CpuArea, DIRECT_START, HEAT_QUEUE, HeatRequest, RAM, Relax, Tlb } from '../../../src/layout/memory.ts';
import { CR0, type Machine, machine, PT } from './machine.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});

const DIRECTORY = 0x100000;
const TABLE = 0x101000;
const DIRTY = PT.P | PT.RW | PT.A | PT.D;
/** A kernel's map of physical 1 MiB on, in which linear 0x400000 is physical 0x300000. */
const ORIGIN = 0x200000;
const EIP = 0x7654;
const ENTRY = 0x7600;

/** Paging on: linear 0x400000 and up by the given entries. */
function paged(...entries: number[]) {
  m.control('directOrigin', ORIGIN);
  m.setPhys32(DIRECTORY + 4, TABLE | DIRTY);
  for (const [i, entry] of entries.entries()) m.setPhys32(TABLE + i * 4, entry);
  m.call.movToCr(m.cpu, 3, DIRECTORY);
  m.call.movToCr(m.cpu, 0, CR0.PE | CR0.PG | CR0.WP);
}
/** Whether so many bytes may be relied on: at a region's entry and inside it. */
function ask(linear: number, bytes: number) {
  const at = linear - ((m.get('cr0') & CR0.PG) !== 0 ? ORIGIN : DIRECT_START);
  const answers = [m.call.proveReach(m.cpu, at, bytes, ENTRY), m.get('eip')];
  m.set('fault', 0);
  answers.push(m.call.proveReachAgain(m.cpu, at, bytes, EIP, ENTRY), m.get('eip'));
  m.set('fault', 0);
  m.set('eip', 0);
  if (answers.every((x) => x === 0)) return true;
  expect(answers).toEqual([FAULT_BAIL, ENTRY, FAULT_AGAIN, EIP]);
  return false;
}
const byteOf = (at: number) => m.view.getUint8(m.cpu + CpuArea.at.directStores + (at >>> 12));

test('what is where the map has it and may be written to; both pages, where there are two', () => {
  paged(0x300000 | DIRTY, 0x301000 | DIRTY, 0x302000 | PT.P | PT.A | PT.D, 0x304000 | DIRTY, 0, 0x305000 | DIRTY);
  const good = [ask(0x400000, 4096), ask(0x400f00, 4096), ask(0x401fff, 1), ask(0x405000, 16)];
  expect(good).toEqual([true, true, true, true]);
  const bad = [
    ask(0x401f00, 0x101),
    ask(0x402000, 4),
    ask(0x403000, 4),
    ask(0x403fff, 2),
    ask(0x404000, 4),
    ask(0x404ff0, 32),
    ask(0x10, 4),
  ];
  expect(bad).toEqual([false, false, false, false, false, false, false]);
  expect(m.get('countRefused')).toBe(2 * bad.length);
  // The same by the TLB.
  for (const at of [0x401000, 0x403000]) m.call.store32(m.cpu, at, 1);
  expect([ask(0x401004, 4), ask(0x403004, 4)]).toEqual([true, false]);
  // Nothing is outside of RAM, as the map would have it.
  expect([ask(ORIGIN + (15 << 20) - 1, 1), ask(ORIGIN - 1, 4), ask(ORIGIN + (15 << 20), 4)]).toEqual([false, false, false]);
});

test('nothing is marked as dirty', () => {
  const clean = 0x300000 | PT.P | PT.RW | PT.A;
  paged(clean, 0x301000 | DIRTY);
  expect([ask(0x400f00, 16), ask(0x400ff0, 32)]).toEqual([false, false]);
  expect(m.phys32(TABLE)).toBe(clean);
  m.call.store32(m.cpu, 0x400000, 1);
  expect(m.phys32(TABLE)).toBe(clean | PT.D);
  expect(ask(0x400ff0, 32)).toBe(true);
});

test('not on a page with code, nor where its bytes are watched; beside one', () => {
  m.markCode(0x301000, 1);
  expect([ask(0x300000, 4096), ask(0x300ff0, 17), ask(0x301800, 4), ask(0x302000, 4)]).toEqual([true, false, false, true]);
  m.set('dr', 0x303100);
  m.call.movToDr(m.cpu, 7, 0xd0401);
  expect([ask(0x302000, 4), ask(0x302ff0, 32), ask(0x303800, 4)]).toEqual([true, false, false]);
  m.call.movToDr(m.cpu, 7, 0x400);
  expect(ask(0x303800, 4)).toBe(true);
});

test('the page of a stack is known to all regions then, until somebody decodes code of it or of the next one', () => {
  m.control('relax', Relax.DIRECTMAP);
  m.call.movToCr(m.cpu, 0, CR0.PE | CR0.WP);
  for (const [stack, code] of [
    [0x300000, 0x301000],
    [0x310000, 0x310000],
  ] as const) {
    const at = stack - DIRECT_START;
    expect([ask(stack + 0x800, 4), byteOf(at)]).toEqual([true, 1]);
    m.call.markCode(m.cpu, code, 4);
    expect([byteOf(at), m.tlb(stack) & Tlb.KERNEL_WRITE]).toEqual([0, stack === code ? 0 : Tlb.KERNEL_WRITE]);
    expect(ask(stack + 0x800, 4)).toBe(stack !== code);
  }
});

test('one refusal in sixteen asks for a region that is plain; so does what gets hot while its stack is not in the map', () => {
  m.set('mode', 0x23);
  const requests = () => m.view.getUint32(CONTROL + Control.at.heatTail, true);
  const last = () =>
    (['phys', 'eip', 'mode', 'hot', 'plain'] as const).map((field) =>
      m.view.getUint32(HEAT_QUEUE + (requests() - 1) * HeatRequest.size + HeatRequest.at[field], true),
    );
  m.markCode(0x301000, 1);
  for (let n = 0; n < 15; n++) m.call.proveReachAgain(m.cpu, 0x301000 - DIRECT_START, 4, EIP, ENTRY);
  expect(requests()).toBe(0);
  m.call.proveReach(m.cpu, 0x301000 - DIRECT_START, 4, ENTRY);
  expect([requests(), ...last()]).toEqual([1, ENTRY, ENTRY, 0x23, 1, 1]);
  for (const [sp, plain] of [
    [0x9000, 1],
    [0x300000, 0],
    [RAM, 1],
  ]) {
    m.setWord(m.cpu + Cpu.at.gpr + Gpr.ESP * GPR_STRIDE, sp!);
    m.call.hot(m.cpu, m.get('arena'));
    expect(last().at(-1)).toBe(plain);
  }
});
