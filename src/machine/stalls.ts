// Firmware, boot loaders and kernels measure the time-stamp counter for a millisecond or two against a timer that they poll. A CPU's thread
// that the host lets wait between two of these reads makes such a measurement wrong by any factor. Here such stalls are found, and hidden:
// the guest's clock (all of it: counter and timers are one clock) is held back by what the stall took, and catches up later (clock-lag.ts).
//
// Hidden is only what is known not to be the guest's time: that in which the thread did not run, as the host counts it (Host.threadTimeNs), and
// that in which the engine worked for itself (`workBegins`). And only
// - while the guest looks at a timer: for some milliseconds after each time it did (`looks`), so that the lag is spent on measurements;
// - where nobody else can have seen the time that is taken back: all other CPUs are in HLT, or not yet started, since the clock was last read.
//   Counters of CPUs that run at the same time must agree, and the others' time has passed. Nor is what a timer has seen taken back.
import type { ClockLag } from './clock-lag.ts';

/** Shorter gaps between two reads of the clock are not looked into. */
const SHORT_NS = 12e3;
/** So long after the guest last looked at a timer, stalls are still hidden. */
const WINDOW_NS = 10e6;
/** After so many short gaps a guest polls. */
const POLLS = 16;
/** So much of a gap at the most is taken for the host's, though nobody says that it is. */
const REST_NS = 200e3;
const WARM_UPS = 20;

export interface StallsOptions {
  /** Nanoseconds of the host's clock since power-on. */
  readonly hostNow: () => number;
  readonly threadTimeNs: () => number | undefined;
  readonly lag: ClockLag;
  /** Cpu.clockWatch: `words[index]`. */
  readonly words: Int32Array;
  readonly index: number;
  /** Whether all other CPUs are in HLT or not started. */
  readonly isAlone: () => boolean;
  /** The device lock. */
  readonly lock: { enter(): void; leave(): void };
}

/** The stalls of one CPU's thread. */
export class Stalls {
  readonly #options: StallsOptions;
  /** The last read of the clock: host's time, and ClockLag.changes. */
  #last = 0;
  #changes = 0;
  /** Guest's time when it last looked at a timer; whether the next read is such a look. */
  #lookedAt = 0;
  /** Short gaps in a row. */
  #polls = 0;
  #looks = false;
  #isFirst = false;
  /** Up to when losses are counted: host's time and the thread's; what was lost since the last read until then. */
  #counted = 0;
  #ran: number | undefined;
  #lost = 0;
  #worksSince = -1;

  constructor(options: StallsOptions) {
    this.#options = options;
  }

  get watching(): boolean {
    return this.#options.words[this.#options.index] !== 0;
  }

  /** Runs all of this now, before the guest does: code that runs for the first time takes longer than what it is to measure. */
  warmUp(): void {
    const { words, index, hostNow } = this.#options;
    for (let n = 0; n < WARM_UPS; n++) {
      this.looks();
      this.settle(hostNow());
      this.workBegins();
      this.workEnds();
      const until = this.#last + 2 * SHORT_NS;
      while (hostNow() < until);
      this.settle(hostNow());
      words[index] = 0;
    }
  }

  /** The guest reads or starts a timer: the next read of the clock is for that. */
  looks(): void {
    const { words, index, isAlone } = this.#options;
    if (words[index] === 0) {
      if (!isAlone()) return;
      words[index] = 1;
      this.#isFirst = true;
    }
    this.#looks = true;
  }

  /** The clock is read at `time` of the host's. Hides what was lost since the last read. The host's time by then. */
  settle(time: number): number {
    if (!this.watching) return time;
    const { lag, words, index } = this.#options;
    if (this.#isFirst) {
      this.#isFirst = false;
      this.#count();
      this.#last = this.#counted;
    } else if (time - this.#last > SHORT_NS) this.#hide(time);
    else {
      this.#last = time;
      this.#polls++;
    }
    if (this.#worksSince < 0) this.#lost = 0;
    this.#changes = lag.changes;
    const now = this.#last - lag.at(this.#last);
    if (this.#looks) {
      this.#looks = false;
      this.#lookedAt = now;
    } else if (now - this.#lookedAt > WINDOW_NS) words[index] = 0;
    return this.#last;
  }

  /** The engine does something that is not the guest's: it decodes, installs. */
  workBegins(): void {
    if (!this.watching || this.#worksSince >= 0) return;
    this.#worksSince = this.#options.hostNow();
    this.#count();
  }

  workEnds(): void {
    if (this.#worksSince < 0) return;
    const since = Math.max(this.#worksSince, this.#last);
    const before = this.#lost;
    this.#count();
    this.#lost = before + this.#counted - since;
    this.#worksSince = -1;
  }

  /** Counts losses up to now. */
  #count(): void {
    const ran = this.#options.threadTimeNs();
    const now = this.#options.hostNow();
    if (ran !== undefined && this.#ran !== undefined) this.#lost += Math.max(0, now - this.#counted - (ran - this.#ran));
    this.#ran = ran;
    this.#counted = now;
  }

  /** The read of the clock that came at `time`, after a gap. */
  #hide(time: number): void {
    const { lag, lock, isAlone } = this.#options;
    lock.enter();
    this.#count();
    const now = this.#counted;
    const gap = now - this.#last;
    // This look is nothing of the guest's, either. Where a guest that polls lost most of a gap, the rest is the host's, too: interrupts, caches that
    // another thread has emptied.
    const worked = this.#worksSince < 0 ? 0 : time - Math.max(this.#worksSince, this.#last);
    const known = this.#lost + worked + now - time;
    const isPolling = this.#polls >= POLLS && known > gap / 2 && gap - known < REST_NS;
    const lost = isPolling ? Math.max(known, gap - SHORT_NS) : known;
    this.#polls = 0;
    this.#lost = 0;
    if (lag.changes === this.#changes && isAlone()) lag.grow(now, Math.min(lost, gap));
    lock.leave();
    this.#last = now;
  }
}
