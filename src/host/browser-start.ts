// How a page starts the Workers of its machines: the messages to one, and what comes back.

/** To a Worker that waits for its start: what of the engine is there by then. */
export interface Engine {
  /** Addresses of the engine's files by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Those of them that are compiled. */
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
}
/** To a Worker, last of all. */
export interface Start extends Engine {
  readonly workerData: unknown;
}
/** From a Worker: a message of its module, or, last of all, that it has ended. */
export type FromWorker = { readonly message: unknown } | { readonly ended: true };

/** What there is once in a thread, however many scripts have a copy of this module: that of a client has, which comes when the first message is long over. `make`: for the first of them. */
export function ofThread<T>(name: string, make: () => T): T {
  const key = Symbol.for(`dragoman ${ENGINE_HASH} ${name}`);
  const thread = globalThis as unknown as Record<symbol, T | undefined>;
  return (thread[key] ??= make());
}

interface DedicatedWorkerGlobalScope {
  addEventListener(type: 'message', listener: (event: MessageEvent<Engine | Start>) => void): void;
  postMessage(message: FromWorker): void;
  close(): void;
}

export const isPage = typeof document !== 'undefined';
/** Of a Worker. */
export const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
/** Resolve when there is an engine, and when the Worker is started, which may be at once. */
function messages(): { readonly engine: Promise<Engine>; readonly start: Promise<Start> } {
  const [engine, start] = [Promise.withResolvers<Engine>(), Promise.withResolvers<Start>()];
  scope.addEventListener('message', ({ data }) => {
    engine.resolve(data);
    if ('workerData' in data) start.resolve(data);
  });
  return { engine: engine.promise, start: start.promise };
}
const told = isPage ? undefined : ofThread('messages', messages);
/** In a Worker: what it was started with; and the engine, which may come before. */
export const started = told?.start;
export const engine = told?.engine;
