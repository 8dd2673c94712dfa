// iced-x86's module where it is an ES module (build-packages.ts): what it asks of Node, to have the WebAssembly file that lies beside it.
import { readFileSync as read } from 'node:fs';

/** Of `util`. */
export const { TextDecoder, TextEncoder } = globalThis;
/** Of `path`, and of `fs`: there is only one file. */
export const join = (_folder: string, name: string): string => name;
export const readFileSync = (name: string): Uint8Array => read(new URL(name, import.meta.url));
