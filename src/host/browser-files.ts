// Where a browser finds the files of the engine: beside the script of the page. Each address is written out, so that bundlers see it and take the file along, whatever they call it then.
// Workers are told by who starts them: no bundler looks into their scripts.

/** iced-x86's WebAssembly. */
export const ICED = 'iced_x86_bg.wasm';

/** By name: ENGINE_FILES, PROF_FILES and NAME_FILES of host.ts, and the WebAssembly of packages. */
export const BESIDE: Readonly<Record<string, URL>> = {
  'handlers.json': new URL('./handlers.json', import.meta.url),
  'handlers.wasm': new URL('./handlers.wasm', import.meta.url),
  'handlers-prof.wasm': new URL('./handlers-prof.wasm', import.meta.url),
  'handlers-strict.wasm': new URL('./handlers-strict.wasm', import.meta.url),
  'handlers-strict-prof.wasm': new URL('./handlers-strict-prof.wasm', import.meta.url),
  'runtime.wasm': new URL('./runtime.wasm', import.meta.url),
  'runtime.names': new URL('./runtime.names', import.meta.url),
  'runtime-strict.wasm': new URL('./runtime-strict.wasm', import.meta.url),
  'runtime-strict.names': new URL('./runtime-strict.names', import.meta.url),
  [ICED]: new URL('./iced_x86_bg.wasm', import.meta.url),
  'binaryen.wasm': new URL('./binaryen.wasm', import.meta.url),
};
