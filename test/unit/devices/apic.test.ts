// Local APICs and the I/O APIC.
import { describe, expect, it } from 'vitest';
import { Pending } from '../../../src/layout/cpu.ts';
import { type Bench, bench } from './harness.ts';

const LAPIC = 0xfee00000;
const IOAPIC = 0xfec00000;
const route = (b: Bench, input: number, low: number, destination: number): void => {
  b.write(IOAPIC, 0x11 + 2 * input);
  b.write(IOAPIC + 0x10, destination << 24);
  b.write(IOAPIC, 0x10 + 2 * input);
  b.write(IOAPIC + 0x10, low);
};
const entry = (b: Bench, input: number): number => {
  b.write(IOAPIC, 0x10 + 2 * input);
  return b.read(IOAPIC + 0x10);
};
const enable = (b: Bench, cpu: number): void => b.write(LAPIC + 0xf0, 0x1ff, cpu);

describe('Lapic', () => {
  it('has identity and version for each CPU', () => {
    const b = bench(3);
    expect(b.read(LAPIC + 0x20, 2)).toBe(0x02000000);
    expect(b.read(LAPIC + 0x30, 1)).toBe(0x50014);
    expect(b.read(LAPIC + 0x320, 1)).toBe(0x10000);
  });

  it('starts application processors: INIT, SIPI, and a second SIPI without effect', () => {
    const b = bench(2);
    b.write(LAPIC + 0x310, 1 << 24);
    b.write(LAPIC + 0x300, 0xc500);
    expect(b.pending(1)).toBe(Pending.INIT);
    b.write(LAPIC + 0x300, 0x8500);
    b.write(LAPIC + 0x300, 0x699);
    expect(b.pending(1)).toBe(Pending.INIT | Pending.SIPI);
    expect(b.pc.parts.lapic.sipiVector(1)).toBe(0x99);
    b.write(LAPIC + 0x300, 0x612);
    expect(b.pc.parts.lapic.sipiVector(1)).toBe(0x99);
    expect(b.read(LAPIC + 0x300) & 0x1000).toBe(0);
  });

  it('orders by priority, with TPR and nested service', () => {
    const b = bench(1);
    b.write(LAPIC + 0x300, 0x40041);
    b.write(LAPIC + 0x300, 0x40081);
    expect(b.pc.interruptAck(0)).toBe(0x81);
    expect(b.read(LAPIC + 0xa0)).toBe(0x80);
    expect(b.pc.hasInterrupt(0)).toBe(false);
    b.write(LAPIC + 0x300, 0x40091);
    expect(b.pc.interruptAck(0)).toBe(0x91);
    expect(b.read(LAPIC + 0x100 + 0x40)).toBe(0x00020002);
    b.write(LAPIC + 0xb0, 0);
    b.write(LAPIC + 0x80, 0x50);
    b.write(LAPIC + 0xb0, 0);
    expect(b.pc.interruptAck(0)).toBe(-1);
    b.write(LAPIC + 0x80, 0);
    expect(b.pending(0)).toBe(Pending.INTR);
    expect(b.pc.interruptAck(0)).toBe(0x41);
  });

  it('reaches CPUs by shorthand and logical destination, and sends NMI', () => {
    const b = bench(4);
    for (let cpu = 0; cpu < 4; cpu++) {
      enable(b, cpu);
      b.write(LAPIC + 0xe0, -1, cpu);
      b.write(LAPIC + 0xd0, 1 << (24 + cpu), cpu);
    }
    b.write(LAPIC + 0x300, 0xc00fd);
    expect([0, 1, 2, 3].map((cpu) => b.pc.interruptAck(cpu))).toEqual([-1, 0xfd, 0xfd, 0xfd]);
    for (let cpu = 1; cpu < 4; cpu++) b.write(LAPIC + 0xb0, 0, cpu);
    b.write(LAPIC + 0x310, 0x0a << 24, 2);
    b.write(LAPIC + 0x300, 0x8f2, 2);
    expect([0, 1, 2, 3].map((cpu) => b.pc.interruptAck(cpu))).toEqual([-1, 0xf2, -1, 0xf2]);
    b.write(LAPIC + 0x300, 0xc0400);
    expect([1, 2, 3].map((cpu) => b.pending(cpu))).toEqual([Pending.NMI, Pending.NMI, Pending.NMI]);
  });

  it('times: one-shot, periodic, TSC deadline', () => {
    const b = bench(1);
    b.write(LAPIC + 0x3e0, 0x3);
    b.write(LAPIC + 0x320, 0xec);
    b.write(LAPIC + 0x380, 1000);
    b.advance(8000);
    expect(b.read(LAPIC + 0x390)).toBe(500);
    b.advance(8000);
    expect(b.pc.interruptAck(0)).toBe(0xec);
    b.write(LAPIC + 0xb0, 0);
    expect(b.read(LAPIC + 0x390)).toBe(0);
    expect(b.pc.hub.nextDeadline()).not.toBe(b.time.now);
    b.write(LAPIC + 0x320, 0x200ec);
    b.write(LAPIC + 0x380, 62500);
    let ticks = 0;
    b.advance(10_000_000, () => {
      if (b.pc.interruptAck(0) === 0xec) ticks++;
      b.write(LAPIC + 0xb0, 0);
    });
    expect(ticks).toBe(10);
    b.write(LAPIC + 0x320, 0x400ec);
    expect(b.read(LAPIC + 0x390)).toBe(0);
    b.pc.parts.lapic.setTscDeadline(0, b.time.now + 5000);
    expect(b.pc.parts.lapic.tscDeadlineArmed(0)).toBe(true);
    b.advance(5000);
    expect(b.pc.interruptAck(0)).toBe(0xec);
    expect(b.pc.parts.lapic.tscDeadlineArmed(0)).toBe(false);
  });

  it('is switched off and on by IA32_APIC_BASE', () => {
    const b = bench(2);
    const OFF = 0xfee00000;
    const ON = 0xfee00800;
    enable(b, 1);
    b.write(LAPIC + 0x320, 0xec, 1);
    b.write(LAPIC + 0x300, 0x40041, 1);
    b.pc.setApicBase(1, ON);
    expect(b.pending(1), 'nothing changes').toBe(Pending.INTR);
    b.pc.setApicBase(1, OFF);
    expect(b.pending(1)).toBe(0);
    expect(b.read(LAPIC + 0x30, 1)).toBe(0xffffffff);
    b.write(LAPIC + 0xf0, 0x1ff, 1);
    b.write(LAPIC + 0x300, 0xc0091);
    b.write(LAPIC + 0x300, 0xc0400);
    expect([b.pc.interruptAck(1), b.pending(1)]).toEqual([-1, 0]);
    b.pc.setApicBase(1, ON);
    expect(b.read(LAPIC + 0x20, 1)).toBe(0x01000000);
    expect(b.read(LAPIC + 0x320, 1)).toBe(0x10000);
    b.write(LAPIC + 0x300, 0xc0091);
    expect(b.pending(1), 'software must enable it').toBe(0);
    enable(b, 1);
    b.write(LAPIC + 0x300, 0xc0091);
    expect(b.pc.interruptAck(1)).toBe(0x91);
  });

  it('is out of the way of the 8259s when it is off', () => {
    const b = bench(1);
    b.write(LAPIC + 0x350, 0x18700);
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x20],
      [0x21, 4],
      [0x21, 1],
      [0x21, 0xfe],
    ] as const)
      b.out(port, value);
    b.pc.parts.interrupts.setIrq(0, true);
    expect(b.pending(0)).toBe(0);
    b.pc.setApicBase(0, 0xfee00100);
    expect(b.pending(0)).toBe(Pending.INTR);
    expect(b.pc.interruptAck(0)).toBe(0x20);
  });

  it('collects errors', () => {
    const b = bench(1);
    b.write(LAPIC + 0x370, 0xfe);
    b.write(LAPIC + 0x300, 0x40003);
    expect(b.read(LAPIC + 0x280)).toBe(0);
    b.write(LAPIC + 0x280, 0);
    expect(b.read(LAPIC + 0x280)).toBe(0x20);
    expect(b.pc.interruptAck(0)).toBe(0xfe);
  });
});

describe('IoApic', () => {
  it('has identity, version and masked inputs', () => {
    const b = bench(2);
    b.write(IOAPIC, 0);
    expect(b.read(IOAPIC + 0x10)).toBe(0x02000000);
    b.write(IOAPIC, 1);
    expect(b.read(IOAPIC + 0x10)).toBe(0x00170020);
    for (const id of [2, 5]) {
      b.write(IOAPIC, 0);
      if (id !== 2) b.write(IOAPIC + 0x10, id << 24);
      b.write(IOAPIC, 2);
      expect(b.read(IOAPIC + 0x10), 'arbitration ID').toBe(id << 24);
    }
    expect(entry(b, 23)).toBe(0x10000);
  });

  it('delivers the timer at input 2, once an edge', () => {
    const b = bench(2);
    enable(b, 1);
    route(b, 2, 0x31, 1);
    b.out(0x43, 0x34);
    b.out(0x40, 0xff);
    b.out(0x40, 0x00);
    b.advance(300000);
    expect(b.pc.interruptAck(1)).toBe(0x31);
    expect(b.pc.interruptAck(1)).toBe(-1);
    expect(b.pending(1)).toBe(0);
  });

  it('holds a level until EOI, and repeats it while the line is up', () => {
    const b = bench(1);
    route(b, 17, 0xa051, 0);
    b.pc.parts.interrupts.setIrq(17, true);
    expect(entry(b, 17) & 0x4000).toBe(0x4000);
    expect(b.pc.interruptAck(0)).toBe(0x51);
    expect(b.read(LAPIC + 0x180 + 0x20)).toBe(0x00020000);
    b.write(LAPIC + 0xb0, 0);
    expect(b.pc.interruptAck(0)).toBe(0x51);
    b.pc.parts.interrupts.setIrq(17, false);
    b.write(LAPIC + 0xb0, 0);
    expect(b.read(LAPIC + 0x180 + 0x20), 'TMR').toBe(0x00020000);
    expect(entry(b, 17) & 0x4000).toBe(0);
    expect(b.pc.interruptAck(0)).toBe(-1);
    route(b, 17, 0x1a051, 0);
    b.pc.parts.interrupts.setIrq(17, true);
    expect(b.pc.interruptAck(0)).toBe(-1);
    route(b, 17, 0xa051, 0);
    expect(b.pc.interruptAck(0)).toBe(0x51);
  });

  it('sends NMI, and connects the 8259s in ExtINT mode', () => {
    const b = bench(2);
    route(b, 4, 0x400, 1);
    b.pc.parts.interrupts.setIrq(4, true);
    expect(b.pending(1)).toBe(Pending.NMI);
    enable(b, 1);
    route(b, 0, 0x700, 1);
    b.write(LAPIC + 0x350, 0x10700);
    b.out(0x21, 0xfd);
    b.pc.parts.interrupts.setIrq(1, true);
    expect(b.pc.hasInterrupt(0)).toBe(false);
    expect(b.pc.interruptAck(1)).toBe(9);
  });
});
