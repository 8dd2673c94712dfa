// What the 8259As' command words do (8259A data sheet), beside test/unit/devices/pic.test.ts.
import { describe, expect, it } from 'vitest';
import { Pending } from '../../../../src/layout/cpu.ts';
import { type Bench, bench, initPic } from '../harness.ts';

/** Initialises both chips with these ICW3 and ICW4; vectors 30H and 38H; nothing masked. */
function init(b: Bench, { icw3 = [4, 2], icw4 = 1 }: { icw3?: [number, number]; icw4?: number } = {}): void {
  for (const [port, base, cascade] of [
    [0x20, 0x30, icw3[0]],
    [0xa0, 0x38, icw3[1]],
  ] as const) {
    b.out(port, 0x11);
    b.out(port + 1, base);
    b.out(port + 1, cascade);
    b.out(port + 1, icw4);
    b.out(port + 1, 0);
  }
}
const status = (b: Bench, command: number): number => {
  b.out(0x20, command);
  return b.in(0x20);
};
const irr = (b: Bench): number => status(b, 0x0a);
const isr = (b: Bench): number => status(b, 0x0b);
const raise = (b: Bench, ...lines: number[]) => {
  for (const line of lines) b.pc.parts.interrupts.setIrq(line, true);
};
const lower = (b: Bench, ...lines: number[]) => {
  for (const line of lines) b.pc.parts.interrupts.setIrq(line, false);
};

describe('requests', () => {
  it('an edge that is not acknowledged goes with its line', () => {
    const b = bench();
    init(b);
    raise(b, 4);
    expect(irr(b)).toBe(0x10);
    lower(b, 4);
    expect([irr(b), b.pending(0), b.pc.interruptAck(0)]).toEqual([0, 0, -1]);
    raise(b, 4);
    expect(b.pc.interruptAck(0)).toBe(0x34);
  });

  it('where it goes between INT and INTA the vector is that of IR7, without a bit in service', () => {
    const b = bench();
    init(b);
    raise(b, 4);
    lower(b, 4);
    expect(b.pc.parts.pic.acknowledge()).toBe(0x37);
    expect(isr(b)).toBe(0);
  });

  it('an edge under the mask waits for the mask', () => {
    const b = bench();
    init(b);
    b.out(0x21, 0xff);
    raise(b, 3);
    expect([irr(b), b.pc.interruptAck(0)]).toEqual([8, -1]);
    b.out(0x21, 0xf7);
    expect(b.pc.interruptAck(0)).toBe(0x33);
  });

  it('a line that stays up gives one edge, in level mode (ELCR, LTIM) one for each end of service', () => {
    for (const mode of ['edge', 'elcr', 'ltim'] as const) {
      const b = bench();
      if (mode === 'ltim') {
        for (const word of [0x19, 0x30, 4, 1, 0]) b.out(word === 0x19 ? 0x20 : 0x21, word);
      } else init(b);
      if (mode === 'elcr') b.out(0x4d0, 0x20);
      raise(b, 5);
      expect(b.pc.interruptAck(0), mode).toBe(0x35);
      b.out(0x20, 0x20);
      expect(b.pc.interruptAck(0), mode).toBe(mode === 'edge' ? -1 : 0x35);
    }
  });
});

describe('initialization', () => {
  it('ICW1 clears mask, service, special mask mode and priorities; lines that are up must fall first', () => {
    const b = bench();
    init(b);
    raise(b, 5, 6);
    expect(b.pc.interruptAck(0)).toBe(0x35);
    b.out(0x20, 0xc6);
    b.out(0x21, 0xff);
    b.out(0x20, 0x68);
    init(b);
    expect([irr(b), isr(b), b.in(0x21)]).toEqual([0, 0, 0]);
    raise(b, 7, 0);
    expect(b.pc.interruptAck(0), 'IR0 is the highest').toBe(0x30);
    lower(b, 6);
    raise(b, 6);
    b.out(0x20, 0x20);
    expect(b.pc.interruptAck(0)).toBe(0x36);
  });

  it('takes as many words as ICW1 says: ICW3 not with SNGL, ICW4 only with IC4', () => {
    const b = bench();
    b.out(0x20, 0x12);
    b.out(0x21, 0x40);
    b.out(0x21, 0xfb);
    expect(b.in(0x21), 'the third is OCW1').toBe(0xfb);
    raise(b, 12);
    b.out(0xa1, 0xef);
    raise(b, 2);
    expect(b.pc.interruptAck(0), 'a single 8259A has no slave').toBe(0x42);
    b.out(0x20, 0x10);
    b.out(0x21, 0x48);
    b.out(0x21, 4);
    b.out(0x21, 0x5a);
    expect(b.in(0x21)).toBe(0x5a);
  });

  it('ICW3 says where a slave is, and which it is', () => {
    const b = bench();
    init(b, { icw3: [0, 2] });
    raise(b, 12);
    expect(b.pc.interruptAck(0), 'the master knows of no slave').toBe(0x32);
    const c = bench();
    init(c, { icw3: [4, 5] });
    raise(c, 12);
    expect(c.pc.interruptAck(0), 'nobody answers to number 2').toBe(0xff);
    const d = bench();
    init(d, { icw3: [0x24, 5] });
    raise(d, 5, 12);
    expect(d.pc.interruptAck(0), 'nobody is number 2').toBe(0xff);
    d.out(0x20, 0x62);
    d.out(0x21, 4);
    expect(d.pc.interruptAck(0), 'number 5').toBe(0x3c);
  });
});

describe('priorities', () => {
  it('fully nested: lower ones wait for the end of service, higher ones do not', () => {
    const b = bench();
    init(b);
    raise(b, 4);
    expect(b.pc.interruptAck(0)).toBe(0x34);
    raise(b, 6, 1);
    expect(b.pc.interruptAck(0)).toBe(0x31);
    expect([isr(b), b.pc.interruptAck(0)]).toEqual([0x12, -1]);
    b.out(0x20, 0x20);
    expect([isr(b), b.pc.interruptAck(0)]).toEqual([0x10, -1]);
    b.out(0x20, 0x64);
    expect(b.pc.interruptAck(0)).toBe(0x36);
  });

  it('special fully nested: a higher one of the same slave comes through, a lower input of the master does not', () => {
    for (const special of [false, true]) {
      const b = bench();
      init(b, { icw4: special ? 0x11 : 1 });
      raise(b, 12);
      expect(b.pc.interruptAck(0)).toBe(0x3c);
      raise(b, 4);
      expect(b.pc.interruptAck(0), 'IR4 is lower than the slave').toBe(-1);
      raise(b, 8);
      expect(b.pc.interruptAck(0), `IR0 of the slave, ${special}`).toBe(special ? 0x38 : -1);
    }
  });

  it('special mask: what is masked holds nothing back, and a non-specific end passes it by', () => {
    const b = bench();
    init(b);
    raise(b, 3);
    expect(b.pc.interruptAck(0)).toBe(0x33);
    b.out(0x21, 0x08);
    raise(b, 6);
    expect(b.pc.interruptAck(0)).toBe(-1);
    b.out(0x20, 0x68);
    expect(b.pc.interruptAck(0)).toBe(0x36);
    b.out(0x20, 0x20);
    b.out(0x20, 0x20);
    expect(isr(b)).toBe(0x08);
    b.out(0x20, 0x48);
    b.out(0x20, 0x20);
    expect(isr(b)).toBe(0);
  });

  it.each([
    ['rotate on non-specific EOI', 0xa0, 0, 6],
    ['rotate on specific EOI', 0xe5, 0, 6],
    ['set priority: IR2 lowest', 0xc2, 0x20, 3],
    ['no operation', 0x40, 0x20, 0],
  ] as const)('OCW2: %s', (_name, command, stillServed, first) => {
    const b = bench();
    init(b);
    raise(b, 5);
    expect(b.pc.interruptAck(0)).toBe(0x35);
    b.out(0x20, command);
    expect(isr(b)).toBe(stillServed);
    b.out(0x20, 0x65);
    lower(b, 5);
    const order: number[] = [];
    raise(b, 0, 1, 3, 4, 5, 6, 7);
    for (let vector = b.pc.interruptAck(0); vector >= 0; vector = b.pc.interruptAck(0)) {
      order.push(vector - 0x30);
      b.out(0x20, 0x60 | (vector & 7));
    }
    const all = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => (first + n) & 7).filter((n) => n !== 2);
    expect(order).toEqual(all);
  });

  it('rotation in automatic EOI mode', () => {
    const b = bench();
    init(b, { icw4: 3 });
    b.out(0x20, 0x80);
    raise(b, 1, 3);
    expect(b.pc.interruptAck(0)).toBe(0x31);
    lower(b, 1);
    raise(b, 1);
    expect([isr(b), b.pc.interruptAck(0)]).toEqual([0, 0x33]);
    b.out(0x20, 0x00);
    expect(b.pc.interruptAck(0)).toBe(0x31);
  });
});

it('a poll is an acknowledgement, on either chip', () => {
  const b = bench();
  initPic(b, 0xffff);
  raise(b, 12);
  b.out(0x20, 0x0c);
  expect(b.in(0x20)).toBe(0x82);
  b.out(0xa0, 0x0c);
  expect(b.in(0xa0)).toBe(0x84);
  expect([isr(b), b.pending(0) & Pending.INTR]).toEqual([4, 0]);
  b.out(0x20, 0x0c);
  expect(b.in(0x20) & 0x80).toBe(0);
});
