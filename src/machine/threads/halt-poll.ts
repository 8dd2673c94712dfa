// How long a CPU in HLT polls for what wakes it before its thread sleeps. CPUs that work together wake each other within microseconds, and a thread
// that sleeps takes some fifty of them to wake; one that polls takes a core from nobody while the host has one for each CPU.

/** So long it polls at the most (ns). */
export const POLL_NS = 100e3;
/** A sleep that was shorter than this would better have been a poll. */
const SHORT_SLEEP_NS = 2 * POLL_NS;

export class HaltPoll {
  private readonly mostNs: number;
  /** So long it polls the next time (ns). */
  ns = 0;

  /** `enabled`: there are other CPUs, and a core of the host for each. */
  constructor(enabled: boolean) {
    this.mostNs = enabled ? POLL_NS : 0;
  }

  /** The CPU was in HLT for `sleptNs`. */
  woke(sleptNs: number): void {
    this.ns = sleptNs < SHORT_SLEEP_NS ? this.mostNs : Math.floor(this.ns / 4);
  }
}
