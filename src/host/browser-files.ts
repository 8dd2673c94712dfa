// Where a browser finds the files of the engine: beside the script of the page. Each address is written out, so that bundlers see it and take the file along, whatever they call it then.
// Workers are told by who starts them: no bundler looks into their scripts.
import type { OwnClientName } from '../api/client-names.ts';

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

/** What Workers load when there is a client (browser-clients.ts): scripts, by name, which scripts/workers.ts has the sources of. */
export const CLIENT_SCRIPTS: Readonly<Record<'client-code.js' | `${OwnClientName}-client.js`, URL>> = {
  'client-code.js': new URL('./client-code.js', import.meta.url),
  'inscount-client.js': new URL('./inscount-client.js', import.meta.url),
  'coverage-client.js': new URL('./coverage-client.js', import.meta.url),
  'crossings-client.js': new URL('./crossings-client.js', import.meta.url),
  'trace-client.js': new URL('./trace-client.js', import.meta.url),
  'sharing-client.js': new URL('./sharing-client.js', import.meta.url),
  'shadow-client.js': new URL('./shadow-client.js', import.meta.url),
  'races-client.js': new URL('./races-client.js', import.meta.url),
};
