// A CPU's thread that writes to COM1 as fast as it can: for threads.test.ts.
import { workerData } from 'node:worker_threads';
import { threadsChipset } from './threads-chipset.ts';

const { memory, cpu, count } = workerData as { memory: Int32Array; cpu: number; count: number };
const pc = threadsChipset(memory, { thread: cpu + 2, isHost: false, isFirst: false });
// The byte tells the CPU and a running number.
for (let i = 0; i < count; i++) pc.portOut(cpu, 0x3f8, 1, (cpu << 6) | (i & 63));
// Interrupts to another CPU, from every thread at once.
for (let i = 0; i < 1000; i++) {
  pc.mmioWrite(cpu, 0xfee00310, 4, ((cpu + 1) & 3) << 24);
  pc.mmioWrite(cpu, 0xfee00300, 4, 0x40 + cpu);
}
