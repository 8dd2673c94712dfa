// Generates the interpreter: build/handlers.wasm and build/handlers.json (the forms' keys in table order).
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { enumerateForms } from '../src/emit/enumerate.ts';
import { emitHandlers } from '../src/emit/handlers.ts';

const build = fileURLToPath(new URL('../build/', import.meta.url));

export function buildHandlers(): { forms: number; bytes: number } {
  mkdirSync(build, { recursive: true });
  const image = emitHandlers(enumerateForms());
  const put = (name: string, data: string | Uint8Array) => {
    writeFileSync(`${build}${name}.${process.pid}`, data);
    renameSync(`${build}${name}.${process.pid}`, build + name);
  };
  put('handlers.wasm', image.bytes);
  put('handlers.json', JSON.stringify({ keys: image.keys }));
  return { forms: image.keys.length, bytes: image.bytes.length };
}

if (import.meta.main) console.error(buildHandlers());
