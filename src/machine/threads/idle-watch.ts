// Whether the guest of a CPU has nothing to do but its clock's ticks. Then its timer may be late: a few ticks come as one, and the
// machine wakes less often. (Kernels catch up on ticks that were late; those built to stop their tick in HLT do the same by themselves.)

/** So long it is watched first. */
export const IDLE_WINDOW_NS = 1e9;
/** And so long where it was idle until something other than its timer woke it: kernels tell each other small things now and then. */
export const IDLE_AGAIN_NS = 250e6;
/** Of that time an idle guest runs less than this part. The host's other work makes it look like more than it is. */
const IDLE_LOAD = 0.15;
/** A guest that runs longer at a time is at work. */
export const WORK_NS = 20e6;

/**
 * When a timer that ends at `deadline` wakes its CPU, if it may be late by `slackNs`: at the next of the instants at which all idle CPUs wake.
 * They do the same then, and who comes second finds code and data in the host's caches.
 */
export const wakeAt = (deadline: number, slackNs: number): number => (slackNs === 0 ? deadline : Math.ceil(deadline / slackNs) * slackNs);

export class IdleWatch {
  private readonly slackNs: number;
  private windowStart = 0;
  private windowNs = IDLE_WINDOW_NS;
  private windowRan = 0;
  private idle = false;

  /** `slackNs`: nanoseconds that the timer of an idle CPU may be late. */
  constructor(slackNs: number) {
    this.slackNs = slackNs;
  }

  /** The CPU enters HLT at `now` after it ran for `ranNs`; the nanoseconds that its timer may be late. */
  halts(now: number, ranNs: number): number {
    this.windowRan += ranNs;
    if (ranNs > WORK_NS) this.restart(now, IDLE_WINDOW_NS);
    else if (now - this.windowStart >= this.windowNs) {
      this.idle = this.windowRan < IDLE_LOAD * (now - this.windowStart);
      this.windowNs = IDLE_WINDOW_NS;
      this.windowStart = now;
      this.windowRan = 0;
    }
    return this.idle ? this.slackNs : 0;
  }

  /** Something else than its timer woke the CPU at `now`: a device has work for it, or somebody waits for an answer. */
  disturbed(now: number): void {
    this.restart(now, this.idle ? IDLE_AGAIN_NS : this.windowNs);
  }

  private restart(now: number, windowNs: number): void {
    this.idle = false;
    this.windowNs = windowNs;
    this.windowStart = now;
    this.windowRan = 0;
  }
}
