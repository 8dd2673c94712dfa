// What virtio-thread.test.ts and its Worker tell each other.
import type { VirtioConfig } from '../../../src/devices/virtio/index.ts';

export interface CpuJob {
  readonly memory: Int32Array;
  readonly ram: Uint8Array;
  /** Word 0 wakes the host; word 1: the Worker is done. */
  readonly signals: Int32Array;
  readonly rounds: number;
  /** Requests in flight. */
  readonly depth: number;
  readonly config: VirtioConfig;
}

export interface CpuResult {
  wrong: number;
  requests: number;
  notifications: number;
  interrupts: number;
  hung: boolean;
}
