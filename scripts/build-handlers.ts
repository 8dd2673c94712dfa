// Generates the interpreter: build/handlers.wasm and build/handlers.json (the forms' keys in table order).
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { enumerateForms } from '../src/emit/enumerate.ts';
import { emitHandlers } from '../src/emit/handlers.ts';

const build = fileURLToPath(new URL('../build/', import.meta.url));

export function buildHandlers(): { forms: number; bytes: number } {
  mkdirSync(build, { recursive: true });
  const image = emitHandlers(enumerateForms());
  const exported = (file: string) => WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(build + file))).map((x) => x.name);
  const runtime = new Set(exported('runtime.wasm'));
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(image.bytes as Uint8Array<ArrayBuffer>));
  const missing = imported.filter((x) => x.module === 'runtime' && !runtime.has(x.name)).map((x) => x.name);
  if (missing.length > 0) throw new Error(`no such functions in the runtime: ${missing.join(', ')}`);
  const put = (name: string, data: string | Uint8Array) => {
    writeFileSync(`${build}${name}.${process.pid}`, data);
    renameSync(`${build}${name}.${process.pid}`, build + name);
  };
  put('handlers.wasm', image.bytes);
  put('handlers.json', JSON.stringify({ keys: image.keys }));
  return { forms: image.keys.length, bytes: image.bytes.length };
}

if (import.meta.main) console.error(buildHandlers());
