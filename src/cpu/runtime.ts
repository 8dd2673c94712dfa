// The compiled parts that every CPU instantiates: the AssemblyScript runtime and the interpreter's handlers.
import { FIRST_FORM, PSEUDO } from '../emit/interpreter/table.ts';
import { host as machineHost } from '../host/node.ts';
import { CLIENT_HANDLERS, TABLE_ENTRIES } from '../layout/memory.ts';
import type { HostCall, runtime } from '../runtime/abi.ts';
import type { HostImports } from '../runtime/host.ts';
import type { SharedMemory } from './state.ts';

/** Compiled modules and the forms' keys; may be sent to Workers. */
export interface EngineImage {
  readonly runtime: WebAssembly.Module;
  readonly handlers: WebAssembly.Module;
  readonly keys: readonly string[];
}

/** The runtime as JavaScript calls it. */
export type RuntimeExports = { readonly [K in keyof typeof runtime]: HostCall<(typeof runtime)[K]> };

/** Computes anew all that follows from the registers of the CPU at `base`, after the host changed them; its TLB is empty then. */
export function deriveState(runtime: RuntimeExports, base: number): void {
  runtime.flush(base);
  runtime.updateBreakpoints(base);
  runtime.updateStep(base);
  runtime.updateMode(base);
  runtime.updateFpuTraps(base);
}

export interface Instance {
  readonly runtime: RuntimeExports;
  readonly table: WebAssembly.Table;
  /** The stub for empty table slots. */
  readonly stub: CallableFunction;
  /** Runs the CPU from its state until Cpu.exit is set. */
  run(cpu: number): void;
  /** Imports for a module of regions. */
  readonly imports: WebAssembly.Imports;
  /** From now on the table has so many entries at the least. */
  reach(entries: number): void;
}

/** Entries that the table grows by: all of them at once take 20 ms of each thread's start. */
const GROWTH = 4096;

const asItIs = <T extends object>(functions: T): T => functions;

/** A table without functions. */
export const noCode = (): WebAssembly.Table => new WebAssembly.Table({ element: 'anyfunc', initial: 1 });

/** Instantiates the runtime alone over the shared memory. `wrap`: what is put around the functions of the host. `table`: where code of clients is that it calls. */
export function instantiateRuntime(
  { runtime }: EngineImage,
  { memory }: SharedMemory,
  host: HostImports,
  wrap = asItIs,
  table = noCode(),
): RuntimeExports {
  const imports = wrap({ ...host, monotonic: machineHost.monotonicNs }) as unknown as WebAssembly.ModuleImports;
  return new WebAssembly.Instance(runtime, { env: { memory, table }, host: imports }).exports as unknown as RuntimeExports;
}

/** Instantiates both modules over the shared memory and fills a function table. */
export function instantiate(image: EngineImage, shared: SharedMemory, host: HostImports, wrap = asItIs): Instance {
  const env = { memory: shared.memory };
  const handlerCount = FIRST_FORM + image.keys.length;
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: handlerCount, maximum: TABLE_ENTRIES + CLIENT_HANDLERS });
  const runtime = instantiateRuntime(image, shared, host, wrap, table);
  const code = new WebAssembly.Instance(image.handlers, {
    env: { ...env, table },
    runtime: runtime as unknown as WebAssembly.ModuleImports,
  }).exports as Record<string, CallableFunction>;
  PSEUDO.forEach((name, i) => table.set(1 + i, code[name]));
  for (let i = FIRST_FORM; i < handlerCount; i++) table.set(i, code[`h${i}`]);
  const stub = code.stub!;
  const reach = (entries: number) => {
    if (entries > table.length) table.grow(Math.min(Math.ceil(entries / GROWTH) * GROWTH, TABLE_ENTRIES) - table.length, stub);
  };
  reach(handlerCount + GROWTH);
  return {
    runtime,
    table,
    stub,
    run: code.run as (cpu: number) => void,
    imports: {
      env: { ...env, table },
      runtime: runtime as unknown as WebAssembly.ModuleImports,
      code: { dispatch: code.dispatch, raise: code.raise, link: code.link } as WebAssembly.ModuleImports,
    },
    reach,
  };
}
