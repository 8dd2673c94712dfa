// Binaryen in a browser: its module is in the script of who translates, its WebAssembly is fetched.
import { fetchEngine } from './browser-engine.ts';

/** Binaryen's module (emit/module/binaryen-api.ts). Throws where it cannot be had. */
export async function importBinaryen(): Promise<unknown> {
  const [{ default: make }, wasm] = await Promise.all([import('../../build/binaryen.js'), fetchEngine('binaryen.wasm')]);
  return make(wasm);
}
