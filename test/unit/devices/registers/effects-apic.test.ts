// What registers of the APICs do beside keeping their bits (SDM vol. 3, chapter 11; 82093AA data sheet), beside test/unit/devices/apic.test.ts.
import { describe, expect, it } from 'vitest';
import { Pending } from '../../../../src/layout/cpu.ts';
import { type Bench, bench } from '../harness.ts';
import { IOAPIC } from './ioapic.ts';
import { LAPIC, LAPIC_NOTHING } from './lapic.ts';

const ESR = LAPIC + 0x280;
const SELF = 0x40000;
/** What was collected; a write shows it. */
const errors = (b: Bench): number => {
  b.write(ESR, 0);
  return b.read(ESR);
};

describe('local APIC', () => {
  it.each(LAPIC_NOTHING)('an access at %i, where no register is, is an error', (offset) => {
    const b = bench();
    expect(b.read(LAPIC + offset)).toBe(0);
    expect(errors(b)).toBe(0x80);
    b.write(LAPIC + offset, 0);
    expect(errors(b)).toBe(0x80);
    expect(errors(b)).toBe(0);
  });

  it('an access to any register is none', () => {
    const b = bench();
    for (let offset = 0x20; offset < 0x400; offset += 16) if (!LAPIC_NOTHING.includes(offset)) b.read(LAPIC + offset);
    for (const offset of [0x30, 0x90, 0xa0, 0xb0, 0xc0, 0x100, 0x180, 0x270, 0x390]) b.write(LAPIC + offset, 0);
    expect(errors(b)).toBe(0);
  });

  it('errors interrupt once until the ESR is written', () => {
    const b = bench();
    b.write(LAPIC + 0x370, 0xfe);
    const acknowledged = (): number => {
      const vector = b.pc.interruptAck(0);
      b.write(LAPIC + 0xb0, 0);
      return vector;
    };
    b.write(LAPIC + 0x300, SELF | 3);
    expect(acknowledged()).toBe(0xfe);
    b.write(LAPIC + 0x300, SELF | 4);
    b.read(LAPIC + 0x40);
    expect(acknowledged()).toBe(-1);
    expect([b.read(ESR), errors(b)]).toEqual([0, 0xa0]);
    b.write(LAPIC + 0x300, SELF | 3);
    expect(acknowledged()).toBe(0xfe);
  });

  it('disabled by software it masks its LVT and accepts nothing more; what it had accepted goes on', () => {
    const b = bench(2);
    b.write(LAPIC + 0x370, 0xfe);
    b.write(LAPIC + 0x300, SELF | 0x41);
    b.write(LAPIC + 0xf0, 0xff);
    expect(b.read(LAPIC + 0x370)).toBe(0x100fe);
    b.write(LAPIC + 0x370, 0xfe);
    expect(b.read(LAPIC + 0x370), 'the mask cannot go').toBe(0x100fe);
    b.write(LAPIC + 0x300, SELF | 0x51);
    expect(b.read(LAPIC + 0x220)).toBe(1 << 1);
    expect(b.pending(0)).toBe(Pending.INTR);
    expect(b.pc.interruptAck(0)).toBe(0x41);
    b.write(LAPIC + 0xb0, 0);
    expect(b.pc.interruptAck(0)).toBe(-1);
    b.write(LAPIC + 0x300, SELF | 0x400);
    expect(b.pending(0), 'NMI').toBe(Pending.NMI);
    b.write(LAPIC + 0x300, 0xc0500);
    expect(b.pending(1), 'it can send').toBe(Pending.INIT);
  });

  it('the TMR tells level from edge at acceptance alone', () => {
    const b = bench();
    const tmr = () => b.read(LAPIC + 0x1a0);
    b.write(IOAPIC, 0x10 + 2 * 17);
    b.write(IOAPIC + 0x10, 0x8051);
    b.pc.parts.interrupts.setIrq(17, true);
    expect(tmr()).toBe(1 << 17);
    b.pc.parts.interrupts.setIrq(17, false);
    expect(b.pc.interruptAck(0)).toBe(0x51);
    b.write(LAPIC + 0xb0, 0);
    expect(tmr(), 'EOI').toBe(1 << 17);
    b.write(LAPIC + 0x300, SELF | 0x51);
    expect(tmr(), 'an edge').toBe(0);
  });

  it('PPR is the higher of TPR and what is in service', () => {
    const b = bench();
    const ppr = () => b.read(LAPIC + 0xa0);
    b.write(LAPIC + 0x80, 0x35);
    expect(ppr()).toBe(0x35);
    b.write(LAPIC + 0x300, SELF | 0x62);
    expect(b.pc.interruptAck(0)).toBe(0x62);
    expect(ppr()).toBe(0x60);
    b.write(LAPIC + 0x80, 0x7f);
    expect(ppr()).toBe(0x7f);
    b.write(LAPIC + 0xb0, 0);
    b.write(LAPIC + 0x80, 0);
    expect(ppr()).toBe(0);
  });

  it('the initial count is ignored in TSC-deadline mode, and 0 stops', () => {
    const b = bench();
    b.write(LAPIC + 0x320, 0x40030);
    b.write(LAPIC + 0x380, 1000);
    expect([b.read(LAPIC + 0x380), b.read(LAPIC + 0x390)]).toEqual([0, 0]);
    b.write(LAPIC + 0x320, 0x20030);
    b.write(LAPIC + 0x380, 1000);
    b.time.now += 100;
    expect(b.read(LAPIC + 0x390)).toBe(950);
    b.write(LAPIC + 0x380, 0);
    expect(b.read(LAPIC + 0x390)).toBe(0);
    b.advance(1e6);
    expect(b.pc.interruptAck(0)).toBe(-1);
  });

  it.each([
    [0, 2],
    [1, 4],
    [2, 8],
    [3, 16],
    [8, 32],
    [9, 64],
    [10, 128],
    [11, 1],
  ])('divide configuration %i divides by %i', (code, by) => {
    const b = bench();
    b.write(LAPIC + 0x3e0, code);
    b.write(LAPIC + 0x380, 1_000_000);
    b.time.now += 1280;
    expect(b.read(LAPIC + 0x390)).toBe(1_000_000 - 1280 / by);
  });

  it('registers are read at their first four bytes, and written as a whole', () => {
    const b = bench();
    b.write(LAPIC + 0x80, 0x20);
    b.pc.mmioWrite(0, LAPIC + 0x80, 1, 0x70);
    b.write(LAPIC + 0x84, 0x70);
    expect(b.read(LAPIC + 0x80)).toBe(0x20);
    expect(errors(b)).toBe(0);
  });
});

describe('I/O APIC', () => {
  const low = (b: Bench, input: number, value?: number): number => {
    b.write(IOAPIC, 0x10 + 2 * input);
    if (value !== undefined) b.write(IOAPIC + 0x10, value);
    return b.read(IOAPIC + 0x10);
  };

  it('registers are written whole; of the select register a byte is enough', () => {
    const b = bench();
    b.pc.mmioWrite(0, IOAPIC, 1, 0x12);
    expect(b.read(IOAPIC)).toBe(0x12);
    b.pc.mmioWrite(0, IOAPIC + 1, 1, 0x14);
    b.pc.mmioWrite(0, IOAPIC + 0x10, 1, 0);
    b.pc.mmioWrite(0, IOAPIC + 0x12, 2, 0);
    expect([b.read(IOAPIC), b.read(IOAPIC + 0x10)]).toEqual([0x12, 0x10000]);
  });

  it('an edge under the mask is lost, a level under it waits', () => {
    const b = bench();
    low(b, 4, 0x10034);
    low(b, 17, 0x18051);
    b.pc.parts.interrupts.setIrq(4, true);
    b.pc.parts.interrupts.setIrq(17, true);
    low(b, 4, 0x34);
    expect(b.pc.interruptAck(0)).toBe(-1);
    low(b, 17, 0x8051);
    expect(b.pc.interruptAck(0)).toBe(0x51);
  });

  it('the remote IRR is set by a level, and goes with EOI, with the EOI register, or with edge mode', () => {
    for (const end of ['lapic', 'eoi register', 'edge mode'] as const) {
      const b = bench();
      low(b, 17, 0x8051);
      b.pc.parts.interrupts.setIrq(17, true);
      expect(b.pc.interruptAck(0)).toBe(0x51);
      b.pc.parts.interrupts.setIrq(17, false);
      expect(low(b, 17)).toBe(0xc051);
      low(b, 17, 0x18051);
      expect(low(b, 17), 'it cannot be written').toBe(0x1c051);
      if (end === 'lapic') b.write(LAPIC + 0xb0, 0);
      else if (end === 'eoi register') b.write(IOAPIC + 0x40, 0x51);
      else low(b, 17, 0x10051);
      expect(low(b, 17) & 0x4000, end).toBe(0);
    }
  });

  it('a vector below 10H is an error of who receives it', () => {
    const b = bench();
    low(b, 4, 0x0f);
    b.pc.parts.interrupts.setIrq(4, true);
    expect(errors(b)).toBe(0x40);
    expect(b.pc.interruptAck(0)).toBe(-1);
  });
});
