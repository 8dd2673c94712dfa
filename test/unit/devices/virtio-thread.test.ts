// A disk with the CPU and the host on threads of their own: nothing is lost, nothing sleeps for ever.

import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import type { BlockBackend, VirtioConfig } from '../../../src/devices/virtio/index.ts';
import { SharedWord } from '../../../src/layout/view.ts';
import { bench } from './harness.ts';
import type { CpuJob, CpuResult } from './virtio-cpu-job.ts';
import { RAM_BYTES } from './virtio-driver.ts';

it('serves a CPU on another thread', async () => {
  const ram = new Uint8Array(new SharedArrayBuffer(RAM_BYTES));
  const signals = new Int32Array(new SharedArrayBuffer(8));
  const disk = new Uint8Array(64 * 512);
  const config: VirtioConfig = { disks: [{ capacitySectors: 64 }], firstSlot: 3 };
  const backend: BlockBackend = {
    read: (offset, into) => into.set(disk.subarray(offset, offset + into.length)),
    write: (offset, from) => disk.set(from, offset),
    flush: () => {},
  };
  const b = bench(1, { ram, hostSignal: new SharedWord(signals, 0), virtio: config, virtioHost: { disks: [backend] } });
  const workerData: CpuJob = { memory: b.memory, ram, signals, rounds: 400, depth: 6, config };
  const worker = new Worker(new URL('./virtio-cpu-worker.ts', import.meta.url), { workerData });
  let failure: unknown;
  worker.on('error', (error) => {
    failure = error;
  });
  const message = new Promise<CpuResult>((resolve) => worker.once('message', resolve));
  // The Worker starts only while our event loop runs.
  await new Promise((resolve) => worker.once('online', resolve));
  const deadline = performance.now() + 30_000;
  while (Atomics.load(signals, 1) === 0 && performance.now() < deadline && failure === undefined) {
    const seen = Atomics.load(signals, 0);
    b.pc.hub.runHostSignals();
    Atomics.wait(signals, 0, seen, 200);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(failure).toBe(undefined);
  const result = await message;
  await worker.terminate();
  expect(result).toMatchObject({ wrong: 0, requests: 4800, hung: false });
  expect(result.notifications).toBeGreaterThan(0);
  expect(result.interrupts).toBeGreaterThan(0);
}, 40_000);
