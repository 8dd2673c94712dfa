// Compiles the runtime: wasm/*.ts -> build/runtime.wasm, with the addresses of src/layout.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { RUNTIME_STATIC } from '../src/layout/memory.ts';
import { layoutSource } from './gen-layout.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Largest memory that any plan may ask for. */
const MAXIMUM_PAGES = 65536;
/** Only a lower bound for whoever imports the memory: any plan is larger. */
const INITIAL_PAGES = 64;

/** Writes wasm/gen/layout.ts and build/runtime.wasm. Throws, with the compiler's messages, if it does not compile. */
export async function buildRuntime(): Promise<void> {
  mkdirSync(`${root}wasm/gen`, { recursive: true });
  mkdirSync(`${root}build`, { recursive: true });
  writeFileSync(`${root}wasm/gen/layout.ts`, layoutSource());
  // Written aside and renamed, so that nobody ever loads half a module.
  const out = `build/runtime.${process.pid}.wasm`;
  const { error, stderr } = await asc.main([
    'wasm/index.ts',
    ...['--baseDir', root, '--outFile', out],
    ...['--runtime', 'stub', '--noAssert', '-O3'],
    ...['--importMemory', '--sharedMemory', '--noExportMemory'],
    ...['--initialMemory', String(INITIAL_PAGES), '--maximumMemory', String(MAXIMUM_PAGES)],
    ...['--memoryBase', String(RUNTIME_STATIC)],
    ...['--enable', 'threads', '--enable', 'simd'],
    ...['--enable', 'bulk-memory', '--enable', 'sign-extension', '--enable', 'nontrapping-f2i'],
    ...['--use', 'abort='],
    // Exports that take a v128: WebAssembly calls them, JavaScript does not.
    ...['--disableWarning', '112'],
  ]);
  const messages = stderr.toString();
  if (messages) console.error(messages);
  if (error) {
    rmSync(`${root}${out}`, { force: true });
    throw error;
  }
  renameSync(`${root}${out}`, `${root}build/runtime.wasm`);
}

if (import.meta.main) await buildRuntime();
