// node scripts/with-node.mjs bench/clocks.ts [RUNS] [LOOPS]: how far guests are off that measure one clock by another, as SeaBIOS, GRUB and seL4 do
// (test/smp/clocks.asm), each once in a machine of its own, while LOOPS busy loops run beside (100; twice the host's cores).
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CLOCKS, clockDeviation } from '../test/smp/checks.ts';

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const [runs, loops] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 2 * availableParallelism())];

const busy = Array.from({ length: loops }, () => new Worker('for (;;);', { eval: true }));
const options = ['--memory', '64', '--debug-exit', '0xf4', '--debugcon', '-', '--append', 'cpus=1 n=1 what=0', '--code-cache', 'off'];
const deviations = new Map<string, number[]>(CLOCKS.map((name) => [name, []]));
for (let n = 0; n < runs; n++) {
  // The debug-exit port gives the process a status of its own.
  const command = [at('bin/dragoman.mjs'), 'run', at('test/smp/bin/clocks.bin'), ...options];
  const stdout = await new Promise<string>((resolve) => execFile(process.execPath, command, (_error, text) => resolve(text)));
  const lines = stdout.split('\n');
  for (const [name, all] of deviations) {
    const [found] = clockDeviation(lines, name);
    if (found === undefined) throw new Error(`a machine ended without '${name}'`);
    all.push(found);
  }
}
await Promise.all(busy.map((worker) => worker.terminate()));
for (const [name, all] of deviations) {
  const sizes = all.map(Math.abs).sort((a, b) => a - b);
  const part = (from: number) => `${(100 * sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * from))]!).toFixed(1)}%`;
  process.stdout.write(
    `${name}: median deviation ${part(0.5)}, nine of ten ${part(0.9)}, worst ${part(1)}; within 1%: ${sizes.filter((x) => x < 0.01).length} of ${sizes.length}\n`,
  );
}
