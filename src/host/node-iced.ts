// iced-x86 in Node, for who asks it: most threads never do (decode/book.ts). In a bundle for browsers browser-iced.ts is in its place (package.json's `browser` field).
import { createRequire } from 'node:module';
import type * as Package from 'iced-x86';
import { host } from './node.ts';

/** Of the package what decoding takes. */
export type Iced = Pick<
  typeof Package,
  | 'CodeExt'
  | 'CpuidFeature'
  | 'Decoder'
  | 'DecoderError'
  | 'DecoderOptions'
  | 'Instruction'
  | 'MemorySizeExt'
  | 'Mnemonic'
  | 'OpCodeOperandKind'
  | 'OpKind'
  | 'Register'
  | 'RegisterExt'
>;

let loaded: Iced | undefined;

/** Loads it at once, the first time: some 30 ms. */
export function iced(): Iced {
  loaded ??= createRequire(import.meta.url)(import.meta.url.endsWith('.ts') ? 'iced-x86' : '../../build/iced-x86.js') as Iced;
  return loaded;
}

/** What the build asked it (decode/book.ts); undefined where it is loaded in any case. */
export const bookText = (): string | undefined => new TextDecoder().decode(host.built('patterns.txt'));
