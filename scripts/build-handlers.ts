// Generates the interpreter: build/handlers.wasm and build/handlers.json (the forms' keys in table order); and build/patterns.txt (build-book.ts). Also looks whether handlers and regions call the runtime as it is.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import binaryen from 'binaryen';
import { enumerateForms } from '../src/emit/interpreter/enumerate.ts';
import { emitHandlers } from '../src/emit/interpreter/handlers.ts';
import { prof, strictOrder } from '../src/instrument/index.ts';
import { runtime } from '../src/runtime/abi.ts';
import { hostFunctions } from '../src/runtime/host.ts';
import { bookOfAll } from './build-book.ts';
import { checkAbi } from './check-abi.ts';
import { checkRegions } from './check-regions.ts';

const build = fileURLToPath(new URL('../build/', import.meta.url));

/** What our encoder writes uses these, and no more. */
const FEATURES = (
  [
    'Atomics',
    'MutableGlobals',
    'TailCall',
    'ReferenceTypes',
    'SignExt',
    'BulkMemory',
    'SIMD128',
    'NontrappingFPToInt',
    'Multivalue',
  ] as const
)
  .map((name) => binaryen.Features[name])
  .reduce((a, b) => a | b);

/**
 * Binaryen's optimizer takes two fifths off the module, which each CPU instantiates. (Regions are not given to it: it takes longer than
 * their translation, and V8 makes the same of them.)
 */
function optimized(bytes: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(bytes);
  try {
    module.setFeatures(FEATURES);
    binaryen.setOptimizeLevel(1);
    binaryen.setShrinkLevel(0);
    module.optimize();
    if (!module.validate()) throw new Error('the handlers are not valid');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

export function buildHandlers(): { forms: number; bytes: number } {
  mkdirSync(build, { recursive: true });
  const put = (name: string, data: string | Uint8Array) => {
    writeFileSync(`${build}${name}.${process.pid}`, data);
    renameSync(`${build}${name}.${process.pid}`, build + name);
  };
  // Before anything is decoded by it.
  put('patterns.txt', bookOfAll());
  for (const name of ['runtime', 'runtime-strict']) checkAbi(Object.values(runtime), hostFunctions, `${build}${name}.wasm`);
  const forms = enumerateForms();
  const image = emitHandlers(forms);
  const bytes = optimized(image.bytes);
  checkRegions(bytes);
  put('handlers.wasm', bytes);
  for (const instruments of [[strictOrder], [prof], [strictOrder, prof]]) {
    const name = `handlers${instruments.includes(strictOrder) ? '-strict' : ''}${instruments.includes(prof) ? '-prof' : ''}`;
    put(`${name}.wasm`, optimized(emitHandlers(forms, { instruments }).bytes));
  }
  put('handlers.json', JSON.stringify({ keys: image.keys }));
  return { forms: image.keys.length, bytes: bytes.length };
}

if (import.meta.main) console.error(buildHandlers());
