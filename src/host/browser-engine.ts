// The engine's files in a browser: who makes a machine fetches those that it needs, compiles them once, and hands what its Workers share to them.
import { DragomanError } from '../api/errors.ts';
import { BESIDE, CLIENT_SCRIPTS, ICED } from './browser-files.ts';
import { isPage, ofThread, started } from './browser-start.ts';
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
started?.then(({ files }) => {
  addresses = files;
});

/** What a Worker needs to be told of them. */
export const handedOver = () => ({ files: addresses, modules: new Map([...modules].filter(([name]) => name === ICED)) });

/** What `use` makes of a file; `onBytes` is told of each piece that has come. Throws INTERNAL. */
async function fetchFile<T>(name: string, use: (response: Response) => Promise<T>, onBytes: (count: number) => void): Promise<T> {
  try {
    const response = await openUrl(engineUrl(name));
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, stream) {
        onBytes(piece.length);
        stream.enqueue(piece);
      },
    });
    // Whatever the server says that it is.
    return await use(new Response(response.body!.pipeThrough(counted), { headers: { 'Content-Type': 'application/wasm' } }));
  } catch (cause) {
    throw new DragomanError('INTERNAL', `the engine ${name}: ${(cause as Error).message}`, undefined, { cause });
  }
}

const toBytes = async (response: Response) => new Uint8Array(await response.arrayBuffer());

/** A file's bytes, which are not kept. Throws INTERNAL. */
export const fetchEngine = (name: string): Promise<Uint8Array<ArrayBuffer>> => fetchFile(name, toBytes, () => {});

/** Bytes of files together, and how many of them have come. */
class Progress {
  #loaded = 0;
  #total = 0;
  readonly #onLoading: OnLoading | undefined;

  constructor(onLoading: OnLoading | undefined) {
    this.#onLoading = onLoading;
  }

  /** A file more: who is told of its pieces, and that it is there. */
  file(name: string): { readonly piece: (count: number) => void; readonly whole: () => void } {
    const size = ENGINE_BYTES[name] ?? 0;
    let had = 0;
    this.#total += size;
    const upTo = (now: number) => {
      this.#loaded += now - had;
      had = now;
      this.#onLoading?.({ loaded: this.#loaded, total: this.#total });
    };
    return { piece: (count) => upTo(Math.min(had + count, size)), whole: () => upTo(size) };
  }
}

/** Sees that what `use` makes of the file `name` is in `there`, once; a fetch that failed is tried again. */
async function bring<T>(
  name: string,
  under: Map<string, Promise<T>>,
  there: Map<string, T>,
  use: (response: Response) => Promise<T>,
  progress: Progress,
): Promise<T> {
  let one = under.get(name);
  if (one === undefined) {
    const { piece, whole } = progress.file(name);
    one = fetchFile(name, use, piece).then((made) => {
      there.set(name, made);
      whole();
      return made;
    });
    under.set(name, one);
    one.catch(() => under.delete(name));
  }
  return one;
}

const bringModule = (name: string, progress: Progress) => bring(name, compiled, modules, WebAssembly.compileStreaming, progress);

/** Sees that bytesOf() and moduleOf() have these. Throws INTERNAL. */
export async function prepareFiles(files: EngineFiles, onLoading: OnLoading | undefined): Promise<void> {
  const progress = new Progress(onLoading);
  await Promise.all([
    ...[...files.compiled, ICED].map((name) => bringModule(name, progress)),
    ...files.read.map((name) => bring(name, read, bytes, toBytes, progress)),
  ]);
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
    const { modules } = await started!;
    const handed = modules.get(ICED);
    if (handed !== undefined) return handed;
  }
  return own ?? bringModule(ICED, new Progress(undefined));
}
