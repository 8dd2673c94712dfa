// The 8259 pair, as kernels program it.
import { expect, it } from 'vitest';
import { Pending } from '../../../src/layout/cpu.ts';
import { bench, initPic } from './harness.ts';

it('delivers through the virtual wire by priority, and nests only upwards', () => {
  const b = bench();
  initPic(b, 0xffff);
  const irq = b.pc.parts.interrupts;
  irq.setIrq(12, true);
  expect(b.pending(0)).toBe(Pending.INTR);
  expect(b.pc.interruptAck(0)).toBe(0x3c);
  expect(b.pending(0)).toBe(0);
  irq.setIrq(4, true);
  expect(b.pc.hasInterrupt(0)).toBe(false);
  irq.setIrq(1, true);
  expect(b.pc.interruptAck(0)).toBe(0x31);
  b.out(0x20, 0x61);
  b.out(0xa0, 0x64);
  b.out(0x20, 0x62);
  expect(b.pc.interruptAck(0)).toBe(0x34);
  b.out(0x20, 0x0b);
  expect(b.in(0x20)).toBe(0x10);
  b.out(0x20, 0x20);
  expect(b.in(0x20)).toBe(0);
  expect(b.pc.interruptAck(0)).toBe(-1);
});

it('keeps a level-triggered line pending until it falls', () => {
  const b = bench();
  initPic(b, 0xffff);
  b.pc.parts.interrupts.setIrq(18, true);
  expect(b.pc.interruptAck(0)).toBe(0x3a);
  b.out(0xa0, 0x20);
  b.out(0x20, 0x20);
  expect(b.pc.interruptAck(0)).toBe(0x3a);
  b.pc.parts.interrupts.setIrq(21, true);
  b.pc.parts.interrupts.setIrq(18, false);
  b.out(0xa0, 0x20);
  b.out(0x20, 0x20);
  expect(b.pc.hasInterrupt(0)).toBe(true);
  b.pc.parts.interrupts.setIrq(21, false);
  expect(b.pc.hasInterrupt(0)).toBe(false);
});

it('has auto-EOI, rotation, special mask and poll', () => {
  const b = bench();
  initPic(b, 0xffff, true);
  b.pc.parts.interrupts.setIrq(3, true);
  expect(b.pc.interruptAck(0)).toBe(0x33);
  b.out(0x20, 0x0b);
  expect(b.in(0x20)).toBe(0);
  initPic(b, 0xffff);
  b.out(0x20, 0xc3);
  b.pc.parts.interrupts.setIrq(3, false);
  b.pc.parts.interrupts.setIrq(3, true);
  b.pc.parts.interrupts.setIrq(5, true);
  expect(b.pc.interruptAck(0)).toBe(0x35);
  b.out(0x21, 0x20);
  b.out(0x20, 0x68);
  expect(b.pc.interruptAck(0)).toBe(0x33);
  b.out(0x20, 0x48);
  b.pc.parts.interrupts.setIrq(4, true);
  b.out(0x20, 0x0c);
  expect(b.in(0x20)).toBe(0x84);
  expect(b.in(0x21)).toBe(0x20);
});

it('has the masks of a BIOS: the timer comes to a kernel that moves the vectors and puts the masks back', () => {
  const b = bench();
  const masks = [b.in(0x21), b.in(0xa1)];
  expect(masks).toEqual([0xb8, 0x8e]);
  initPic(b, ~(masks[0] | (masks[1] << 8)));
  b.pc.parts.interrupts.setIrq(0, true);
  expect(b.pc.interruptAck(0)).toBe(0x30);
});
