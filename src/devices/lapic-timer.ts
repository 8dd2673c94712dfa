// The local APICs' timers (SDM vol. 3, 11.5.4): one-shot, periodic and TSC-deadline. They count nanoseconds of the machine's
// clock (a bus of 1 GHz) over the divider; nothing ticks: a count is its start, and everything else follows from the clock.
import type { DeviceContext } from './device.ts';
import { AT, CPU_WORDS, TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC_DEADLINE } from './lapic-state.ts';

/** Doubles of one CPU: start of the count, next deadline. */
const START = 0;
const DEADLINE = 1;
const CPU_DOUBLES = 2;

export class LapicTimers {
  readonly #context: DeviceContext;
  readonly #s: Int32Array;
  readonly #d: Float64Array;
  readonly #cpuCount: number;

  /** `words`: the LAPICs' registers. */
  constructor(context: DeviceContext, words: Int32Array, cpuCount: number) {
    this.#context = context;
    this.#s = words;
    this.#cpuCount = cpuCount;
    const doubles = context.words(CPU_DOUBLES * 2 * cpuCount);
    this.#d = new Float64Array(doubles.buffer, doubles.byteOffset, CPU_DOUBLES * cpuCount);
  }

  reset(cpu: number): void {
    this.#d[cpu * CPU_DOUBLES + START] = 0;
    this.#d[cpu * CPU_DOUBLES + DEADLINE] = Number.POSITIVE_INFINITY;
  }

  nextDeadline(): number {
    let next = Number.POSITIVE_INFINITY;
    for (let cpu = 0; cpu < this.#cpuCount; cpu++) next = Math.min(next, this.#d[cpu * CPU_DOUBLES + DEADLINE]);
    return next;
  }

  /** True if the CPU's timer ran out; it is armed anew if it is periodic. */
  expire(cpu: number, now: number): boolean {
    if (this.#d[cpu * CPU_DOUBLES + DEADLINE] > now) return false;
    if (this.#mode(cpu) === TIMER_PERIODIC) this.#schedule(cpu, now);
    else this.#d[cpu * CPU_DOUBLES + DEADLINE] = Number.POSITIVE_INFINITY;
    return true;
  }

  setTscDeadline(cpu: number, nanoseconds: number): void {
    if (this.#mode(cpu) !== TIMER_TSC_DEADLINE) return;
    this.#arm(cpu, nanoseconds === 0 ? Number.POSITIVE_INFINITY : nanoseconds);
  }

  tscDeadlineArmed(cpu: number): boolean {
    return this.#mode(cpu) === TIMER_TSC_DEADLINE && this.#d[cpu * CPU_DOUBLES + DEADLINE] !== Number.POSITIVE_INFINITY;
  }

  /** A write of the initial count starts the timer. */
  start(cpu: number, initial: number): void {
    if (this.#mode(cpu) >= TIMER_TSC_DEADLINE) return;
    const now = this.#context.clock.now();
    this.#s[cpu * CPU_WORDS + AT.INITIAL] = initial;
    this.#d[cpu * CPU_DOUBLES + START] = now;
    this.#schedule(cpu, now);
  }

  /** The timer's LVT entry changed: leaving or entering TSC-deadline mode disarms, one-shot and periodic share the count. */
  modeChanged(cpu: number, old: number): void {
    const before = (old >> 17) & 3;
    const mode = this.#mode(cpu);
    if (before === mode) return;
    if (before === TIMER_TSC_DEADLINE || mode >= TIMER_TSC_DEADLINE) {
      this.#s[cpu * CPU_WORDS + AT.INITIAL] = 0;
      this.#d[cpu * CPU_DOUBLES + DEADLINE] = Number.POSITIVE_INFINITY;
    } else {
      this.#schedule(cpu, this.#context.clock.now());
    }
  }

  /** What is left of the count goes on at the new rate. */
  setDivide(cpu: number, code: number): void {
    const left = this.currentCount(cpu);
    this.#s[cpu * CPU_WORDS + AT.DIVIDE] = code & 11;
    if (left === 0) return;
    const now = this.#context.clock.now();
    this.#d[cpu * CPU_DOUBLES + START] = now - ((this.#s[cpu * CPU_WORDS + AT.INITIAL] >>> 0) - left) * this.#divider(cpu);
    this.#schedule(cpu, now);
  }

  currentCount(cpu: number): number {
    const initial = this.#s[cpu * CPU_WORDS + AT.INITIAL] >>> 0;
    const mode = this.#mode(cpu);
    if (initial === 0 || mode >= TIMER_TSC_DEADLINE) return 0;
    const ticks = Math.floor((this.#context.clock.now() - this.#d[cpu * CPU_DOUBLES + START]) / this.#divider(cpu));
    if (mode === TIMER_PERIODIC) return initial - (ticks % initial);
    return ticks >= initial ? 0 : initial - ticks;
  }

  #mode(cpu: number): number {
    return (this.#s[cpu * CPU_WORDS + AT.LVT] >> 17) & 3;
  }

  /** Nanoseconds of one count. */
  #divider(cpu: number): number {
    const code = this.#s[cpu * CPU_WORDS + AT.DIVIDE];
    return 1 << ((((code & 3) | ((code >> 1) & 4)) + 1) & 7);
  }

  #arm(cpu: number, deadline: number): void {
    this.#d[cpu * CPU_DOUBLES + DEADLINE] = deadline;
    if (deadline !== Number.POSITIVE_INFINITY) this.#context.deadlineChanged?.(deadline);
  }

  /** Finds the next time the count reaches zero after `now`, from its start. */
  #schedule(cpu: number, now: number): void {
    const initial = this.#s[cpu * CPU_WORDS + AT.INITIAL] >>> 0;
    const mode = this.#mode(cpu);
    let next = Number.POSITIVE_INFINITY;
    if (initial !== 0 && mode <= TIMER_PERIODIC) {
      const start = this.#d[cpu * CPU_DOUBLES + START];
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
