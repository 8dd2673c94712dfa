// Binaryen in Node. In a bundle for browsers browser-binaryen.ts is in its place (package.json's `browser` field); apart from node.ts, so that only who translates has it.
import { host } from './node.ts';

/** Binaryen's module (emit/module/binaryen-api.ts). Throws where it cannot be had. */
export async function importBinaryen(): Promise<unknown> {
  const { default: make } = await import(new URL('../../build/binaryen.js', import.meta.url).href);
  return make(host.built('binaryen.wasm'));
}
