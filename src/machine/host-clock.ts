// The clock of a machine whose CPUs are threads: the host's monotonic clock. All clocks of the guest derive from it.
import type { Clock } from '../devices/device.ts';
import { host } from '../host/node.ts';

export class HostClock implements Clock {
  readonly #start: bigint;
  readonly #wall: number;

  /** Power-on: nanoseconds of Host.monotonicNs, and Unix milliseconds. */
  constructor(startNs: bigint, wallMs: number) {
    this.#start = startNs;
    this.#wall = wallMs;
  }

  now(): number {
    return Number(host.monotonicNs() - this.#start);
  }
  wallMs(): number {
    return this.#wall + this.now() / 1e6;
  }
}

/** Milliseconds of the host's monotonic clock. */
export const monotonicMs = (): number => Number(host.monotonicNs()) / 1e6;
