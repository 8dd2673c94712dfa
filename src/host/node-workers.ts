// Worker threads of Node: begun as soon as a machine is asked for that has threads, while its memory is still being filled, and told what to do when it is there.
// Not by names: an older Node has not all of them, and is told so by check-node.ts only where all of this loads.
import nodeModule from 'node:module';
import { dirname } from 'node:path';
import { parentPort, Worker } from 'node:worker_threads';
import type { HostWorker, ThreadOf, WorkerStart } from './host.ts';

/**
 * V8 takes two semispaces of 16 MiB and never gives them back while a thread does not go through its event loop. A thread of a CPU keeps most of what it makes, so it collects no longer with
 * semispaces of 4 MiB, which are a third of this.
 */
const FRUGAL = { maxYoungGenerationSizeMb: 12 };

/** Those that nobody has told what to do, by what they run and are called. */
const waiting = new Map<string, Worker>();

const keyOf = ({ module, name }: ThreadOf): string => `${name} ${module.href}`;

/** Where modules that were compiled are kept (of Node itself: module.enableCompileCache), they are for each thread: Node asks its environment. */
function environment(): NodeJS.ProcessEnv {
  const folder = nodeModule.getCompileCacheDir();
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) };
}

const begin = ({ module, name, frugal }: ThreadOf): Worker =>
  new Worker(module, { name, stdin: false, env: environment(), resourceLimits: frugal ? FRUGAL : {} });

/** Threads that are wanted soon; those that are not urgent would take the others' time. Those that never are wanted wait for the next machine, or endIdleWorkers(), and keep no process alive. */
export function expectWorkers(threads: readonly ThreadOf[]): void {
  for (const thread of threads) {
    const key = keyOf(thread);
    if (!thread.urgent || waiting.has(key)) continue;
    const worker = begin(thread);
    worker.unref();
    waiting.set(key, worker);
    const forget = () => {
      if (waiting.get(key) === worker) waiting.delete(key);
    };
    // Whoever starts it then begins another one, and hears why that cannot be.
    worker.on('error', forget);
    worker.once('exit', forget);
  }
}

/** Ends those that nobody has told what to do; resolves when they hold nothing any more. */
export async function endIdleWorkers(): Promise<void> {
  const idle = [...waiting.values()];
  waiting.clear();
  await Promise.all(idle.map((worker) => worker.terminate()));
}

export function startWorker(start: WorkerStart): HostWorker {
  const { data, onMessage, onError, onExit } = start;
  const key = keyOf(start);
  const worker = waiting.get(key) ?? begin(start);
  waiting.delete(key);
  worker.ref();
  if (onMessage !== undefined) worker.on('message', onMessage);
  worker.on('error', onError);
  worker.once('exit', onExit);
  worker.postMessage(data);
  return worker;
}

/** In a Worker: what it was started with. */
export const workerData = <T>(): Promise<T> => new Promise((resolve) => parentPort!.once('message', resolve));
