// Instructions as text for people (Intel syntax).
import iced from 'iced-x86';
import { Mode } from '../layout/cpu.ts';

/** Text of the instruction at the start of `bytes`, which lies at `eip`. */
export function instructionText(bytes: Uint8Array, eip: number, mode: number): string {
  const decoder = new iced.Decoder((mode & Mode.CODE32) !== 0 ? 32 : 16, bytes.subarray(0, 15), iced.DecoderOptions.None);
  const formatter = new iced.Formatter(iced.FormatterSyntax.Intel);
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.uppercaseHex = false;
  formatter.spaceAfterOperandSeparator = true;
  decoder.ip = BigInt(eip >>> 0);
  const x = decoder.decode();
  const text = formatter.format(x);
  for (const object of [x, formatter, decoder]) object.free();
  return text;
}
