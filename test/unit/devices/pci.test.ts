// PCI configuration, BARs, interrupts; two threads' views of them.
import { expect, it } from 'vitest';
import type { Chipset } from '../../../src/devices/chipset.ts';
import { pciGsi, pciIsaIrq } from '../../../src/devices/pci/routing.ts';
import { bench, initPic } from './harness.ts';

const address = (slot: number, offset: number): number => 0x80000000 + (slot << 11) + offset;

function addCard(pc: Chipset, log: unknown[][] = []) {
  return pc.parts.pci.add({
    name: 'card',
    slot: 3,
    vendorId: 0x1af4,
    deviceId: 0x1041,
    classCode: 0x020000,
    revision: 1,
    interruptPin: 1,
    bars: [
      { kind: 'memory', bytes: 0x4000, read: (offset) => offset, write: (...all) => log.push(all) },
      { kind: 'io', bytes: 0x20, read: (offset) => 0x40 + offset, write: (...all) => log.push(all) },
    ],
    capabilities: [
      [9, 0, 16, 1, 0, 0, 0, 0],
      [9, 0, 20, 2],
    ],
  });
}

it('answers configuration accesses, and none where no function is', () => {
  const b = bench();
  addCard(b.pc);
  const read = (slot: number, offset: number): number => {
    b.out(0xcf8, address(slot, offset), 4);
    return b.in(0xcfc, 4);
  };
  expect(read(0, 0)).toBe(0x12378086);
  expect(read(1, 0)).toBe(0xffffffff);
  expect(read(3, 0)).toBe(0x10411af4);
  expect(read(3, 8)).toBe(0x02000001);
  b.out(0xcf8, address(3, 0x34), 4);
  expect(b.in(0xcfc)).toBe(0x40);
  expect(read(3, 0x40)).toBe(0x01104809);
  expect(read(3, 0x48)).toBe(0x02140009);
  expect(read(3, 0x3c)).toBe(0x0000010b);
  expect(b.in(0xcf8, 4)).toBe(address(3, 0x3c));
});

it('sizes and moves BARs, on every thread', () => {
  const b = bench();
  const log: unknown[][] = [];
  const card = addCard(b.pc, log);
  const other = b.attach();
  addCard(other);
  const set = (offset: number, value: number): void => {
    b.out(0xcf8, address(3, offset), 4);
    b.out(0xcfc, value, 4);
  };
  const get = (offset: number): number => {
    b.out(0xcf8, address(3, offset), 4);
    return b.in(0xcfc, 4);
  };
  const memory = card.bars.address(0);
  expect(memory).toBe(0xfd000000);
  expect(b.read(memory + 0x1234)).toBe(0x1234);
  expect(other.mmioRead(0, memory + 0x10, 4)).toBe(0x10);
  expect(other.portIn(0, card.bars.address(1) + 4, 1)).toBe(0x44);
  set(0x10, 0xffffffff);
  expect(get(0x10)).toBe(0xffffc000);
  set(0x14, 0xffffffff);
  expect(get(0x14)).toBe(0xffe1);
  set(0x18, 0xffffffff);
  expect(get(0x18)).toBe(0);
  set(0x10, 0xc0004000);
  set(0x14, 0xd000);
  expect(other.mmioRead(0, memory, 4)).toBe(0xffffffff);
  expect(other.mmioRead(0, 0xc0004008, 4)).toBe(8);
  expect(b.in(0xd001)).toBe(0x41);
  b.write(0xc0004010, 77);
  expect(log).toEqual([[0x10, 4, 77]]);
  set(4, 0);
  expect(other.portIn(0, 0xd001, 1)).toBe(0xff);
  expect(b.read(0xc0004008)).toBe(0xffffffff);
  b.pc.hub.reset();
  expect(other.mmioRead(0, memory + 0x10, 4)).toBe(0x10);
});

it('lets a BAR cover nothing up: fixed devices keep their places, and of two at one place the other comes up when the first goes', () => {
  const b = bench();
  addCard(b.pc);
  const memory = (slot: number, value: number) =>
    b.pc.parts.pci.add({
      name: 'memory',
      slot,
      vendorId: 0x1af4,
      deviceId: 0x1042,
      classCode: 0x050000,
      bars: [{ kind: 'memory', bytes: 0x1000, read: () => value, write: () => {} }],
    });
  memory(4, 44);
  memory(5, 55);
  const set = (slot: number, offset: number, value: number): void => {
    b.out(0xcf8, address(slot, offset), 4);
    b.out(0xcfc, value, 4);
  };
  initPic(b, 0xffff);
  b.out(0x21, 0xa5);
  // The card's 32 ports from 20H on, and its memory over the I/O APIC's.
  set(3, 0x14, 0x20);
  const ioApic = b.read(0xfec00000);
  set(3, 0x10, 0xfec00000);
  expect([b.in(0x21), b.in(0x22), b.in(0x3f), b.in(0x40)]).toEqual([0xa5, 0x42, 0x5f, b.in(0x40)]);
  expect(b.read(0xfec01000)).toBe(0x1000);
  expect(b.read(0xfec00000)).toBe(ioApic);
  set(3, 0x14, 0xd000);
  expect([b.in(0x21), b.in(0x22), b.in(0xd002)]).toEqual([0xa5, 0xff, 0x42]);
  set(4, 0x10, 0xe0000000);
  set(5, 0x10, 0xe0000000);
  expect(b.read(0xe0000000)).toBe(44);
  set(4, 0x10, 0xe0001000);
  expect([b.read(0xe0000000), b.read(0xe0001000)]).toEqual([55, 44]);
});

it('drives its line to the I/O APIC input of its slot, unless told not to', () => {
  const b = bench();
  const card = addCard(b.pc);
  expect(card.gsi).toBe(pciGsi(3, 1));
  b.write(0xfec00000, 0x10 + 2 * card.gsi);
  b.write(0xfec00010, 0xa061);
  card.setInterrupt(true);
  expect(b.pc.interruptAck(0)).toBe(0x61);
  b.out(0xcf8, address(3, 4), 4);
  expect(b.in(0xcfe)).toBe(0x18);
  b.out(0xcfc, 0x403, 2);
  b.write(0xfee000b0, 0);
  expect(b.pc.interruptAck(0)).toBe(-1);
  expect(card.busMaster).toBe(false);
});

it.each([
  [2, 10],
  [3, 11],
  [4, 11],
  [5, 10],
  [6, 10],
])('interrupts of slot %i come as ISA %i as well, at the I/O APIC and at the 8259s, as they do behind SeaBIOS', (slot, irq) => {
  const gsi = pciGsi(slot, 1);
  expect(pciIsaIrq(gsi)).toBe(irq);
  const b = bench();
  b.write(0xfee000f0, 0x1ff);
  b.write(0xfec00000, 0x10 + 2 * irq);
  b.write(0xfec00010, 0xa051);
  b.pc.parts.interrupts.setIrq(gsi, true);
  expect(b.pc.interruptAck(0)).toBe(0x51);
  b.pc.parts.interrupts.setIrq(gsi, false);
  b.write(0xfee000b0, 0);
  expect(b.pc.interruptAck(0)).toBe(-1);
  const old = bench();
  initPic(old, 0xffff);
  old.pc.parts.interrupts.setIrq(gsi, true);
  expect(old.pc.interruptAck(0)).toBe(0x30 + irq);
});
