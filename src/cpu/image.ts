// Loads the compiled engine (build/) and hands out modules that may be sent to Workers.
import { readFileSync } from 'node:fs';
import { DragomanError } from '../api/errors.ts';
import type { EngineImage } from './runtime.ts';

let cached: EngineImage | undefined;

/** The engine that `npm run build` made. Throws INTERNAL where it was not built. */
export function loadEngineImage(): EngineImage {
  if (cached) return cached;
  const file = (name: string) => {
    const url = new URL(`../../build/${name}`, import.meta.url);
    try {
      return readFileSync(url);
    } catch (cause) {
      throw new DragomanError('INTERNAL', `the engine is not built: no ${name} (run "npm run build")`, undefined, { cause });
    }
  };
  const keys = (JSON.parse(file('handlers.json').toString()) as { keys: string[] }).keys;
  return (cached = {
    runtime: new WebAssembly.Module(file('runtime.wasm')),
    handlers: new WebAssembly.Module(file('handlers.wasm')),
    keys,
  });
}
