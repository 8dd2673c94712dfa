// The engine's files in a browser: who makes a machine fetches those that it needs, compiles them once, and hands what its Workers share to them.
import { DragomanError } from '../api/errors.ts';
import { BESIDE, CLIENT_SCRIPTS, ICED } from './browser-files.ts';
import { engine, isPage, ofThread } from './browser-start.ts';
import { openUrl } from './fetch-bytes.ts';
import type { EngineFiles, OnLoading } from './host.ts';

/** Of this thread: bytes and modules by name, fetched or being fetched. */
const read = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
const compiled = ofThread('modules', () => new Map<string, Promise<WebAssembly.Module>>());
/** Those that are there. */
const bytes = new Map<string, Uint8Array<ArrayBuffer>>();
const modules = new Map<string, WebAssembly.Module>();

/** Those of the page, in a Worker as well. */
let addresses: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ ...BESIDE, ...CLIENT_SCRIPTS }).map(([name, { href }]) => [name, href]),
);
/** Where one of them is. */
export const engineUrl = (name: string): URL => new URL(addresses[name]!);
/** iced-x86's WebAssembly, in a Worker that was handed it. */
const handed = ofThread('iced', () => ({ module: undefined as WebAssembly.Module | undefined }));
engine?.then(({ files, modules: all }) => {
  addresses = files;
  handed.module = all.get(ICED);
});

/** What a Worker needs to be told of them. */
export const handedOver = () => ({ files: addresses, modules: new Map([...modules].filter(([name]) => name === ICED)) });

/** What `use` makes of a file. Throws INTERNAL. */
async function fetchFile<T>(name: string, use: (response: Response) => Promise<T>): Promise<T> {
  try {
    return await use(await openUrl(engineUrl(name)));
  } catch (cause) {
    throw new DragomanError('INTERNAL', `the engine ${name}: ${(cause as Error).message}`, undefined, { cause });
  }
}

const WASM = 'application/wasm';
/** Compiled while it comes, and from the answer itself, where its server says what it is: then browsers keep what they have compiled beside the file. */
const compileFile = (response: Response): Promise<WebAssembly.Module> =>
  WebAssembly.compileStreaming(
    response.headers.get('Content-Type') === WASM ? response : new Response(response.body, { headers: { 'Content-Type': WASM } }),
  );
const toBytes = async (response: Response) => new Uint8Array(await response.arrayBuffer());

/** A file's bytes, which are not kept. Throws INTERNAL. */
export const fetchEngine = (name: string): Promise<Uint8Array<ArrayBuffer>> => fetchFile(name, toBytes);

/** Sees that what `use` makes of the file `name` is in `there`, once; a fetch that failed is tried again. */
async function bring<T>(
  name: string,
  under: Map<string, Promise<T>>,
  there: Map<string, T>,
  use: (response: Response) => Promise<T>,
): Promise<T> {
  let one = under.get(name);
  if (one === undefined) {
    one = fetchFile(name, use);
    under.set(name, one);
    one.catch(() => under.delete(name));
  }
  const made = await one;
  there.set(name, made);
  return made;
}

const bringModule = (name: string) => bring(name, compiled, modules, compileFile);
const bringBytes = (name: string) => bring(name, read, bytes, toBytes);

/** Sees that bytesOf() and moduleOf() have these. Throws INTERNAL. */
export async function prepareFiles(files: EngineFiles, onLoading: OnLoading | undefined): Promise<void> {
  const sizeOf = (name: string) => ENGINE_BYTES[name] ?? 0;
  let [loaded, total] = [0, 0];
  const tell = () => onLoading?.({ loaded, total });
  const wanted: Promise<unknown>[] = [];
  const want = (name: string, there: ReadonlyMap<string, unknown>, come: (name: string) => Promise<unknown>) => {
    total += sizeOf(name);
    if (there.has(name)) loaded += sizeOf(name);
    else
      wanted.push(
        come(name).then(() => {
          loaded += sizeOf(name);
          tell();
        }),
      );
  };
  for (const name of [...files.compiled, ICED]) want(name, modules, bringModule);
  for (const name of files.read) want(name, bytes, bringBytes);
  if (wanted.length > 0) tell();
  await Promise.all(wanted);
}

function found<T>(name: string, there: ReadonlyMap<string, T>): T {
  const one = there.get(name);
  if (one === undefined) throw new DragomanError('INTERNAL', 'the engine was not fetched', name);
  return one;
}
/** Throws INTERNAL where nobody has prepared it. */
export const bytesOf = (name: string): Uint8Array<ArrayBuffer> => found(name, bytes);
/** The same. */
export const moduleOf = (name: string): WebAssembly.Module => found(name, modules);

/** iced-x86's WebAssembly (scripts/iced.ts): this thread's, or in a Worker of a machine that of who started it. */
export async function icedModule(): Promise<WebAssembly.Module> {
  const own = compiled.get(ICED);
  if (own === undefined && !isPage) {
    const { modules } = await engine!;
    const handed = modules.get(ICED);
    if (handed !== undefined) return handed;
  }
  return own ?? bringModule(ICED);
}

/** The same for scripts that Workers load when there is a client: without waiting, which bundlers that copy them do not understand at the top of a script. Throws INTERNAL elsewhere. */
export function icedModuleNow(): WebAssembly.Module {
  if (handed.module === undefined) throw new DragomanError('INTERNAL', 'the engine was not handed over', ICED);
  return handed.module;
}
