// A page's Workers: begun as soon as a machine is asked for that has threads, while its engine is still being fetched, and told what to do when it is there.
import { handedOver, icedModule } from './browser-engine.ts';
import type { FromWorker, Start } from './browser-start.ts';
import type { HostWorker, ThreadOf, WorkerStart } from './host.ts';

/** Those that nobody has told what to do, by what they run and are called. */
const waiting = new Map<string, Worker>();

const begin = ({ module, name }: ThreadOf): Worker => new Worker(module, { type: 'module', name });

const keyOf = ({ module, name }: ThreadOf): string => `${name} ${module.href}`;

/** Tells one that waits of the engine as soon as all Workers can use it: it need not be started to get ready. */
function announce(worker: Worker): void {
  icedModule().then(
    () => worker.postMessage(handedOver()),
    // Whoever starts it hears of it.
    () => {},
  );
}

/** Threads that are wanted soon. Those that never are wait for the next machine. */
export function expectWorkers(threads: readonly ThreadOf[]): void {
  for (const thread of threads) {
    const key = keyOf(thread);
    if (waiting.has(key)) continue;
    const worker = begin(thread);
    waiting.set(key, worker);
    announce(worker);
    // Whoever starts it then begins another one, and hears why that cannot be.
    worker.addEventListener('error', () => {
      if (waiting.get(key) === worker) waiting.delete(key);
    });
  }
}

export function startWorker(start: WorkerStart): HostWorker {
  const { module, name, data, onMessage, onError, onExit } = start;
  const key = keyOf(start);
  const worker = waiting.get(key) ?? begin(start);
  waiting.delete(key);
  let gone = false;
  const end = (code: number) => {
    worker.terminate();
    if (!gone) onExit(code);
    gone = true;
  };
  worker.addEventListener('message', ({ data: from }: MessageEvent<FromWorker>) => {
    if ('ended' in from) end(0);
    else onMessage?.(from.message);
  });
  worker.addEventListener('error', ({ message, filename, lineno }) => {
    onError(new Error(`${message || 'the script cannot be loaded'} (${filename || module.href}:${lineno ?? 0})`));
    end(1);
  });
  worker.postMessage({ workerData: data, ...handedOver() } satisfies Start);
  return { threadName: name, terminate: () => end(1) };
}
