// Several threads in the devices at once: the lock holds, and a slow host loses no output.
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { newMemory, threadsChipset } from './threads-chipset.ts';

const COUNT = 30000;

it('carries the output of four CPUs through one ring', async () => {
  const memory = newMemory();
  const last = [-1, -1, -1, -1];
  const counts = [0, 0, 0, 0];
  let wrong = 0;
  const pc = threadsChipset(memory, {
    thread: 1,
    isHost: true,
    isFirst: true,
    serial: [
      {
        onOutput: (bytes) => {
          for (const byte of bytes) {
            const cpu = byte >> 6;
            if ((byte & 63) !== ((last[cpu] + 1) & 63)) wrong++;
            last[cpu] = byte & 63;
            counts[cpu]++;
          }
        },
      },
    ],
  });
  for (let cpu = 0; cpu < 4; cpu++) pc.mmioWrite(cpu, 0xfee000f0, 4, 0x1ff);
  const exits = [0, 1, 2, 3].map((cpu) => {
    const worker = new Worker(new URL('./threads.worker.ts', import.meta.url), { workerData: { memory, cpu, count: COUNT } });
    return new Promise<number>((done, failed) => {
      worker.on('exit', done);
      worker.on('error', failed);
    });
  });
  const timer = setInterval(() => pc.hub.runHostSignals(), 2);
  const codes = await Promise.all(exits);
  clearInterval(timer);
  pc.hub.runHostSignals();
  expect(codes).toEqual([0, 0, 0, 0]);
  expect(wrong).toBe(0);
  expect(counts).toEqual([COUNT, COUNT, COUNT, COUNT]);
  // Each CPU has its predecessor's vector waiting.
  expect([0, 1, 2, 3].map((cpu) => pc.interruptAck(cpu))).toEqual([0x43, 0x40, 0x41, 0x42]);
}, 60000);
