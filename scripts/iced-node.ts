// iced-x86 in bundles for Node: it asks for its own WebAssembly file, which is not beside them but among the engine's.
import { readFileSync as read } from 'node:fs';

/** Of `util`. */
export const { TextDecoder, TextEncoder } = globalThis;
/** Of `path`, and of `fs`: there is only one file. */
export const join = (_folder: string, name: string): string => name;
export const readFileSync = (name: string): Uint8Array => read(new URL(`../../build/${name}`, import.meta.url));
