// iced-x86 is packaged for Node alone, which it asks for its own WebAssembly file: what that takes, for bundles for browsers.
import bytes from '../node_modules/iced-x86/iced_x86_bg.wasm';

/** Of `util`. */
export const { TextDecoder, TextEncoder } = globalThis;
/** Of `path`, and of `fs`: there is only one file. */
export const join = (): string => '';
export const readFileSync = (): Uint8Array => bytes;
