// FERR#, IRQ 13, port 0xF0 and IGNNE#.
import { expect, it } from 'vitest';
import { bench, initPic } from './harness.ts';

const IRQ13 = 0x3d;

function acknowledge(b: ReturnType<typeof bench>): number {
  const vector = b.pc.interruptAck(0);
  b.out(0xa0, 0x20);
  b.out(0x20, 0x20);
  return vector;
}

it('FERR# raises IRQ 13 once; port 0xF0 takes it back and asserts IGNNE# until FERR# goes', () => {
  const b = bench();
  initPic(b, 0xffff);
  expect(b.pc.fpuError(true)).toBe(false);
  expect(acknowledge(b)).toBe(IRQ13);
  expect(b.pc.fpuError(true)).toBe(false);
  expect(b.pc.hasInterrupt(0)).toBe(false);
  b.out(0xf0, 0);
  const other = b.attach();
  expect(other.fpuError(true)).toBe(true);
  expect(b.pc.fpuError(false)).toBe(false);
  expect(b.pc.fpuError(true)).toBe(false);
  expect(acknowledge(b)).toBe(IRQ13);
});

it('the latch stays when FERR# goes, and port 0xF0 does not assert IGNNE# without FERR#', () => {
  const b = bench();
  initPic(b, 0xffff);
  b.pc.fpuError(true);
  expect(acknowledge(b)).toBe(IRQ13);
  b.pc.fpuError(false);
  b.pc.fpuError(true);
  expect(b.pc.hasInterrupt(0)).toBe(false);
  b.pc.fpuError(false);
  b.out(0xf0, 0);
  expect(b.pc.fpuError(true)).toBe(false);
  expect(acknowledge(b)).toBe(IRQ13);
});
