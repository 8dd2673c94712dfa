// Which engine a machine runs on, and that the host has it.
import type { Settings } from '../api/schema.ts';
import { type EngineVariant, engineFiles } from '../host/host.ts';
import { host } from '../host/node.ts';
import { threadsFor } from './threads/messages.ts';

type Needs = Pick<Settings, 'cpus' | 'strictOrder' | 'lockstep' | 'perfMap' | 'clients'>;

/** Behind Host.admit(). CPUs on threads of a host that is no x86, or may be none, need the strict order. */
export const engineOf = ({ cpus, strictOrder, lockstep, perfMap, clients }: Needs): EngineVariant => ({
  strictOrder: strictOrder ?? (cpus > 1 && lockstep === undefined && !host.isX86),
  named: perfMap,
  prof: clients.some(({ name }) => name === 'prof'),
});

/** Throws DragomanError where this host cannot run such a machine, or the engine cannot be had. */
export async function prepareEngine(settings: Needs & Pick<Settings, 'engine' | 'onLoading'>): Promise<void> {
  const onThreads = settings.lockstep === undefined;
  await host.admit(onThreads);
  if (onThreads) host.expectWorkers(threadsFor(settings.cpus, settings.engine === 'jit'));
  await host.prepare(engineFiles(engineOf(settings)), settings.onLoading);
}
