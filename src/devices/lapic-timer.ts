// The local APICs' timers (SDM vol. 3, 11.5.4): one-shot, periodic and TSC-deadline. They count nanoseconds of the machine's
// clock (a bus of 1 GHz) over the divider; nothing ticks: a count is its start, and everything else follows from the clock.
//
// A CPU in HLT keeps its own timer: its sleep ends at the deadline, and the timekeeper, which does not know of it, sleeps on.
// A CPU that leaves HLT gives the timer back, and the timekeeper is woken where it would sleep too long. Waking it costs more than
// all the rest of an idle kernel's tick, so a CPU whose last runs were short leaves HLT on a lease: the timer stays its own, and
// its next HLT goes on keeping it. As that HLT may never come, the timekeeper checks now and then (CHECK_NS; less often where the
// CPU's guest is idle) and ends the leases of CPUs that still run; arming the timer late in a run ends one, too. An interrupt is late at the most by what is left until the check.
//
// The tick of a busy CPU would wake the timekeeper twice: when it comes, and when the kernel arms the next. So the timekeeper sleeps no longer than
// until the next is expected, and arming that wakes nobody.
//
// No deadline is lost in between: KEEPER and the deadlines change under the device lock alone; whoever makes a timer the
// timekeeper's calls deadlineChanged, or is the timekeeper, which asks nextDeadline before it sleeps; and nobody but the CPU
// brings its deadline forward, so one that sleeps until it never sleeps too long.
import { f64, records, struct, u32 } from '../layout/struct.ts';
import type { View } from '../layout/view.ts';
import type { DeviceContext } from './device.ts';
import { LATE_NS } from './hub.ts';
import { KEEPER, type LapicView, Lvt, TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC_DEADLINE } from './lapic-state.ts';

const TimerState = struct({
  /** Of the count. */
  start: f64,
  deadline: f64,
  /** Start of its lease. */
  leasedAt: f64,
  /** The last deadline that came. */
  last: f64,
  /** When the next is expected. */
  expected: f64,
});
const timersState = (cpuCount: number) =>
  struct({
    /** When the timekeeper checks next; Infinity: when there is a lease. */
    checkAt: f64,
    /** Nanoseconds between two checks, as the last lease wanted it. */
    every: f64,
    /** 1 where there was a lease since the last check. */
    leased: u32,
    cpus: records(cpuCount, TimerState),
  });

/** How often the timekeeper checks for CPUs that are on a lease. */
export const CHECK_NS = 20e6;
export const IDLE_CHECK_NS = 100e6;
/** A timer that a kernel arms anew for each tick is expected again after as long as the last time, if that is not longer. */
const LONGEST_TICK_NS = 20e6;
/** A lease is for runs that are shorter. */
export const SHORT_RUN_NS = 1e6;

export class LapicTimers {
  readonly #context: DeviceContext;
  readonly #s: readonly LapicView[];
  readonly #cpuCount: number;
  readonly #t: View<ReturnType<typeof timersState>>;
  readonly #timers: readonly View<typeof TimerState>[];

  /** `state`: the LAPICs' registers. */
  constructor(context: DeviceContext, state: readonly LapicView[], cpuCount: number) {
    this.#context = context;
    this.#s = state;
    this.#cpuCount = cpuCount;
    this.#t = context.state(timersState(cpuCount));
    this.#timers = this.#t.cpus;
    if (context.isFirst) this.#t.checkAt = Number.POSITIVE_INFINITY;
  }

  reset(cpu: number): void {
    const timer = this.#timers[cpu];
    timer.start = 0;
    timer.deadline = Number.POSITIVE_INFINITY;
    timer.expected = Number.POSITIVE_INFINITY;
  }

  now(): number {
    return this.#context.clock.now();
  }

  /** When the timekeeper is next wanted. */
  nextDeadline(): number {
    let next = this.#t.checkAt;
    for (let cpu = 0; cpu < this.#cpuCount; cpu++) if (this.isTimekeepers(cpu)) next = Math.min(next, this.deadline(cpu));
    return next;
  }

  /** When the timekeeper is likely to be wanted for a timer that ran out and is not armed again yet; a little later, for the guess may be early. */
  nextExpected(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (let cpu = 0; cpu < this.#cpuCount; cpu++) {
      if (!this.isTimekeepers(cpu) || this.deadline(cpu) !== Number.POSITIVE_INFINITY) continue;
      const expected = this.#timers[cpu].expected + LATE_NS / 2;
      if (expected > now) next = Math.min(next, expected);
    }
    return next;
  }

  isPeriodic(cpu: number): boolean {
    return this.#mode(cpu) === TIMER_PERIODIC;
  }

  deadline(cpu: number): number {
    return this.#timers[cpu].deadline;
  }

  isTimekeepers(cpu: number): boolean {
    return this.#s[cpu].keeper === KEEPER.TIMEKEEPER;
  }

  /** The CPU is in HLT and keeps its timer from now on. */
  keep(cpu: number): void {
    this.#s[cpu].keeper = KEEPER.CPU;
  }

  /** The CPU leaves HLT, and will be back soon; in `every` nanoseconds the timekeeper checks whether it is. */
  lease(cpu: number, every: number): void {
    const now = this.#context.clock.now();
    this.#s[cpu].keeper = KEEPER.LEASED;
    this.#timers[cpu].leasedAt = now;
    this.#t.leased = 1;
    this.#t.every = every;
    if (this.#t.checkAt <= now + every) return;
    this.#t.checkAt = now + every;
    this.#context.deadlineChanged?.(this.#t.checkAt);
  }

  /** The timer is the timekeeper's again. */
  giveBack(cpu: number): void {
    this.#s[cpu].keeper = KEEPER.TIMEKEEPER;
    const deadline = this.deadline(cpu);
    if (deadline !== Number.POSITIVE_INFINITY) this.#context.deadlineChanged?.(deadline);
  }

  /** The timekeeper ends the leases of CPUs that still run. Where there was no lease since the last check it checks no more. */
  check(now: number): void {
    if (now < this.#t.checkAt) return;
    this.#t.checkAt = this.#t.leased === 0 ? Number.POSITIVE_INFINITY : now + this.#t.every;
    this.#t.leased = 0;
    for (let cpu = 0; cpu < this.#cpuCount; cpu++) if (this.#s[cpu].keeper === KEEPER.LEASED) this.giveBack(cpu);
  }

  /** True if the CPU's timer ran out; it is armed anew if it is periodic. */
  expire(cpu: number, now: number): boolean {
    const timer = this.#timers[cpu];
    const { deadline } = timer;
    if (deadline > now) return false;
    const since = deadline - timer.last;
    timer.last = deadline;
    timer.expected = since <= LONGEST_TICK_NS ? deadline + since : Number.POSITIVE_INFINITY;
    if (this.#mode(cpu) === TIMER_PERIODIC) this.#schedule(cpu, now);
    else timer.deadline = Number.POSITIVE_INFINITY;
    return true;
  }

  /** Arms a deadline; one that has passed is the caller's to serve. */
  setTscDeadline(cpu: number, nanoseconds: number): void {
    if (this.#mode(cpu) !== TIMER_TSC_DEADLINE) return;
    this.#arm(cpu, nanoseconds === 0 ? Number.POSITIVE_INFINITY : nanoseconds);
  }

  tscDeadlineArmed(cpu: number): boolean {
    return this.#mode(cpu) === TIMER_TSC_DEADLINE && this.#timers[cpu].deadline !== Number.POSITIVE_INFINITY;
  }

  /** A write of the initial count starts the timer. */
  start(cpu: number, initial: number): void {
    if (this.#mode(cpu) >= TIMER_TSC_DEADLINE) return;
    this.#context.clock.timerRead?.();
    const now = this.#context.clock.now();
    this.#s[cpu].initial = initial;
    this.#timers[cpu].start = now;
    this.#schedule(cpu, now);
  }

  /** The timer's LVT entry changed: leaving or entering TSC-deadline mode disarms; one-shot and periodic share the count, and one that ran out stays at 0. */
  modeChanged(cpu: number, old: number): void {
    const before = (old >> 17) & 3;
    const mode = this.#mode(cpu);
    if (before === mode) return;
    if (before === TIMER_TSC_DEADLINE || mode >= TIMER_TSC_DEADLINE) {
      this.#s[cpu].initial = 0;
      this.#timers[cpu].deadline = Number.POSITIVE_INFINITY;
    } else if (this.deadline(cpu) !== Number.POSITIVE_INFINITY) {
      const now = this.now();
      if (before === TIMER_PERIODIC) this.#timers[cpu].start = this.#periodStart(cpu, now);
      this.#schedule(cpu, now);
    }
  }

  /** What is left of the count goes on at the new rate. */
  setDivide(cpu: number, code: number): void {
    const left = this.currentCount(cpu);
    this.#s[cpu].divide = code & 11;
    if (left === 0) return;
    const now = this.#context.clock.now();
    this.#timers[cpu].start = now - (this.#s[cpu].initial - left) * this.#divider(cpu);
    this.#schedule(cpu, now);
  }

  currentCount(cpu: number): number {
    const initial = this.#s[cpu].initial;
    const mode = this.#mode(cpu);
    if (initial === 0 || mode >= TIMER_TSC_DEADLINE || this.deadline(cpu) === Number.POSITIVE_INFINITY) return 0;
    this.#context.clock.timerRead?.();
    const ticks = Math.floor((this.#context.clock.now() - this.#timers[cpu].start) / this.#divider(cpu));
    if (mode === TIMER_PERIODIC) return initial - (ticks % initial);
    return ticks >= initial ? 0 : initial - ticks;
  }

  #outstaysLease(cpu: number): boolean {
    if (this.#s[cpu].keeper !== KEEPER.LEASED) return false;
    return this.#context.clock.now() - this.#timers[cpu].leasedAt > SHORT_RUN_NS;
  }

  #mode(cpu: number): number {
    return (this.#s[cpu].lvt[Lvt.TIMER] >> 17) & 3;
  }

  /** Nanoseconds of one count. */
  #divider(cpu: number): number {
    const code = this.#s[cpu].divide;
    return 1 << ((((code & 3) | ((code >> 1) & 4)) + 1) & 7);
  }

  /** When the periodic timer last began to count. */
  #periodStart(cpu: number, now: number): number {
    const start = this.#timers[cpu].start;
    const period = this.#s[cpu].initial * this.#divider(cpu);
    return start + Math.floor((now - start) / period) * period;
  }

  #arm(cpu: number, deadline: number): void {
    this.#timers[cpu].deadline = deadline;
    if (deadline === Number.POSITIVE_INFINITY) return;
    if (this.isTimekeepers(cpu)) this.#context.deadlineChanged?.(deadline);
    else if (this.#outstaysLease(cpu)) this.giveBack(cpu);
  }

  /** Finds the next time the count reaches zero after `now`, from its start. */
  #schedule(cpu: number, now: number): void {
    const initial = this.#s[cpu].initial;
    const mode = this.#mode(cpu);
    let next = Number.POSITIVE_INFINITY;
    if (initial !== 0 && mode <= TIMER_PERIODIC) {
      const start = this.#timers[cpu].start;
      const period = initial * this.#divider(cpu);
      next = start + period;
      if (next <= now) {
        // A deadline that a rounding puts a hair behind `now` is the one that is just being served.
        next = mode === TIMER_ONE_SHOT ? Number.POSITIVE_INFINITY : start + (Math.floor((now - start) / period + 1e-6) + 1) * period;
      }
    }
    this.#arm(cpu, next);
  }
}
