// When an idle guest's timer may be late, and when no longer.
import { describe, expect, it } from 'vitest';
import { defaultTimerSlackMs } from '../../../src/api/options.ts';
import { IDLE_AGAIN_NS, IDLE_WINDOW_NS, IdleWatch, WORK_NS, wakeAt } from '../../../src/machine/threads/idle-watch.ts';

const SLACK = 12e6;
const TICK = 4e6;

/** Ticks from `now` on, each with a run of `ran`; the slack at each HLT, and the time behind the last. */
function ticks(watch: IdleWatch, now: number, count: number, ran: number): { slacks: number[]; now: number } {
  const slacks: number[] = [];
  for (let n = 0; n < count; n++) {
    now += TICK;
    slacks.push(watch.halts(now, ran));
  }
  return { slacks, now };
}
const SECOND = IDLE_WINDOW_NS / TICK;
const AGAIN = Math.ceil(IDLE_AGAIN_NS / TICK);

describe('IdleWatch', () => {
  it('gives slack after a second of nothing but ticks', () => {
    const watch = new IdleWatch(SLACK);
    const { slacks } = ticks(watch, 0, SECOND + 2, 200e3);
    expect(slacks.slice(0, SECOND - 1).every((slack) => slack === 0)).toBe(true);
    expect(slacks.slice(SECOND)).toEqual([SLACK, SLACK]);
  });

  it('gives none to a guest that works in each tick', () => {
    const { slacks } = ticks(new IdleWatch(SLACK), 0, SECOND * 3, 1e6);
    expect(new Set(slacks)).toEqual(new Set([0]));
  });

  it('takes it back at once when a device wakes the CPU, and for a quarter of a second', () => {
    const watch = new IdleWatch(SLACK);
    let { now } = ticks(watch, 0, SECOND + 1, 200e3);
    for (let n = 0; n < 3; n++) {
      watch.disturbed(now);
      const after = ticks(watch, now, AGAIN + 1, 200e3);
      now = after.now;
      expect(after.slacks.slice(0, AGAIN - 1).every((slack) => slack === 0)).toBe(true);
      expect(after.slacks.at(-1)).toBe(SLACK);
    }
  });

  it('takes it back for a second where the CPU has more to do then', () => {
    const watch = new IdleWatch(SLACK);
    const { now } = ticks(watch, 0, SECOND + 1, 200e3);
    watch.disturbed(now);
    const busy = ticks(watch, now, AGAIN, 1e6);
    const after = ticks(watch, busy.now, SECOND + 1, 200e3);
    expect(after.slacks.slice(0, SECOND - 1).every((slack) => slack === 0)).toBe(true);
    expect(after.slacks.at(-1)).toBe(SLACK);
  });

  it('waits for a second where devices wake a CPU that was not idle', () => {
    const watch = new IdleWatch(SLACK);
    const { now } = ticks(watch, 0, SECOND / 2, 200e3);
    watch.disturbed(now);
    expect(new Set(ticks(watch, now, SECOND - 1, 200e3).slacks)).toEqual(new Set([0]));
  });

  it('takes it back after a long run', () => {
    const watch = new IdleWatch(SLACK);
    const { now } = ticks(watch, 0, SECOND + 1, 200e3);
    expect(watch.halts(now + TICK, WORK_NS + 1)).toBe(0);
    expect(watch.halts(now + 2 * TICK, 200e3)).toBe(0);
  });

  it('bears a run that the host held up', () => {
    const watch = new IdleWatch(SLACK);
    const { now } = ticks(watch, 0, SECOND + 1, 200e3);
    expect(watch.halts(now + TICK, 6e6)).toBe(SLACK);
  });
});

describe('wakeAt', () => {
  it('is the deadline where no slack is', () => {
    expect(wakeAt(7e6, 0)).toBe(7e6);
    expect(wakeAt(Number.POSITIVE_INFINITY, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is the same for all deadlines of an interval as long as the slack, and never early', () => {
    expect([1, SLACK / 2, SLACK].map((deadline) => wakeAt(deadline, SLACK))).toEqual([SLACK, SLACK, SLACK]);
    expect(wakeAt(SLACK + 1, SLACK)).toBe(2 * SLACK);
    expect(wakeAt(Number.POSITIVE_INFINITY, SLACK)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('defaultTimerSlackMs', () => {
  it('grows with the CPUs that have to be woken, between its bounds', () => {
    expect([1, 2, 3, 4, 8, 64].map(defaultTimerSlackMs)).toEqual([50, 50, 75, 100, 200, 200]);
  });
});
