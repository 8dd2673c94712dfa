// Instructions as text for people (Intel syntax).
import { Decoder, DecoderError, DecoderOptions, Formatter, FormatterSyntax, type Instruction } from 'iced-x86';
import { Mode } from '../layout/cpu.ts';

/** Calls `use` with what decodes `bytes`, which lie at `eip`, and what writes instructions; both are gone behind it. */
function withDecoder<T>(bytes: Uint8Array, eip: number, bits: 16 | 32, use: (decoder: Decoder, text: (x: Instruction) => string) => T): T {
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax.Intel);
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.uppercaseHex = false;
  formatter.spaceAfterOperandSeparator = true;
  decoder.ip = BigInt(eip >>> 0);
  try {
    return use(decoder, (x) => formatter.format(x));
  } finally {
    for (const object of [formatter, decoder]) object.free();
  }
}

/** Text of the instruction at the start of `bytes`, which lies at `eip`. */
export function instructionText(bytes: Uint8Array, eip: number, mode: number): string {
  return withDecoder(bytes.subarray(0, 15), eip, (mode & Mode.CODE32) !== 0 ? 32 : 16, (decoder, text) => {
    const x = decoder.decode();
    const written = text(x);
    x.free();
    return written;
  });
}

/** An instruction's text, and how many bytes it has. */
export interface InstructionText {
  readonly length: number;
  /** '(bad)' for what is no instruction. */
  readonly text: string;
}

/** The first `most` instructions of `bytes`, which lie at `eip`, up to one that is cut off. */
export function instructionTexts(bytes: Uint8Array, eip: number, bits: 16 | 32, most: number): InstructionText[] {
  return withDecoder(bytes, eip, bits, (decoder, text) => {
    const found: InstructionText[] = [];
    while (found.length < most && decoder.canDecode) {
      const x = decoder.decode();
      if (decoder.lastError !== DecoderError.NoMoreBytes) found.push({ length: x.length, text: text(x) });
      const isCutOff = decoder.lastError === DecoderError.NoMoreBytes;
      x.free();
      if (isCutOff) break;
    }
    return found;
  });
}
