// Measurements of one clock by another, as firmware makes them, on a host that lets the CPU's thread wait in their middle. The host is made
// up: its clock goes on with every read, and jumps where the test says so.
import { describe, expect, it } from 'vitest';
import { PM_TIMER_HZ, PM_TIMER_PORT } from '../../../src/devices/acpi-pm.ts';
import { LAPIC_BASE } from '../../../src/devices/lapic.ts';
import { ClockAsks, CONTROL, Control } from '../../../src/layout/memory.ts';
import { CATCH_UP, LARGEST_LAG_NS } from '../../../src/machine/board/clock-lag.ts';
import { HostClock } from '../../../src/machine/board/host-clock.ts';
import { Standstill } from '../../../src/machine/board/standstill.ts';
import { bench } from '../devices/harness.ts';

const PIT_HZ = 1193182;
/** A poll of a port, roughly. */
const READ_NS = 300;
const STALL_NS = 5e6;

function machine(options: { tells?: boolean; brief?: boolean } = {}) {
  const { tells = true, brief = false } = options;
  const memory = new Int32Array(new SharedArrayBuffer(CONTROL + Control.size + 8));
  const host = { now: 1e12, ran: 0, reads: 0, stallAt: -1, othersRest: true, brief };
  /** The guest, or the engine, runs. */
  const run = (ns: number) => {
    host.now += ns;
    host.ran += ns;
  };
  new Standstill(memory).powerOn(BigInt(1e12));
  const clock = new HostClock({
    memory,
    startWallMs: 0,
    source: {
      monotonicNs: () => {
        run(READ_NS);
        if (host.reads++ === host.stallAt) host.now += STALL_NS;
        return BigInt(host.now);
      },
      threadTimeNs: () => (tells ? host.ran : undefined),
    },
  });
  const b = bench(1, { clock });
  const watch = (CONTROL + Control.size) >> 2;
  const path = { passes: () => {}, starts: () => {}, isShort: () => host.brief };
  const stalls = clock.watchStalls({ words: memory, index: watch, path, othersRest: () => host.othersRest, lock: b.pc.hub.lock });
  const asks = () => memory[(CONTROL + Control.at.clockAsks) >> 2];
  return { b, clock, host, stalls, run, watching: () => memory[watch] !== 0, asks };
}
type Made = ReturnType<typeof machine>;

/** As SeaBIOS does it: 800H ticks of channel 2; what the counter should say, and what it says. */
function byPit({ b, clock }: Made): number {
  b.out(0x61, (b.in(0x61) & 0xfc) | 1);
  b.out(0x43, 0xb0);
  b.out(0x42, 0);
  b.out(0x42, 8);
  const start = clock.now();
  while ((b.in(0x61) & 0x20) === 0);
  return (clock.now() - start) / ((0x800 / PIT_HZ) * 1e9);
}

/** As GRUB does it: 3,580 ticks of the PM timer. */
function byPmTimer({ b, clock }: Made): number {
  const first = b.in(PM_TIMER_PORT, 4);
  const start = clock.now();
  while (((b.in(PM_TIMER_PORT, 4) - first) & 0xffffff) < 3580);
  return (clock.now() - start) / ((3580 / PM_TIMER_HZ) * 1e9);
}

/** As seL4 does it: the local APIC's timer while channel 2 counts. */
function apicByPit(made: Made): number {
  const { b } = made;
  b.write(LAPIC_BASE + 0x3e0, 11);
  b.out(0x61, (b.in(0x61) & 0xfc) | 1);
  b.out(0x43, 0xb0);
  b.out(0x42, 0);
  b.out(0x42, 8);
  b.write(LAPIC_BASE + 0x380, 0xffffffff);
  while ((b.in(0x61) & 0x20) === 0);
  return (0xffffffff - (b.read(LAPIC_BASE + 0x390) >>> 0)) / ((0x800 / PIT_HZ) * 1e9);
}

const METHODS = { byPit, byPmTimer, apicByPit };

/** The worst deviation over stalls at each read of the host's clock that a measurement makes, or at each of its first and last 40. */
function worst(measure: (made: Made) => number, options: Parameters<typeof machine>[0], prepare: (made: Made) => void = () => {}): number {
  const calm = machine(options);
  prepare(calm);
  const from = calm.host.reads;
  let most = Math.abs(measure(calm) - 1);
  const reads = calm.host.reads - from;
  for (let n = 0; n < reads; n++) {
    if (n === 40) n = Math.max(40, reads - 40);
    const made = machine(options);
    prepare(made);
    made.host.stallAt = made.host.reads + n;
    most = Math.max(most, Math.abs(measure(made) - 1));
  }
  return most;
}

describe.each(Object.entries(METHODS))('%s', (_name, measure) => {
  it('is within 1% wherever the thread had to wait for 5 ms', () => {
    expect(worst(measure, {})).toBeLessThan(0.01);
  });

  it('is so, too, where the host does not tell what the thread ran, but the way from read to read is short', () => {
    expect(worst(measure, { tells: false, brief: true })).toBeLessThan(0.005);
  });

  it('is so where an earlier stall has not been made good yet', () => {
    const behind = ({ host, b, clock }: Made) => {
      b.in(0x61);
      host.now += 100 * STALL_NS;
      expect(host.now - 1e12 - clock.now()).toBeGreaterThan(99 * STALL_NS);
    };
    expect(worst(measure, { brief: true }, behind)).toBeLessThan(0.005);
    expect(worst(measure, {}, behind)).toBeLessThan(0.01);
  });

  it('is as wrong as the stall where nothing tells what the guest ran, or another CPU runs', () => {
    expect(worst(measure, { tells: false })).toBeGreaterThan(2);
    expect(
      worst(measure, { brief: true }, ({ host }) => {
        host.othersRest = false;
      }),
    ).toBeGreaterThan(2);
  });
});

describe('what is hidden', () => {
  it('is the time in which the thread did not run, not what the guest computes', () => {
    const { b, clock, host, run } = machine();
    b.in(0x61);
    const before = clock.now();
    run(3e6);
    expect(clock.now() - before).toBeGreaterThan(3e6 - 1);
    const between = clock.now();
    run(2e6);
    host.now += 1e6;
    expect((clock.now() - between) / 2e6, 'of 3 ms the guest ran 2').toBeCloseTo(1, 2);
    const loop = clock.now();
    run(1e5);
    host.now += STALL_NS;
    const took = (clock.now() - loop) / 1e5;
    expect(took, 'a loop of 100 us between two reads').toBeGreaterThan(1);
    // The clock catches up meanwhile.
    expect(took).toBeLessThan(1 + (STALL_NS * CATCH_UP) / 1e5 + 0.1);
  });

  it('is a stall once, where the thread had to wait while the host was asked', () => {
    for (let n = 0; n < 4; n++) {
      const { b, clock, host, run } = machine();
      b.in(0x61);
      const before = clock.now();
      run(1e6);
      host.stallAt = host.reads + n;
      const took = clock.now() - before;
      expect(took / 1e6, `read ${n}`).toBeGreaterThan(0.95);
      expect(took / 1e6, `read ${n}`).toBeLessThan(1.05);
    }
  });

  it('is all but next to nothing of a gap that the guest came through on a short way', () => {
    const { b, clock, host, run } = machine();
    b.in(0x61);
    host.brief = true;
    const before = clock.now();
    run(3e6);
    expect(clock.now() - before).toBeLessThan(3e3);
    host.brief = false;
    const after = clock.now();
    run(3e6);
    expect(clock.now() - after, 'once').toBeGreaterThan(3e6 - 1);
  });

  it('is nothing of the warming up', () => {
    const { clock, host, stalls, asks, watching } = machine({ brief: true });
    host.stallAt = host.reads + 10;
    stalls.warmUp();
    expect(host.now - 1e12).toBeGreaterThan(STALL_NS);
    expect(Math.abs(host.now - 1e12 - clock.now())).toBeLessThanOrEqual(READ_NS);
    expect([asks(), watching()]).toEqual([0, false]);
  });

  it('is the engine at work for itself, once', () => {
    const { b, clock, host, stalls, run } = machine();
    b.in(0x61);
    const before = clock.now();
    stalls.workBegins();
    run(2e6);
    clock.now();
    run(2e6);
    stalls.workEnds();
    expect(clock.now() - before).toBeLessThan(20e3);
    run(3e6);
    expect(clock.now() - before).toBeGreaterThan(3e6);
    for (let n = 0; n < 4; n++) {
      b.in(0x61);
      const from = clock.now();
      run(STALL_NS);
      host.stallAt = host.reads + n;
      stalls.workBegins();
      run(1e6);
      stalls.workEnds();
      expect((clock.now() - from) / STALL_NS, `a stall at read ${n}`).toBeCloseTo(1, 1);
    }
  });

  it('is nothing where the guest has not looked at a timer for some milliseconds', () => {
    const { b, clock, host, run, watching } = machine();
    b.in(0x61);
    expect(watching()).toBe(true);
    clock.now();
    run(11e6);
    clock.now();
    expect(watching()).toBe(false);
    const before = clock.now();
    host.now += STALL_NS;
    expect(clock.now() - before).toBeGreaterThan(STALL_NS - 1);
  });

  it('is nothing that another CPU or a timer has seen', () => {
    const { b, clock, host } = machine();
    b.in(0x61);
    let before = clock.now();
    host.now += STALL_NS;
    clock.changed();
    expect(clock.now() - before, 'a CPU left HLT meanwhile').toBeGreaterThan(STALL_NS - 1);
    before = clock.now();
    clock.saw(before + 2e6);
    host.now += STALL_NS;
    expect((clock.now() - before) / 2e6).toBeCloseTo(1, 1);
  });

  it('never makes the clock go back, is never more than the largest lag, and is made good', () => {
    const { b, clock, host, run, asks } = machine();
    let last = 0;
    for (let n = 0; n < 500; n++) {
      b.in(0x61);
      if (n % 2 === 0) host.now += STALL_NS;
      const now = clock.now();
      expect(now).toBeGreaterThan(last);
      last = now;
    }
    const behind = () => host.now - 1e12 - clock.now();
    expect(behind() / LARGEST_LAG_NS).toBeCloseTo(1, 2);
    expect(asks()).toBe(ClockAsks.LAGS);
    run(LARGEST_LAG_NS);
    expect(behind() / LARGEST_LAG_NS).toBeCloseTo(1 - CATCH_UP, 3);
    expect(clock.hostNs(1e6), 'a sleep that does not end too late').toBeLessThan(1e6 / (1 + CATCH_UP));
    run(LARGEST_LAG_NS / CATCH_UP);
    clock.relax();
    expect(asks(), "the counter is the host's again").toBe(0);
    expect(Math.abs(behind())).toBeLessThan(2 * READ_NS);
  });
});
