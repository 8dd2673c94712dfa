// How a page starts the Workers of its machines: the first message to one, and what comes back.

/** To a Worker, first of all. */
export interface Start {
  readonly workerData: unknown;
  /** Addresses of the engine's files by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Those of them that are compiled. */
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
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
  addEventListener(type: 'message', listener: (event: MessageEvent<Start>) => void, options: { once: true }): void;
  postMessage(message: FromWorker): void;
  close(): void;
}

export const isPage = typeof document !== 'undefined';
/** Of a Worker. */
export const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
const startMessage = () =>
  new Promise<Start>((resolve) => {
    scope.addEventListener('message', ({ data }: MessageEvent<Start>) => resolve(data), { once: true });
  });
/** In a Worker: what it was started with. */
export const started = isPage ? undefined : ofThread('start', startMessage);
