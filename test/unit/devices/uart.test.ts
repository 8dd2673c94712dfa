// The 16550A, as Linux's 8250 driver probes and uses it.
import { describe, expect, it } from 'vitest';
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

describe('what is typed before the guest reads', () => {
  const typed = Array.from({ length: 40 }, (_, i) => i + 1);
  const received = (b: ReturnType<typeof bench>) => {
    const got: number[] = [];
    while ((b.in(COM1 + 5) & 1) !== 0) got.push(b.in(COM1));
    return got;
  };

  it.each([1, 2, 40])('is all there behind a set-up of the port: %i bytes', (count) => {
    const b = bench();
    initPic(b, 0x10);
    const input = typed.slice(0, count);
    b.pc.serialInput(0, Uint8Array.from(input));
    expect(b.in(COM1 + 5) & 1).toBe(1);
    // FIFOs on and emptied, off, on with the receiver's emptied.
    for (const fcr of [7, 0, 1, 3]) b.out(COM1 + 2, fcr);
    b.out(COM1 + 4, 0x0b);
    expect(b.pc.hasInterrupt(0)).toBe(false);
    b.out(COM1 + 1, 1);
    expect(b.pc.interruptAck(0)).toBe(0x34);
    expect(b.in(COM1 + 2)).toBe(0xc4);
    expect(received(b)).toEqual(input);
    expect(b.in(COM1 + 2)).toBe(0xc1);
  });

  it('keeps out of a test in loop-back', () => {
    const b = bench();
    b.pc.serialInput(0, Uint8Array.of(1, 2, 3));
    b.out(COM1 + 3, 3);
    b.out(COM1 + 2, 7);
    b.out(COM1 + 4, 0x1e);
    expect(b.in(COM1 + 5)).toBe(0x60);
    b.out(COM1, 0xae);
    expect([b.in(COM1), b.in(COM1 + 5)]).toEqual([0xae, 0x60]);
    b.out(COM1 + 4, 0x0b);
    expect(received(b)).toEqual([1, 2, 3]);
  });

  it('interrupts at the trigger level while more is to come, and for what is below it at the end', () => {
    const b = bench();
    b.out(COM1 + 2, 0xc1);
    b.out(COM1 + 1, 1);
    b.pc.serialInput(0, Uint8Array.from(typed.slice(0, 15)));
    const seen = typed.slice(0, 15).map(() => {
      const id = b.in(COM1 + 2);
      b.in(COM1);
      return id;
    });
    expect(seen).toEqual([0xc4, 0xc4, ...Array.from({ length: 13 }, () => 0xcc)]);
  });
});

describe('while nobody takes its output', () => {
  const THRE = 0x20;
  const EMPTY = 0x60;

  /** A port whose receiver asks to wait at each call. */
  function port() {
    const got: number[] = [];
    let calls = 0;
    let go = () => {};
    const b = bench(1, {
      serial: [
        {
          onOutput(bytes) {
            got.push(...bytes);
            calls++;
            return new Promise<void>((resolve) => {
              go = resolve;
            });
          },
        },
      ],
    });
    const work = () => b.pc.hub.runHostSignals();
    /** Lets the receiver have the next bytes. */
    const next = async () => {
      go();
      await new Promise((resolve) => setImmediate(resolve));
      work();
    };
    return { b, got, work, next, calls: () => calls };
  }

  it('has a full transmitter, behind a bounded number of bytes, and loses none', async () => {
    const { b, got, work, next, calls } = port();
    let sent = 0;
    // As a driver does that fills the FIFO when the transmitter is empty.
    const sendAll = () => {
      for (let rounds = 0; rounds < 10_000 && (b.in(COM1 + 5) & THRE) !== 0; rounds++)
        for (let n = 0; n < 16; n++) b.out(COM1, sent++ & 0xff);
    };
    b.out(COM1, sent++);
    work();
    sendAll();
    work();
    expect([got.length, calls()]).toEqual([1, 1]);
    expect(sent).toBeGreaterThan(1024);
    expect(sent).toBeLessThanOrEqual(32768);
    expect(b.in(COM1 + 5)).toBe(0);
    await next();
    expect([got.length, calls()]).toEqual([sent, 2]);
    expect(b.in(COM1 + 5)).toBe(EMPTY);
    sendAll();
    await next();
    expect(got).toEqual(Array.from({ length: sent }, (_, n) => n & 0xff));
  });

  it('interrupts when there is room again, and not before', async () => {
    const { b, work, next } = port();
    initPic(b, 0x10);
    b.out(COM1 + 2, 1);
    b.out(COM1, 0);
    work();
    b.out(COM1 + 1, 2);
    let interrupts = 0;
    // The handler of a driver that has always more to send.
    const handle = () => {
      for (; b.pc.interruptAck(0) === 0x34; interrupts++) {
        if (b.in(COM1 + 2) === 0xc2) for (let n = 0; n < 16; n++) b.out(COM1, n);
        b.out(0x20, 0x20);
      }
    };
    handle();
    const before = interrupts;
    expect(before).toBeGreaterThan(64);
    expect(b.in(COM1 + 2)).toBe(0xc1);
    // Nor does it when the interrupt is enabled anew.
    b.out(COM1 + 1, 0);
    b.out(COM1 + 1, 2);
    handle();
    expect(interrupts).toBe(before);
    await next();
    handle();
    expect(interrupts).toBeGreaterThan(before + 64);
  });

  it('is full behind a reset too, and empty in a loop', async () => {
    const { b, work, next } = port();
    b.out(COM1, 0);
    work();
    for (let n = 0; n < 20_000 && (b.in(COM1 + 5) & THRE) !== 0; n++) b.out(COM1, 0);
    b.pc.parts.serial[0]!.reset();
    expect(b.in(COM1 + 5)).toBe(0);
    b.out(COM1 + 3, 3);
    b.out(COM1 + 4, 0x10);
    expect(b.in(COM1 + 5)).toBe(EMPTY);
    b.out(COM1, 0x42);
    expect([b.in(COM1 + 5), b.in(COM1), b.in(COM1 + 5)]).toEqual([EMPTY | 1, 0x42, EMPTY]);
    b.out(COM1 + 4, 0);
    expect(b.in(COM1 + 5)).toBe(0);
    await next();
    expect(b.in(COM1 + 5)).toBe(EMPTY);
  });
});
