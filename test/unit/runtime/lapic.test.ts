// What the runtime does of a CPU's own local APIC without asking the device (wasm/system/lapic.ts).
import { beforeEach, expect, test } from 'vitest';
import { LAPIC_BASE, LAPIC_EOI, LAPIC_TABLE_BYTES, LAPIC_WORD, LAPIC_WORDS, lapicRegisterWord } from '../../../src/layout/lapic.ts';
import { DEVICE_STATE } from '../../../src/layout/memory.ts';
import { type Machine, machine } from './machine.ts';

const TABLE = DEVICE_STATE;
/** Of the second of two CPUs. */
const CPU = 1;
const WORDS = DEVICE_STATE + LAPIC_TABLE_BYTES;

let m: Machine;
const word = (n: number) => WORDS + (CPU * LAPIC_WORDS + n) * 4;
const get = (n: number) => m.view.getUint32(word(n), true);
const set = (n: number, value: number) => m.view.setUint32(word(n), value, true);
const eoi = () => m.call.store32(m.cpu, LAPIC_BASE + LAPIC_EOI, 0);

beforeEach(async () => {
  m = await machine();
  for (let n = 0; n < LAPIC_TABLE_BYTES; n++) m.view.setUint8(TABLE + n, (lapicRegisterWord(n << 4) ?? -1) + 1);
  m.control('lapicTable', TABLE);
  m.control('lapics', WORDS);
  m.set('index', CPU);
  set(LAPIC_WORD.global, 1);
});

test('registers that are words are read there; for all others the device is asked', () => {
  set(LAPIC_WORD.id, 0x01000000);
  set(LAPIC_WORD.icrLow, 0x4500);
  set(LAPIC_WORD.irr + 7, 0x80000001);
  const read = (offset: number) => m.call.load32(m.cpu, LAPIC_BASE + offset) >>> 0;
  expect([read(0x20), read(0x300), read(0x270)]).toEqual([0x01000000, 0x4500, 0x80000001]);
  expect(m.calls).toEqual([]);
  // The version, the processor priority, the current count, nothing; a part of a register, what is beside one.
  for (const offset of [0x30, 0xa0, 0x390, 0x40, 0x24]) read(offset);
  m.call.load8(m.cpu, LAPIC_BASE + 0x20);
  expect(m.calls.map(({ args }) => args[0]! - LAPIC_BASE)).toEqual([0x30, 0xa0, 0x390, 0x40, 0x24, 0x20]);
});

test('one that is switched off is the device: it reads as nothing', () => {
  set(LAPIC_WORD.global, 0);
  m.call.load32(m.cpu, LAPIC_BASE + 0x20);
  eoi();
  expect(m.calls.map(({ name }) => name)).toEqual(['mmioRead', 'mmioWrite']);
});

test('EOI ends the highest interrupt in service', () => {
  set(LAPIC_WORD.isr + 1, 0x11);
  set(LAPIC_WORD.isr + 6, 0x80000002);
  for (const [high, low] of [
    [2, 0x11],
    [0, 0x11],
    [0, 1],
    [0, 0],
    [0, 0],
  ]) {
    eoi();
    expect([get(LAPIC_WORD.isr + 6), get(LAPIC_WORD.isr + 1)]).toEqual([high, low]);
  }
  expect(m.calls).toEqual([]);
});

test("EOI of a level-triggered interrupt is the device's; where another waits, the device looks at it", () => {
  set(LAPIC_WORD.isr + 1, 0x10);
  set(LAPIC_WORD.tmr + 1, 0x10);
  eoi();
  expect(get(LAPIC_WORD.isr + 1)).toBe(0x10);
  expect(m.calls).toEqual([{ name: 'mmioWrite', args: [LAPIC_BASE + LAPIC_EOI, 4, 0] }]);
  set(LAPIC_WORD.tmr + 1, 0);
  set(LAPIC_WORD.irr + 2, 1);
  set(LAPIC_WORD.tpr, 0x20);
  eoi();
  expect(get(LAPIC_WORD.isr + 1)).toBe(0);
  expect(m.calls.at(-1)).toEqual({ name: 'mmioWrite', args: [LAPIC_BASE + 0x80, 4, 0x20] });
});
