// What the host itself gives: the same loop on one thread and on two at the same time. No guest can gain more, and cores that share a cache or the way to
// memory are less than twice one where the work does not stay in their own caches.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const MILLISECONDS = 250;
/** Reads and writes a word in each cache line of a buffer, for the time asked for; answers with the turns of 4,096 lines. */
const SOURCE = `
const { parentPort } = require('node:worker_threads');
const WORDS = 1 << 23;
const words = new Int32Array(WORDS).fill(1);
function lines(seed, from) {
  let h = seed;
  for (let i = 0; i < 65536; i += 16) {
    h = Math.imul(h ^ words[from + i], 0x01000193);
    words[from + i] = h;
  }
  return h;
}
parentPort.on('message', ({ milliseconds, bytes }) => {
  const end = performance.now() + milliseconds;
  let turns = 0;
  for (let h = 1; performance.now() < end; turns++) h = lines(h, (turns * 65536) % (bytes / 4));
  parentPort.postMessage(turns);
});
`;
/** A buffer that stays in a core's own caches, and one that does not. */
export const HOST_LOOPS = { 'in its caches': 1 << 18, 'over 32 MiB': 1 << 25 } as const;

export class HostGain {
  private readonly workers = [new Worker(SOURCE, { eval: true }), new Worker(SOURCE, { eval: true })];

  /** How many times as much two threads do as one, now, each with a buffer of so many bytes. */
  async measure(bytes: number): Promise<number> {
    const work = async (count: number) => {
      const turns = this.workers.slice(0, count).map(async (worker) => {
        worker.postMessage({ milliseconds: MILLISECONDS, bytes });
        return ((await once(worker, 'message')) as [number])[0];
      });
      return (await Promise.all(turns)).reduce((sum, n) => sum + n, 0);
    };
    const before = await work(1);
    const both = await work(2);
    const after = await work(1);
    return (2 * both) / (before + after);
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}
