// Firmware, boot loaders and kernels measure the time-stamp counter for a millisecond or two against a timer that they poll. A CPU's thread
// that the host lets wait between two of these reads makes such a measurement wrong by any factor. Here such stalls are found, and hidden:
// the guest's clock (all of it: counter and timers are one clock) is held back by what the stall took, and catches up later (clock-lag.ts).
//
// Hidden is only what is known not to be the guest's time: all of what lies between two reads that a few instructions of the guest's lead from one
// to the other (guest-path.ts); else that in which the thread did not run, as the host counts it (Host.threadTimeNs), and that in which the engine
// worked for itself (`workBegins`). And only
// - while the guest reads a timer: for some milliseconds after each time it did (`timerRead`), so that the lag is spent on measurements;
// - where nobody else can have seen the time that is taken back: all other CPUs are in HLT, or not yet started, since the clock was last read.
//   Counters of CPUs that run at the same time must agree, and the others' time has passed. Nor is what a timer has seen taken back.
import type { ClockLag } from './clock-lag.ts';
import type { GuestPath } from './guest-path.ts';

/** So long a few instructions and a call of the host may take; shorter gaps between two reads of the clock are not looked into. */
const BRIEF_NS = 2e3;
/** Nor is the host asked about shorter ones than this. */
const SHORT_NS = 12e3;
/** So long after the guest last read a timer, stalls are still hidden. */
const WINDOW_NS = 10e6;
/** What it takes at the most to ask the host, where the thread runs. */
const ASK_NS = 20e3;
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
  readonly othersRest: () => boolean;
  /** What the guest did between two reads. */
  readonly path: Pick<GuestPath, 'passes' | 'starts' | 'isShort'>;
  /** The device lock. */
  readonly lock: { enter(): void; leave(): void };
}

/** The stalls of one CPU's thread. */
export class Stalls {
  readonly #options: StallsOptions;
  /** The last read of the clock: host's time, and ClockLag.changes. */
  #last = 0;
  #changes = 0;
  /** Guest's time when it last read a timer; whether the next read of the clock is for that. */
  #timerReadAt = 0;
  #timerWasRead = false;
  #isFirst = false;
  /** Up to when losses are counted: host's time and the thread's; what was lost since the last read until then. */
  #counted = 0;
  #ran: number | undefined;
  #lost = 0;
  /** Hidden since then, without asking the host. */
  #hidden = 0;
  #worksSince = -1;

  constructor(options: StallsOptions) {
    this.#options = options;
  }

  get watching(): boolean {
    return this.#options.words[this.#options.index] !== 0;
  }

  /** Runs all of this now, before the guest does: code that runs for the first time takes longer than what it is to measure. */
  warmUp(): void {
    const { words, index, hostNow, lag, lock } = this.#options;
    for (let n = 0; n < WARM_UPS; n++) {
      this.timerRead();
      this.assess(hostNow());
      this.workBegins();
      this.workEnds();
      this.passes();
      const until = this.#last + 2 * SHORT_NS;
      while (hostNow() < until);
      this.assess(hostNow());
      words[index] = 0;
    }
    // What was hidden meanwhile would be missing from the largest lag.
    lock.enter();
    lag.forget();
    lock.leave();
  }

  /** The guest reads or starts a timer: the next read of the clock is for that. */
  timerRead(): void {
    const { words, index, othersRest } = this.#options;
    if (words[index] === 0) {
      if (!othersRest()) return;
      words[index] = 1;
      this.#isFirst = true;
    }
    this.#timerWasRead = true;
  }

  /** The guest calls the host: a port, MMIO, the time-stamp counter. */
  passes(): void {
    if (this.watching) this.#options.path.passes();
  }

  /** The clock is read at `time` of the host's. Hides what was lost since the last read. The host's time by then. */
  assess(time: number): number {
    if (!this.watching) return time;
    const { lag, words, index, path } = this.#options;
    const isFirst = this.#isFirst;
    if (isFirst) {
      this.#isFirst = false;
      this.#count();
      this.#last = this.#counted;
    } else {
      const gap = time - this.#last;
      const isBrief = gap > BRIEF_NS && path.isShort();
      if (isBrief || gap > SHORT_NS) this.#hide(time, isBrief);
      else this.#last = time;
    }
    path.starts(isFirst);
    if (this.#worksSince < 0) this.#lost = 0;
    this.#changes = lag.changes;
    const now = this.#last - lag.at(this.#last);
    if (this.#timerWasRead) {
      this.#timerWasRead = false;
      this.#timerReadAt = now;
    } else if (now - this.#timerReadAt > WINDOW_NS) words[index] = 0;
    return this.#last;
  }

  /** The engine does something that is not the guest's: it decodes, installs. */
  workBegins(): void {
    if (!this.watching || this.#worksSince >= 0) return;
    this.#count();
    this.#worksSince = this.#counted;
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
    if (ran !== undefined && this.#ran !== undefined) this.#lost += Math.max(0, now - this.#counted - this.#hidden - (ran - this.#ran));
    this.#hidden = 0;
    this.#ran = ran;
    this.#counted = now;
  }

  /** The read of the clock that came at `time`, after a gap. `isBrief`: the guest itself took next to none of it. */
  #hide(time: number, isBrief: boolean): void {
    const { lag, lock, othersRest } = this.#options;
    lock.enter();
    // Asking the host takes some microseconds, too many for each poll.
    const asks = time - this.#last > SHORT_NS;
    if (asks) this.#count();
    const now = asks ? this.#counted : time;
    const gap = now - this.#last;
    const worked = this.#worksSince < 0 ? 0 : time - Math.max(this.#worksSince, this.#last);
    // Asking is nothing of the guest's, either; where the thread stopped in its midst, that is counted.
    const asking = this.#ran === undefined ? now - time : Math.min(now - time, ASK_NS);
    const lost = isBrief ? gap - BRIEF_NS : Math.min(gap, this.#lost + worked + asking);
    this.#lost = 0;
    if (!asks) this.#hidden += lost;
    if (lag.changes === this.#changes && othersRest()) lag.grow(now, lost);
    lock.leave();
    this.#last = now;
  }
}
