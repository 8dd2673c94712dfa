// A CPU's thread that writes to COM1 as fast as it can: for threads.test.ts.
import { workerData } from 'node:worker_threads';
import { Chipset } from '../../src/devices/chipset.ts';

const { memory, words, cpu, count } = workerData as { memory: Int32Array; words: number; cpu: number; count: number };
const pc = new Chipset({
  state: memory.subarray(0, words),
  memory,
  pendingIndex: (one) => words + one,
  a20Index: words + 63,
  ram: new Uint8Array(0x1000),
  ramBytes: 64 << 20,
  cpuCount: 4,
  clock: { now: () => 0, wallMs: () => 0 },
  thread: cpu + 2,
  mayWait: true,
  isHost: false,
  isFirst: false,
  hostSignal: { words: memory, index: words + 62 },
  onEnd: () => {},
});
// The byte tells the CPU and a running number.
for (let i = 0; i < count; i++) pc.portOut(cpu, 0x3f8, 1, (cpu << 6) | (i & 63));
// Interrupts to another CPU, from every thread at once.
for (let i = 0; i < 1000; i++) {
  pc.mmioWrite(cpu, 0xfee00310, 4, ((cpu + 1) & 3) << 24);
  pc.mmioWrite(cpu, 0xfee00300, 4, 0x40 + cpu);
}
