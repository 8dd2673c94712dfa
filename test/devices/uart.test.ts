// The 16550A, as Linux's 8250 driver probes and uses it.
import { expect, it } from 'vitest';
import { bench, initPic } from './harness.ts';

const COM1 = 0x3f8;

it('looks like a 16550A to the probe', () => {
  const b = bench();
  b.out(COM1 + 1, 0);
  expect(b.in(COM1 + 1) & 15).toBe(0);
  b.out(COM1 + 1, 0x4f);
  expect(b.in(COM1 + 1)).toBe(15);
  b.out(COM1 + 1, 0);
  b.out(COM1 + 4, 0x1a);
  expect(b.in(COM1 + 6) & 0xf0).toBe(0x90);
  b.out(COM1 + 3, 3);
  b.out(COM1, 0x42);
  expect(b.in(COM1)).toBe(0x42);
  b.out(COM1 + 4, 0x0b);
  b.out(COM1 + 2, 1);
  expect(b.in(COM1 + 2)).toBe(0xc1);
  b.out(COM1 + 3, 0x83);
  b.out(COM1, 0x0c);
  expect([b.in(COM1), b.in(COM1 + 1)]).toEqual([0x0c, 0]);
  b.out(COM1 + 3, 3);
  b.out(COM1 + 7, 0x5a);
  expect(b.in(COM1 + 7)).toBe(0x5a);
  expect(b.in(COM1 + 5)).toBe(0x60);
});

it('loses no output, however fast the guest writes', () => {
  const got: number[] = [];
  const b = bench(1, { serial: [{ onOutput: (bytes) => got.push(...bytes) }] });
  const wanted = Array.from({ length: 50000 }, (_, i) => (i * 7) & 0xff);
  for (const byte of wanted) b.out(COM1, byte);
  b.pc.hub.runHostSignals();
  expect(got).toEqual(wanted);
  b.out(COM1, 65);
  b.pc.hub.runHostSignals();
  expect(got.at(-1)).toBe(65);
});

it('interrupts for an empty transmitter and for input, which flows in as it is read', () => {
  const b = bench();
  initPic(b, 0x10);
  b.out(COM1 + 2, 0x81);
  b.out(COM1 + 1, 3);
  expect(b.pc.interruptAck(0)).toBe(0x34);
  expect(b.in(COM1 + 2)).toBe(0xc2);
  expect(b.in(COM1 + 2)).toBe(0xc1);
  b.out(0x20, 0x20);
  b.pc.serialInput(0, Uint8Array.of(1, 2, 3));
  expect(b.pc.interruptAck(0)).toBe(0x34);
  expect(b.in(COM1 + 2)).toBe(0xcc);
  const input = Uint8Array.from({ length: 10000 }, (_, i) => i & 0xff);
  b.pc.serialInput(0, input);
  expect(b.in(COM1 + 2)).toBe(0xc4);
  const got: number[] = [];
  while ((b.in(COM1 + 5) & 1) !== 0) {
    got.push(b.in(COM1));
    b.pc.hub.runHostSignals();
  }
  expect(got).toEqual([1, 2, 3, ...input]);
  expect(b.in(COM1 + 2)).toBe(0xc1);
});
