// The program of npm run bench -- kernel and paper. Usage, after a change of its sources: node scripts/with-node.mjs guests/kbench/build.ts
import { PrebuiltProgram } from '../prebuilt.ts';

export const KBENCH = new PrebuiltProgram({
  folder: new URL('.', import.meta.url),
  name: 'kbench',
  units: ['../entry.S', 'kbench.c', 'say.c', 'rows.c', 'calls.c', 'signals.c', 'files.c', 'talks.c', 'processes.c', 'memory.c', 'user.c'],
  shared: ['../entry.S', '../stress/sys.h'],
  optimization: '-O1',
});

if (import.meta.main) KBENCH.build();
