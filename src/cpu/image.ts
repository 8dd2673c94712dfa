// Loads the compiled engine (build/) and hands out modules that may be sent to Workers.

import { FIRST_FORM } from '../emit/interpreter/table.ts';
import { withExportNames, withSection } from '../emit/names.ts';
import { type EngineVariant, partsOf } from '../host/host.ts';
import { host } from '../host/node.ts';
import type { EngineImage } from './runtime.ts';

const cached = new Map<string, EngineImage>();

/** The engine that `npm run build` made. Throws INTERNAL where it was not built. */
export function loadEngineImage({ strictOrder = false, named = false, prof = false }: Partial<EngineVariant> = {}): EngineImage {
  const variant = { strictOrder, named, prof };
  const key = JSON.stringify(variant);
  const known = cached.get(key);
  if (known !== undefined) return known;
  const { keys } = JSON.parse(new TextDecoder().decode(host.built('handlers.json'))) as { keys: string[] };
  const parts = partsOf(variant);
  const modules = named ? withNames(parts, keys) : { runtime: host.compiled(parts.runtime), handlers: host.compiled(parts.handlers) };
  const image = { ...modules, keys };
  cached.set(key, image);
  return image;
}

function withNames({ runtime, handlers, names }: ReturnType<typeof partsOf>, keys: readonly string[]): Omit<EngineImage, 'keys'> {
  return {
    runtime: new WebAssembly.Module(withSection(host.built(runtime), host.built(names))),
    handlers: new WebAssembly.Module(withExportNames(host.built(handlers), 'handlers', (exported) => handlerName(exported, keys))),
  };
}

/** What a handler is exported as, in words: the form of an instruction ('mov r4 m4'), or what it does for the dispatcher ('head'). */
function handlerName(exported: string, keys: readonly string[]): string {
  const [, number] = /^h(\d+)$/.exec(exported) ?? [];
  return number === undefined ? exported : keys[Number(number) - FIRST_FORM]!;
}
