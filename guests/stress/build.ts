// The stress program. Usage, after a change of its sources: node scripts/with-node.mjs guests/stress/build.ts
import { PrebuiltProgram } from '../prebuilt.ts';

export const STRESS = new PrebuiltProgram({
  folder: new URL('.', import.meta.url),
  name: 'stress',
  units: [
    '../entry.S',
    'start.S',
    'stress.c',
    'processes.c',
    'signals.c',
    'memory.c',
    'locks.c',
    'code.c',
    'files.c',
    'floats.c',
    'random.c',
  ],
  shared: ['../entry.S'],
  optimization: '-O2',
});

if (import.meta.main) STRESS.build();
