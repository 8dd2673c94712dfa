// The program of npm run bench -- kernel. Usage, after a change of its sources: node scripts/with-node.mjs guests/kbench/build.ts
import { PrebuiltProgram } from '../prebuilt.ts';

export const KBENCH = new PrebuiltProgram({
  folder: new URL('.', import.meta.url),
  name: 'kbench',
  units: ['../entry.S', 'kbench.c'],
  shared: ['../entry.S', '../stress/sys.h'],
  optimization: '-O1',
});

if (import.meta.main) KBENCH.build();
