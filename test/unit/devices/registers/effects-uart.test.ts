// What the 16550A does (PC16550D data sheet, section 8), beside test/unit/devices/uart.test.ts.
import { describe, expect, it } from 'vitest';
import { type Bench, bench, initPic } from '../harness.ts';
import { COM1 } from './uart.ts';

const [DATA, IER, IIR, FCR, LCR, MCR, LSR, MSR] = [COM1, COM1 + 1, COM1 + 2, COM1 + 2, COM1 + 3, COM1 + 4, COM1 + 5, COM1 + 6];
const LOOP = 0x10;

/** Looped back, eight bits; with or without FIFOs. */
function looped(fifo: boolean): Bench {
  const b = bench();
  b.out(LCR, 3);
  b.out(FCR, fifo ? 1 : 0);
  b.out(MCR, LOOP);
  b.in(MSR);
  return b;
}
const send = (b: Bench, ...bytes: number[]) => {
  for (const byte of bytes) b.out(DATA, byte);
};
const receive = (b: Bench): number[] => {
  const got: number[] = [];
  while ((b.in(LSR) & 1) !== 0) got.push(b.in(DATA));
  return got;
};

describe('receiver', () => {
  it('an overrun destroys the byte that was there; with FIFOs the one that came (8.4, bit 1)', () => {
    const b = looped(false);
    send(b, 1, 2);
    expect(b.in(LSR)).toBe(0x63);
    expect(b.in(LSR), 'a read clears it').toBe(0x61);
    expect(receive(b)).toEqual([2]);
    const c = looped(true);
    send(c, ...Array.from({ length: 18 }, (_, i) => i));
    expect(c.in(LSR)).toBe(0x63);
    expect(receive(c)).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });

  it.each([0, 1, 2, 3])('words of LCR %i', (lcr) => {
    const b = looped(true);
    b.out(LCR, lcr);
    send(b, 0xff);
    expect(receive(b)).toEqual([(1 << (5 + lcr)) - 1]);
  });

  it('a break comes back as a byte of zeros with BI; with FIFOs LSR bit 7 is up as well', () => {
    for (const fifo of [false, true]) {
      const b = looped(fifo);
      b.out(LCR, 0x43);
      expect(b.in(LSR)).toBe(fifo ? 0xf1 : 0x71);
      expect(b.in(LSR)).toBe(0x61);
      expect(receive(b)).toEqual([0]);
    }
  });

  it('FIFO control without its bit 0 programs nothing, but to switch them off', () => {
    const b = looped(false);
    send(b, 7);
    b.out(FCR, 0xc2);
    expect(receive(b)).toEqual([7]);
    const c = looped(true);
    send(c, 7, 8);
    c.out(FCR, 1);
    expect(receive(c), 'nothing was asked').toEqual([7, 8]);
    send(c, 7, 8);
    c.out(FCR, 3);
    expect(receive(c), 'reset').toEqual([]);
    send(c, 7, 8);
    c.out(FCR, 0);
    expect(receive(c), 'off').toEqual([]);
  });

  it.each([
    [0x01, 1],
    [0x41, 4],
    [0x81, 8],
    [0xc1, 14],
  ])('trigger level of FCR %i', (fcr, level) => {
    const b = looped(true);
    b.out(FCR, fcr);
    b.out(IER, 1);
    send(b, ...Array.from({ length: level - 1 }, (_, i) => i));
    if (level > 1) expect(b.in(IIR), 'time-out').toBe(0xcc);
    send(b, 0xff);
    expect(b.in(IIR)).toBe(0xc4);
  });
});

describe('interrupts', () => {
  it('come by priority: line status, data, transmitter, modem', () => {
    const b = looped(false);
    b.out(IER, 0x0f);
    b.out(MCR, LOOP | 1);
    send(b, 1, 2);
    expect(b.in(IIR)).toBe(6);
    b.in(LSR);
    expect(b.in(IIR)).toBe(4);
    b.in(DATA);
    expect(b.in(IIR)).toBe(2);
    expect(b.in(IIR), 'the read cleared it').toBe(0);
    b.in(MSR);
    expect(b.in(IIR)).toBe(1);
  });

  it('ETBEI interrupts at once where the transmitter is empty, and only as it is set', () => {
    const b = bench();
    initPic(b, 0x10);
    b.out(IER, 2);
    expect(b.pc.interruptAck(0)).toBe(0x34);
    expect(b.in(IIR)).toBe(2);
    b.out(IER, 2);
    expect(b.in(IIR)).toBe(1);
    b.out(IER, 0);
    b.out(IER, 2);
    expect(b.in(IIR)).toBe(2);
  });

  it('a request that software met by polling is no interrupt any more', () => {
    const b = looped(false);
    initPic(b, 0x10);
    b.out(IER, 1);
    send(b, 9);
    expect(b.pc.hasInterrupt(0)).toBe(true);
    b.in(DATA);
    expect(b.pc.hasInterrupt(0)).toBe(false);
    expect(b.pc.interruptAck(0)).toBe(-1);
  });
});

it('the modem lines are the outputs in loop-back, and changes stay until the MSR is read; RI counts as it falls', () => {
  const b = looped(false);
  expect(b.in(MSR)).toBe(0);
  for (const [mcr, msr] of [
    [0x01, 0x22],
    [0x03, 0x31],
    [0x07, 0x70],
    [0x0f, 0xf8],
    [0x0b, 0xb4],
    [0x00, 0x0b],
  ] as const) {
    b.out(MCR, LOOP | mcr);
    expect(b.in(MSR), `MCR ${mcr}`).toBe(msr);
    expect(b.in(MSR) & 15).toBe(0);
  }
  send(b, 0x41);
  b.pc.hub.runHostSignals();
  expect(receive(b)).toEqual([0x41]);
});
