// Who sees to the LAPIC timer of a CPU that goes in and out of HLT: no deadline is forgotten, and the timekeeper is not woken in vain.

import { describe, expect, it } from 'vitest';
import { LATE_NS } from '../../../src/devices/hub.ts';
import { CHECK_NS, IDLE_CHECK_NS, SHORT_RUN_NS } from '../../../src/devices/lapic-timer.ts';
import { Pending } from '../../../src/layout/cpu.ts';
import { SharedWord } from '../../../src/layout/view.ts';
import { type Bench, bench } from './harness.ts';

const LAPIC = 0xfee00000;
const VECTOR = 0xec;
const TICK = 4_000_000;

/** CPUs with one-shot timers of a nanosecond a count; `wakes`: how often the timekeeper was woken. */
function machine(cpuCount = 1): Bench & { wakes(): number; arm(ns: number, cpu?: number): void } {
  const signal = new Int32Array(1);
  const b = bench(cpuCount, { timerSignal: new SharedWord(signal, 0) });
  // The PIT stops, as in a kernel that has found the LAPIC's timer.
  b.out(0x43, 0x30);
  for (let cpu = 0; cpu < cpuCount; cpu++) {
    b.write(LAPIC + 0xf0, 0x1ff, cpu);
    b.write(LAPIC + 0x3e0, 0xb, cpu);
    b.write(LAPIC + 0x320, VECTOR, cpu);
  }
  return { ...b, wakes: () => signal[0], arm: (ns, cpu = 0) => b.write(LAPIC + 0x380, ns, cpu) };
}

const takes = (b: Bench, cpu = 0): boolean => {
  if ((b.pending(cpu) & Pending.INTR) === 0) return false;
  expect(b.pc.interruptAck(cpu)).toBe(VECTOR);
  b.write(LAPIC + 0xb0, 0, cpu);
  return true;
};

/** An idle kernel's tick on a lease: 10 microseconds after the deadline the CPU is in HLT again. */
function tick(b: ReturnType<typeof machine>, deadline: number): number {
  b.advance(deadline - b.time.now);
  expect(b.pc.runHaltedTimer(0)).toBe(Number.POSITIVE_INFINITY);
  b.pc.leaveHalt(0, CHECK_NS);
  expect(takes(b)).toBe(true);
  b.arm(TICK);
  b.time.now += 10_000;
  return b.pc.enterHalt(0);
}

describe('the timer of a CPU in HLT', () => {
  it('is its own', () => {
    const b = machine();
    b.arm(TICK);
    expect(b.pc.hub.nextDeadline()).toBe(TICK);
    expect(b.pc.enterHalt(0)).toBe(TICK);
    expect(b.pc.hub.nextDeadline()).toBeGreaterThan(TICK);
    b.advance(TICK);
    expect(takes(b)).toBe(false);
    b.pc.runHaltedTimer(0);
    expect(takes(b)).toBe(true);
  });

  it('runs on when it is periodic', () => {
    const b = machine();
    b.write(LAPIC + 0x320, 0x20000 | VECTOR);
    b.arm(TICK);
    let deadline = b.pc.enterHalt(0);
    for (let n = 1; n <= 3; n++) {
      expect(deadline).toBe(n * TICK);
      b.time.now = deadline;
      deadline = b.pc.runHaltedTimer(0);
      expect(takes(b)).toBe(true);
    }
  });

  it('goes back to the timekeeper, who is woken if it would sleep too long', () => {
    const b = machine();
    b.arm(TICK);
    b.pc.enterHalt(0);
    b.pc.hub.nextDeadline();
    const before = b.wakes();
    b.pc.leaveHalt(0, 0);
    expect(b.wakes()).toBe(before + 1);
    b.advance(TICK);
    expect(takes(b)).toBe(true);
  });

  it('is disarmed by INIT, and stays its own', () => {
    const b = machine(2);
    b.arm(TICK, 1);
    b.pc.enterHalt(1);
    b.write(LAPIC + 0x310, 1 << 24);
    b.write(LAPIC + 0x300, 0x4500);
    expect(b.pending(1) & Pending.INIT).not.toBe(0);
    b.advance(TICK);
    expect(b.pc.runHaltedTimer(1)).toBe(Number.POSITIVE_INFINITY);
    expect(takes(b, 1)).toBe(false);
  });

  it('is nobody else’s: other CPUs are served', () => {
    const b = machine(2);
    b.arm(TICK, 0);
    b.arm(2 * TICK, 1);
    b.pc.enterHalt(0);
    b.advance(2 * TICK);
    expect(takes(b, 1)).toBe(true);
    expect(takes(b, 0)).toBe(false);
  });
});

describe('the tick of a CPU that runs', () => {
  /** The timekeeper's thread: runs what is due, and says until when it sleeps. */
  const sleeps = (b: Bench): number => {
    const { hub } = b.pc;
    hub.runTimers(b.time.now);
    const expected = hub.nextExpected(b.time.now);
    return Math.min(expected, hub.nextDeadline(expected));
  };
  /** Ticks of a kernel that arms each `since` after the one before, 5 microseconds behind it; when the timekeeper would wake at last. */
  const ticks = (b: ReturnType<typeof machine>, count: number, since: number): number => {
    let wake = b.time.now + since;
    for (let n = 0; n < count; n++) {
      b.time.now = wake;
      wake = sleeps(b);
      expect(takes(b)).toBe(true);
      b.time.now += 5000;
      b.arm(since);
      wake = Math.min(wake, b.time.now + since);
    }
    return wake;
  };

  it('wakes the timekeeper when it comes, not again when the next is armed', () => {
    const b = machine();
    b.arm(TICK);
    ticks(b, 2, TICK);
    const before = b.wakes();
    const wake = ticks(b, 20, TICK);
    expect(b.wakes()).toBe(before);
    expect(wake).toBeLessThan(b.time.now + TICK + LATE_NS);
  });

  it('wakes it where the next is armed for earlier than expected', () => {
    const b = machine();
    b.arm(TICK);
    ticks(b, 2, TICK);
    b.time.now += TICK;
    sleeps(b);
    const before = b.wakes();
    b.arm(TICK / 2);
    expect(b.wakes()).toBe(before + 1);
  });

  it('is not waited for in vain more than once', () => {
    const b = machine();
    b.arm(TICK);
    ticks(b, 2, TICK);
    b.time.now += TICK;
    const expected = sleeps(b);
    expect(expected).toBeLessThan(b.time.now + TICK + LATE_NS);
    b.time.now = expected;
    expect(sleeps(b)).toBeGreaterThan(expected + 2 * TICK);
  });
});

describe('the lease of a CPU that leaves HLT for a moment', () => {
  it('wakes the timekeeper once, not with every tick', () => {
    const b = machine();
    b.arm(TICK);
    let deadline = b.pc.enterHalt(0);
    b.pc.hub.nextDeadline();
    const before = b.wakes();
    for (let n = 0; n < 20; n++) deadline = tick(b, deadline);
    expect(b.wakes()).toBe(before + 1);
  });

  it('ends at the next look where the CPU still runs', () => {
    const b = machine();
    b.arm(TICK);
    b.time.now = b.pc.enterHalt(0);
    b.pc.runHaltedTimer(0);
    b.pc.leaveHalt(0, CHECK_NS);
    expect(takes(b)).toBe(true);
    b.arm(TICK);
    b.advance(CHECK_NS - 1);
    expect(takes(b)).toBe(false);
    b.advance(1);
    expect(takes(b)).toBe(true);
    // From now on the timekeeper is exact.
    b.arm(TICK);
    b.advance(TICK);
    expect(takes(b)).toBe(true);
  });

  it('is looked at less often where the guest is idle, but soon where it no longer is', () => {
    const b = machine();
    b.pc.enterHalt(0);
    b.pc.leaveHalt(0, IDLE_CHECK_NS);
    expect(b.pc.hub.nextDeadline()).toBe(IDLE_CHECK_NS);
    b.time.now += 1000;
    b.pc.enterHalt(0);
    const before = b.wakes();
    b.pc.leaveHalt(0, CHECK_NS);
    expect(b.pc.hub.nextDeadline()).toBe(b.time.now + CHECK_NS);
    expect(b.wakes()).toBe(before + 1);
  });

  it('ends when the timer is armed late in a run', () => {
    const b = machine();
    b.pc.enterHalt(0);
    b.pc.leaveHalt(0, CHECK_NS);
    b.pc.hub.nextDeadline();
    b.time.now += 2 * SHORT_RUN_NS;
    const before = b.wakes();
    b.arm(TICK);
    expect(b.wakes()).toBe(before + 1);
    b.advance(TICK);
    expect(takes(b)).toBe(true);
  });

  it('forgets no deadline that passed before the CPU is in HLT again', () => {
    const b = machine();
    b.pc.enterHalt(0);
    b.pc.leaveHalt(0, CHECK_NS);
    b.arm(1000);
    b.time.now += 5000;
    expect(b.pc.enterHalt(0)).toBeLessThan(b.time.now);
    b.pc.runHaltedTimer(0);
    expect(takes(b)).toBe(true);
  });

  it('leaves nothing to look for once ticks stop', () => {
    const b = machine();
    b.arm(TICK);
    tick(b, b.pc.enterHalt(0));
    b.pc.leaveHalt(0, 0);
    b.arm(0);
    b.pc.enterHalt(0);
    const looking = b.pc.hub.nextDeadline();
    expect(looking).toBeLessThan(b.time.now + CHECK_NS);
    b.advance(2 * CHECK_NS);
    expect(b.pc.hub.nextDeadline()).toBeGreaterThan(b.time.now + CHECK_NS);
  });
});
