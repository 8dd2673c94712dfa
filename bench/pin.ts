// Pins the threads of a machine's CPUs to cores of the host. A core may be slower than the next for minutes, where a hypervisor gives its other half
// to somebody else: one CPU on whichever core it likes against two on both says more about the host than about us.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpuThreadName } from '../src/machine/threads/messages.ts';

const TASKS = '/proc/self/task';
const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // The thread has ended, or the host has no such file.
    return undefined;
  }
};

/** All numbers of a list like "0-3,8". */
const cpuList = (list: string): number[] =>
  list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, k) => first + k);
  });

/** Two logical processors of different cores that this process may use; undefined where threads cannot be pinned, or there is no second core. */
export function twoCores(): readonly [number, number] | undefined {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(read('/proc/self/status') ?? '')?.[1];
  if (allowed === undefined) return undefined;
  const [first, ...others] = cpuList(allowed);
  const core = (cpu: number) => read(`/sys/devices/system/cpu/cpu${cpu}/topology/core_cpus_list`) ?? `${cpu}`;
  const second = others.find((cpu) => core(cpu) !== core(first!));
  if (second === undefined) return undefined;
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return [first!, second];
}

/** Numbers of the threads of this process that run CPUs of machines, the first `count` of each: all CPUs 0, then all CPUs 1 ... */
export function cpuThreads(count: number): string[] {
  if (!existsSync(TASKS)) return [];
  const threads = readdirSync(TASKS).map((thread) => ({ thread, name: read(`${TASKS}/${thread}/comm`) }));
  return Array.from({ length: count }, (_, cpu) => threads.filter(({ name }) => name === cpuThreadName(cpu)))
    .flat()
    .map(({ thread }) => thread);
}

/** The thread runs on no other logical processor from now on. */
export function pin(thread: string, processor: number): void {
  execFileSync('taskset', ['-pc', String(processor), thread], { stdio: 'ignore' });
}
