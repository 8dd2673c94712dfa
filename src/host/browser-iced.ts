// iced-x86 in a browser: it comes with the scripts that may ask it, as nothing can be fetched in the middle of a block.
import {
  CodeExt,
  CpuidFeature,
  Decoder,
  DecoderError,
  DecoderOptions,
  Instruction,
  MemorySizeExt,
  Mnemonic,
  OpCodeOperandKind,
  OpKind,
  Register,
  RegisterExt,
} from 'iced-x86';
import type { Iced } from './node-iced.ts';

const all: Iced = {
  CodeExt,
  CpuidFeature,
  Decoder,
  DecoderError,
  DecoderOptions,
  Instruction,
  MemorySizeExt,
  Mnemonic,
  OpCodeOperandKind,
  OpKind,
  Register,
  RegisterExt,
};

export const iced = (): Iced => all;
/** It would have to be fetched as well. */
export const bookText = (): string | undefined => undefined;
