// The engine, asked for before there is a machine: in a page it has to be fetched and compiled, and its threads take their time to begin.
import { expectThreads, prepareEngine } from '../machine/engine.ts';
import { BOOLEAN, CPUS, ENGINE } from './engine-options.ts';
import { defaults, optional, shape } from './kind.ts';
import type { MachineOptions } from './options.ts';

/** Those options of a machine that say what it needs; as they will be given to Machine.create(). */
export type PrepareOptions = Pick<MachineOptions, 'cpus' | 'engine' | 'strictOrder'>;
const PREPARE = shape({ cpus: defaults(CPUS, 1), engine: defaults(ENGINE, 'jit'), strictOrder: optional(BOOLEAN) });

/**
 * Has the engine of a machine that is to be made soon, whose CPUs have threads, fetched and its threads begun: where the machine is then there sooner, in a page most of all. It resolves when the
 * engine is there. Throws BAD_OPTION, NO_ISOLATION, NOT_SUPPORTED, or INTERNAL where the engine cannot be had, as Machine.create() would.
 */
export async function prepareMachine(options: PrepareOptions = {}): Promise<void> {
  const { cpus, engine, strictOrder } = PREPARE.take(options, 'prepareMachine');
  const wanted = { cpus, engine, strictOrder, lockstep: undefined, perfMap: false, clients: [], onLoading: undefined };
  await expectThreads(wanted, false);
  await prepareEngine(wanted);
}
