// Loads the compiled engine (build/) and hands out modules that may be sent to Workers.

import { FIRST_FORM } from '../emit/interpreter/table.ts';
import { withExportNames, withSection } from '../emit/names.ts';
import { host } from '../host/node.ts';
import type { EngineImage } from './runtime.ts';

const cached = new Map<string, EngineImage>();

/**
 * The engine that `npm run build` made; `strictOrder`: the one for hosts that are no x86; `named`: its functions have names for profilers; `prof`: it counts what the client prof
 * wants. Throws INTERNAL
 * where it was not built.
 */
export function loadEngineImage(strictOrder = false, named = false, prof = false): EngineImage {
  const key = `${strictOrder} ${named} ${prof}`;
  const known = cached.get(key);
  if (known !== undefined) return known;
  const { keys } = JSON.parse(new TextDecoder().decode(host.built('handlers.json'))) as { keys: string[] };
  const variant = strictOrder ? '-strict' : '';
  let runtime = host.built(`runtime${variant}.wasm`);
  let handlers = host.built(`handlers${variant}${prof ? '-prof' : ''}.wasm`);
  if (named) {
    runtime = withSection(runtime, host.built(`runtime${variant}.names`));
    handlers = withExportNames(handlers, 'handlers', (exported) => handlerName(exported, keys));
  }
  const image = { runtime: new WebAssembly.Module(runtime), handlers: new WebAssembly.Module(handlers), keys };
  cached.set(key, image);
  return image;
}

/** What a handler is exported as, in words: the form of an instruction ('mov r4 m4'), or what it does for the dispatcher ('head'). */
function handlerName(exported: string, keys: readonly string[]): string {
  const [, number] = /^h(\d+)$/.exec(exported) ?? [];
  return number === undefined ? exported : keys[Number(number) - FIRST_FORM]!;
}
