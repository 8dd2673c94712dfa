// Prints MiB of V8's heap of this thread: with much garbage in its young generation, and once that was given back.
import v8 from 'node:v8';
import { host } from '../../../src/host/node.ts';

const total = () => v8.getHeapStatistics().total_heap_size / 2 ** 20;
// V8 makes the young generation larger where much of it survives.
let kept = [];
for (let turn = 0; turn < 200; turn++) {
  kept = kept.slice(-20);
  kept.push(Array.from({ length: 20_000 }, (_, k) => ({ k })));
}
kept = [];
const before = total();
host.collectGarbage();
process.stdout.write(JSON.stringify({ before, after: total(), kept: kept.length, gc: typeof globalThis.gc }));
