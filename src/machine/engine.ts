// Which engine a machine runs on, and that the host has it.
import type { Settings } from '../api/schema.ts';
import { type EngineVariant, engineFiles } from '../host/host.ts';
import { host } from '../host/node.ts';
import { threadsFor } from './threads/messages.ts';

type Needs = Pick<Settings, 'cpus' | 'strictOrder' | 'lockstep' | 'perfMap' | 'clients'>;
type ThreadNeeds = Pick<Settings, 'cpus' | 'engine' | 'lockstep' | 'perfMap'>;

/** Behind Host.admit(). CPUs on threads of a host that is no x86, or may be none, need the strict order. */
export const engineOf = ({ cpus, strictOrder, lockstep, perfMap, clients }: Needs): EngineVariant => ({
  strictOrder: strictOrder ?? (cpus > 1 && lockstep === undefined && !host.isX86),
  named: perfMap,
  prof: clients.some(({ name }) => name === 'prof'),
});

/** Lets the threads of such a machine begin, while it is made. `goesOn`: it goes on from a snapshot. Throws DragomanError where this host cannot run one. */
export async function expectThreads({ lockstep, cpus, engine, perfMap }: ThreadNeeds, goesOn: boolean): Promise<void> {
  const threads = lockstep === undefined ? threadsFor(cpus, engine === 'jit', goesOn) : [];
  await host.admit(threads.length > 0);
  host.checkLimits(threads.length);
  // Those that a profiler is told of begin when that is asked for.
  if (!perfMap) host.expectWorkers(threads);
}

/** Throws DragomanError where the engine cannot be had. */
export const prepareEngine = (settings: Needs & Pick<Settings, 'onLoading'>): Promise<void> =>
  host.prepare(engineFiles(engineOf(settings)), settings.onLoading);

/** All of that of a machine that goes on from a snapshot, while its memory is read. */
export async function expectRestored(settings: Settings): Promise<void> {
  await expectThreads(settings, true);
  // Whoever waits for it is told what is wrong.
  prepareEngine(settings).catch(() => {});
}

/** Makes a machine; where that fails, its threads do not wait for another one. */
export async function orNoThreads<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await host.endIdleWorkers();
    throw error;
  }
}
