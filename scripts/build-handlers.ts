// Generates the interpreter: build/handlers.wasm and build/handlers.json (the forms' keys in table order).
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { enumerateForms } from '../src/emit/enumerate.ts';
import { emitHandlers, helpersOf } from '../src/emit/handlers.ts';

const build = fileURLToPath(new URL('../build/', import.meta.url));

export function buildHandlers(): { forms: number; bytes: number } {
  mkdirSync(build, { recursive: true });
  const runtime = new Set(WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(`${build}runtime.wasm`))).map((x) => x.name));
  const forms = enumerateForms();
  const missing = new Set<string>();
  for (const [key, { form, spec }] of forms) {
    const absent = helpersOf(form, spec).filter((name) => !runtime.has(name));
    if (absent.length === 0) continue;
    for (const name of absent) missing.add(name);
    forms.delete(key);
  }
  if (missing.size > 0) console.error(`no such functions in the runtime: ${[...missing].join(', ')}`);
  const image = emitHandlers(forms);
  const put = (name: string, data: string | Uint8Array) => {
    writeFileSync(`${build}${name}.${process.pid}`, data);
    renameSync(`${build}${name}.${process.pid}`, build + name);
  };
  put('handlers.wasm', image.bytes);
  put('handlers.json', JSON.stringify({ keys: image.keys }));
  return { forms: image.keys.length, bytes: image.bytes.length };
}

if (import.meta.main) console.error(buildHandlers());
