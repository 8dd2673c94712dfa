// The local APIC's timer where its modes and deadlines meet (SDM vol. 3, 11.5.4).
import { describe, expect, it } from 'vitest';
import { Pending } from '../../../src/layout/cpu.ts';
import { type Bench, bench } from './harness.ts';

const LAPIC = 0xfee00000;
const LVT = LAPIC + 0x320;
const INITIAL = LAPIC + 0x380;
const CURRENT = LAPIC + 0x390;
const ONE_SHOT = 0xec;
const PERIODIC = 0x200ec;
const TSC_DEADLINE = 0x400ec;

/** Counts at 1 GHz; the vector is 0xEC. */
function timer(mode: number): Bench {
  const b = bench(1);
  b.write(LAPIC + 0x3e0, 0xb);
  b.write(LVT, mode);
  return b;
}

/** Takes the interrupts that come in so many nanoseconds. */
function taken(b: Bench, nanoseconds: number): number {
  let count = 0;
  b.advance(nanoseconds, () => {
    if (b.pc.interruptAck(0) === 0xec) count++;
    b.write(LAPIC + 0xb0, 0);
  });
  return count;
}

describe('one-shot and periodic', () => {
  it('a one-shot count that ran out stays at 0 when it is made periodic, until the next initial count', () => {
    const b = timer(ONE_SHOT);
    b.write(INITIAL, 1000);
    expect(taken(b, 1500)).toBe(1);
    b.write(LVT, PERIODIC);
    expect(b.read(CURRENT)).toBe(0);
    expect(taken(b, 10_000)).toBe(0);
    expect(b.read(CURRENT)).toBe(0);
    b.write(INITIAL, 1000);
    expect(taken(b, 10_000)).toBe(10);
  });

  it('a running count goes on when the mode changes', () => {
    const b = timer(ONE_SHOT);
    b.write(INITIAL, 1000);
    b.advance(300);
    b.write(LVT, PERIODIC);
    expect(b.read(CURRENT)).toBe(700);
    expect(taken(b, 2750)).toBe(3);
    b.write(LVT, ONE_SHOT);
    expect(b.read(CURRENT)).toBe(950);
    expect(taken(b, 10_000)).toBe(1);
    expect(b.read(CURRENT)).toBe(0);
  });

  it('what ran out before a write is owed by the registers as they were', () => {
    for (const write of [
      (b: Bench) => b.write(LVT, PERIODIC),
      (b: Bench) => b.write(INITIAL, 5000),
      (b: Bench) => b.write(LAPIC + 0x3e0, 0),
    ]) {
      const b = timer(ONE_SHOT);
      b.write(INITIAL, 1000);
      // The timekeeper is late.
      b.time.now = 1200;
      write(b);
      expect(b.pending(0)).toBe(Pending.INTR);
      expect(b.pc.interruptAck(0)).toBe(0xec);
    }
  });
});

describe('TSC deadline', () => {
  it.each([0, 1, 5000])('one that is %i ns old interrupts at once', (age) => {
    const b = timer(TSC_DEADLINE);
    b.time.now = 10_000;
    b.pc.setTscDeadline(0, b.time.now - age);
    expect(b.pending(0)).toBe(Pending.INTR);
    expect(b.pc.interruptAck(0)).toBe(0xec);
    expect(b.pc.parts.lapic.tscDeadlineArmed(0)).toBe(false);
    expect(b.pc.hub.nextDeadline()).toBeGreaterThan(1e6);
  });

  it('one that passed unseen is not lost to the next', () => {
    const b = timer(TSC_DEADLINE);
    b.pc.setTscDeadline(0, 1000);
    b.time.now = 1500;
    b.pc.setTscDeadline(0, 90_000);
    expect(b.pc.interruptAck(0)).toBe(0xec);
    b.write(LAPIC + 0xb0, 0);
    expect(taken(b, 100_000)).toBe(1);
  });
});
