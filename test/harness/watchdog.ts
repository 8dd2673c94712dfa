// A thread that ends or disturbs a run from outside after a time, for engines that run on the caller's own thread (tests, single commands).
import { Worker } from 'node:worker_threads';
import type { Vcpu } from '../../src/cpu/vcpu.ts';
import { Cpu, Pending } from '../../src/layout/cpu.ts';

// Plain JavaScript in a string: it must run while its parent's event loop does not. words: [generation, ms to STOP, ms to INTR].
const CODE = `
const { workerData: { words, memory, pending, STOP, INTR } } = require('node:worker_threads');
const w = new Int32Array(words);
const i32 = new Int32Array(memory);
for (let seen = 0; ; ) {
  Atomics.wait(w, 0, seen);
  seen = Atomics.load(w, 0);
  if (w[1] < 0) break;
  const waits = [];
  if (w[1] > 0) waits.push([w[1], STOP]);
  if (w[2] > 0) waits.push([w[2], INTR]);
  waits.sort((a, b) => a[0] - b[0]);
  let passed = 0;
  for (const [ms, bit] of waits) {
    if (Atomics.wait(w, 0, seen, ms - passed) !== 'timed-out') break;
    passed = ms;
    Atomics.or(i32, pending, bit);
  }
}`;

export class Watchdog {
  private readonly words = new Int32Array(new SharedArrayBuffer(12));
  private readonly worker: Worker;

  constructor(cpu: Vcpu) {
    const workerData = {
      words: this.words.buffer,
      memory: cpu.shared.i32.buffer,
      pending: (cpu.base + Cpu.at.pending) >> 2,
      STOP: Pending.STOP,
      INTR: Pending.INTR,
    };
    this.worker = new Worker(CODE, { eval: true, workerData });
    this.worker.unref();
  }

  private set(stopMs: number, interruptMs: number): void {
    this.words[1] = stopMs;
    this.words[2] = interruptMs;
    Atomics.add(this.words, 0, 1);
    Atomics.notify(this.words, 0);
  }

  /** Sets Pending.STOP and Pending.INTR after these times, each 0 for never. */
  start(stopMs: number, interruptMs: number): void {
    this.set(stopMs, interruptMs);
  }

  /** Nothing more is to happen; what just happened stays in Cpu.pending. */
  stop(): void {
    this.set(0, 0);
  }

  /** Ends the thread. */
  close(): void {
    this.set(-1, 0);
  }
}
