// Loads the compiled engine (build/) and hands out modules that may be sent to Workers.
import { host } from '../host/node.ts';
import type { EngineImage } from './runtime.ts';

const cached = new Map<boolean, EngineImage>();

/** The engine that `npm run build` made; `strictOrder`: the one for hosts that are no x86. Throws INTERNAL where it was not built. */
export function loadEngineImage(strictOrder = false): EngineImage {
  const known = cached.get(strictOrder);
  if (known !== undefined) return known;
  const { keys } = JSON.parse(new TextDecoder().decode(host.built('handlers.json'))) as { keys: string[] };
  const variant = strictOrder ? '-strict' : '';
  const image = {
    runtime: new WebAssembly.Module(host.built(`runtime${variant}.wasm`)),
    handlers: new WebAssembly.Module(host.built(`handlers${variant}.wasm`)),
    keys,
  };
  cached.set(strictOrder, image);
  return image;
}
