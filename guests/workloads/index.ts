// The guests of npm run bench -- paper. Usage, to make their images and see where they are: node scripts/with-node.mjs guests/workloads/index.ts
import { APACHE } from './apache.ts';
import { BUILD } from './build.ts';
import { FILESERVER } from './fileserver.ts';
import { LMBENCH } from './lmbench.ts';
import { SERAI } from './serai.ts';
import type { Workload } from './workload.ts';

export const WORKLOADS: readonly Workload[] = [LMBENCH, APACHE, FILESERVER, BUILD, SERAI];

if (import.meta.main) for (const workload of WORKLOADS) console.log(workload.name, await workload.image());
