// The CPU's side of virtio-thread.test.ts, in a Worker of its own: writes and reads sectors with several requests in
// flight, waits for the used ring as a CPU does, and notifies only where the event index asks for it.

import { parentPort, workerData } from 'node:worker_threads';
import { Chipset } from '../../../src/devices/chipset.ts';
import { SharedWord } from '../../../src/layout/view.ts';
import type { CpuJob, CpuResult } from './virtio-cpu-job.ts';
import { type Buffer, Driver, EVENT_IDX, type Rig, VERSION_1 } from './virtio-driver.ts';

const { memory, ram, signals, rounds, depth, config } = workerData as CpuJob;
const stateWords = memory.length - 64;
const cpu = new Chipset({
  state: memory.subarray(0, stateWords),
  pending: (index) => new SharedWord(memory, stateWords + index),
  a20: new SharedWord(memory, stateWords + 63),
  ram,
  ramBytes: 64 << 20,
  cpuCount: 1,
  clock: { now: () => 0, wallMs: () => 0 },
  thread: 2,
  mayWait: true,
  isHost: false,
  isFirst: false,
  hostSignal: new SharedWord(signals, 0),
  onEnd: () => {},
  virtio: config,
});
const d = new Driver({ ram, cpu } as Rig, 3).start(VERSION_1 | EVENT_IDX, 256);
d.route(0x41);
const ring = d.rings[0];
const halves = new Uint16Array(ram.buffer, ram.byteOffset, ram.length >> 1);
const result: CpuResult = { wrong: 0, requests: 0, notifications: 0, interrupts: 0, hung: false };

const slots = Array.from({ length: depth }, () => ({ header: d.room(16), data: d.room(512), status: d.room(1) }));

/** Runs one request in every slot; false where the device does not answer. */
function all(type: number, sector: (slot: number) => number): boolean {
  const before = d.view.getUint16(ring.avail + 2, true);
  slots.forEach(({ header, data, status }, i) => {
    d.view.setUint32(header.address, type, true);
    d.view.setBigUint64(header.address + 8, BigInt(sector(i)), true);
    ram[status.address] = 0xee;
    const readable: Buffer = { address: header.address, length: 16 };
    d.add(0, [readable, type === 1 ? { address: data.address, length: 512 } : data, status]);
    // As a CPU's store and fence; then what the device says it wants to hear of.
    Atomics.store(halves, (ring.avail + 2) >> 1, d.view.getUint16(ring.avail + 2, true));
  });
  const now = Atomics.load(halves, (ring.avail + 2) >> 1);
  const event = Atomics.load(halves, (ring.used + 4 + 8 * ring.size) >> 1);
  if (((now - event - 1) & 0xffff) < ((now - before) & 0xffff)) {
    result.notifications++;
    d.notify(0);
  }
  const deadline = performance.now() + 5000;
  for (let back = 0; back < depth; ) {
    if (performance.now() > deadline) return false;
    if (d.takeInterrupt() !== 0x41) continue;
    result.interrupts++;
    d.isr;
    // Enables interrupts for the next one, and looks whether it came before (virtqueue_enable_cb).
    do {
      back += d.used(0).length;
      Atomics.store(halves, (ring.avail + 4 + 2 * ring.size) >> 1, ring.seen);
    } while (Atomics.load(halves, (ring.used + 2) >> 1) !== ring.seen);
    d.endInterrupt();
  }
  result.requests += depth;
  for (const { status } of slots) if (ram[status.address] !== 0) result.wrong++;
  return true;
}

for (let round = 0; round < rounds && !result.hung; round++) {
  const sector = (slot: number): number => (round * depth + slot) % 64;
  const value = (slot: number): number => (round * 7 + slot) & 0xff;
  slots.forEach(({ data }, i) => {
    ram.fill(value(i), data.address, data.address + 512);
  });
  result.hung = !all(1, sector);
  for (const { data } of slots) ram.fill(0, data.address, data.address + 512);
  result.hung ||= !all(0, sector);
  slots.forEach(({ data }, i) => {
    if (!result.hung && (ram[data.address] !== value(i) || ram[data.address + 511] !== value(i))) result.wrong++;
  });
}
parentPort?.postMessage(result);
Atomics.store(signals, 1, 1);
Atomics.add(signals, 0, 1);
Atomics.notify(signals, 0);
