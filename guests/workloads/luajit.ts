// The guest of npm run bench -- new-code: LuaJIT of Debian's packages, which keeps making machine code.
import type { KbenchRun } from '../kbench/initrd.ts';
import { workloadAppend, workloadImage } from './image.ts';
import type { WorkloadImage } from './workload.ts';

/** Fetches and makes what is missing. Throws GUEST_MISSING with the reason. */
export const luajitImage = (): Promise<WorkloadImage> =>
  workloadImage({
    name: 'luajit',
    script: 'luajit.sh',
    packages: { luajit: ['usr/bin/luajit'] },
    files: { 'loops.lua': new URL('loops.lua', import.meta.url) },
  });

/** The kernel's command line: so many runs, each of which says `kbench: also luajit run N` when it ends. */
export const luajitAppend = (runs: number, limitSeconds: number): string => {
  const run: KbenchRun = { seconds: 1, slices: runs, limitSeconds, rows: ['luajit'] };
  return workloadAppend(run);
};
