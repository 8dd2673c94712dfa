// The clock of a machine whose CPUs are threads: the host's monotonic clock, less pauses, and less what was hidden of the CPUs' stalls. All clocks of the
// guest derive from it.
import type { Clock } from '../../devices/device.ts';
import { host } from '../../host/node.ts';
import { CATCH_UP, ClockLag } from './clock-lag.ts';
import { Stalls, type StallsOptions } from './stalls.ts';
import { Standstill } from './standstill.ts';

export interface HostClockOptions {
  /** Where Control is, which has the time of power-on. */
  readonly memory: { readonly buffer: ArrayBufferLike };
  /** Power-on, Unix milliseconds. */
  readonly startWallMs: number;
  /** Default: the host's. */
  readonly source?: { monotonicNs: () => bigint; threadTimeNs: () => number | undefined };
}

export class HostClock implements Clock {
  readonly lag: ClockLag;
  readonly #options: HostClockOptions;
  readonly #source: { monotonicNs: () => bigint; threadTimeNs: () => number | undefined };
  readonly #standstill: Standstill;
  #stalls: Stalls | undefined;

  constructor(options: HostClockOptions) {
    this.#options = options;
    this.#source = options.source ?? host;
    this.lag = new ClockLag(options.memory);
    this.#standstill = new Standstill(options.memory);
  }

  now(): number {
    let time = this.#hostNow();
    const stalls = this.#stalls;
    if (stalls?.watching) time = stalls.assess(time);
    else if (!this.lag.lags) return time;
    return time - this.lag.at(time);
  }
  wallMs(): number {
    return this.#options.startWallMs + this.now() / 1e6;
  }

  /** On a CPU's thread: hides its stalls from now on. */
  watchStalls(options: Omit<StallsOptions, 'lag' | 'hostNow' | 'threadTimeNs'>): Stalls {
    const { lag } = this;
    this.#stalls = new Stalls({ ...options, lag, hostNow: () => this.#hostNow(), threadTimeNs: () => this.#source.threadTimeNs() });
    return this.#stalls;
  }

  timerRead(): void {
    this.#stalls?.timerRead();
  }
  saw(now: number): void {
    this.lag.saw(now);
  }
  changed(): void {
    this.lag.changed();
  }
  relax(): void {
    if (this.lag.lags) this.lag.relax(this.#hostNow());
  }
  hostNs(guestNs: number): number {
    return this.lag.lags ? guestNs * (1 - CATCH_UP) : guestNs;
  }

  #hostNow(): number {
    return this.#standstill.since(this.#source.monotonicNs);
  }
}

/** Milliseconds of the host's monotonic clock. */
export const monotonicMs = (): number => Number(host.monotonicNs()) / 1e6;
