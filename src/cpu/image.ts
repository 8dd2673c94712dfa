// Loads the compiled engine (build/) and hands out modules that may be sent to Workers.
import { readFileSync } from 'node:fs';
import { DragomanError } from '../api/errors.ts';
import type { EngineImage } from './runtime.ts';

const cached = new Map<boolean, EngineImage>();

/** The engine that `npm run build` made; `strictOrder`: the one for hosts that are no x86. Throws INTERNAL where it was not built. */
export function loadEngineImage(strictOrder = false): EngineImage {
  const known = cached.get(strictOrder);
  if (known !== undefined) return known;
  const file = (name: string) => {
    const url = new URL(`../../build/${name}`, import.meta.url);
    try {
      return readFileSync(url);
    } catch (cause) {
      throw new DragomanError('INTERNAL', `the engine is not built: no ${name} (run "npm run build")`, undefined, { cause });
    }
  };
  const keys = (JSON.parse(file('handlers.json').toString()) as { keys: string[] }).keys;
  const variant = strictOrder ? '-strict' : '';
  const image = {
    runtime: new WebAssembly.Module(file(`runtime${variant}.wasm`)),
    handlers: new WebAssembly.Module(file(`handlers${variant}.wasm`)),
    keys,
  };
  cached.set(strictOrder, image);
  return image;
}
