// Finds an interleaving of two CPUs in which a kernel loses updates, and shows that its seed finds it again. serai's command `race plain N` adds to a counter without a lock; in lockstep the seed
// alone decides which CPU runs when, so a seed that shows the race shows it each time, on any host.
//
//     node scripts/with-node.mjs examples/api/race-by-seed.ts
import { readFile } from 'node:fs/promises';
import { Machine, MiB } from '../../src/api/index.ts'; // with the package installed: from 'dragoman'

const kernel = await readFile(new URL('../serai/serai.elf', import.meta.url)); // with the package installed: from 'dragoman/serai'
const TURNS = 5000;

/** What the counter has lost with a seed. */
async function lost(seed: number, way: string): Promise<number> {
  await using machine = await Machine.create({
    kernel,
    append: `run="race ${way} ${TURNS}; halt"`,
    cpus: 2,
    memoryBytes: 16 * MiB,
    lockstep: { seed, paced: false },
  });
  const run = machine.run();
  const { match } = await machine.console.until(/(\d+) lost/);
  await run;
  return Number(match[1]);
}

for (let seed = 0; seed < 100; seed++) {
  const updates = await lost(seed, 'plain');
  if (updates === 0) continue;
  console.log(`seed ${seed}: ${updates} of ${2 * TURNS} updates lost`);
  console.log(`again: ${await lost(seed, 'plain')}`);
  console.log(`with a lock: ${await lost(seed, 'locked')}`);
  break;
}
