// What the paper's tables compare: Dragoman in its modes, without each relaxation, its interpreter, the peers, and the host itself.
import { execFileSync } from 'node:child_process';
import { KBENCH } from '../../guests/kbench/build.ts';
import type { KbenchRun } from '../../guests/kbench/initrd.ts';
import type { Workload, WorkloadImage } from '../../guests/workloads/workload.ts';
import { RELAXATIONS } from '../../src/api/relax.ts';
import { dragoman, qemu, v86 } from '../machines.ts';
import type { PaperSubject } from './result.ts';

/** A row of rows on a machine with so many CPUs. */
export interface Task {
  readonly workload: Workload;
  readonly image: WorkloadImage;
  readonly cpus: number;
  readonly run: KbenchRun;
}

export interface Subject extends PaperSubject {
  /** Seconds until the first row begins, until it is known. */
  readonly bootSeconds: number;
  /** Program with its arguments; a text where it cannot do that: the reason. */
  command(task: Task): Promise<readonly string[] | string>;
}

const bootImage = ({ workload, image, run }: Task) => ({ ...image, append: workload.append(run), memoryMiB: workload.memoryMiB });

function ours(
  name: string,
  kind: PaperSubject['kind'],
  what: string,
  flags: readonly string[],
  engine: 'jit' | 'interpreter' = 'jit',
): Subject {
  return {
    name,
    kind,
    what,
    bootSeconds: engine === 'jit' ? 6 : 20,
    command: async (task) => dragoman(bootImage(task), engine, task.cpus, { flags }).command,
  };
}

/** Why this host does not run the guest's programs; undefined where it does. */
function notNative(): string | undefined {
  try {
    execFileSync(KBENCH.path, ['exit'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `this host runs no i386 executables of Linux (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`;
  }
}

const native: Subject = {
  name: 'native',
  kind: 'native',
  what: "the same program on the host's own kernel: a landmark, as that is another kernel, on all of the host's cores",
  bootSeconds: 0,
  async command({ workload, run: { seconds, slices, limitSeconds, rows } }) {
    if (workload.name !== 'lmbench') return 'its rows are part of its image';
    return notNative() ?? [KBENCH.path, 'native', String(Math.round(seconds * 1000)), String(slices), String(limitSeconds), rows.join()];
  },
};

/** All there are, in the order of the tables. */
export const SUBJECTS: readonly Subject[] = [
  ours('relaxed', 'mode', 'Dragoman as it is: code of kernels relies on what kernels never do', []),
  ours('transparent', 'mode', 'Dragoman that relies on nothing a guest could see', ['--mode', 'transparent']),
  ours('classic', 'mode', "Dragoman as translators of kernels were built before: the paper's rival", ['--mode', 'classic']),
  ...Object.keys(RELAXATIONS).map((name) => ours(`relaxed -${name}`, 'minus', `relaxed without ${name}`, ['--relax', `-${name}`])),
  ours('interpreter', 'engine', "Dragoman's interpreter alone", [], 'interpreter'),
  {
    name: 'qemu',
    kind: 'peer',
    what: "QEMU's TCG on the host itself, a thread a CPU",
    bootSeconds: 6,
    command: async (task) => (await qemu(bootImage(task), task.cpus)).command,
  },
  {
    name: 'v86',
    kind: 'peer',
    what: 'v86 of the npm registry, which has one CPU',
    bootSeconds: 14,
    command: async (task) => (task.cpus === 1 ? v86(bootImage(task)).command : 'it has one CPU'),
  },
  native,
];

/** As it is asked for: '-returns' is 'relaxed -returns'. */
export const shortName = ({ name }: { readonly name: string }): string => name.replace(/^relaxed -/, '-');
