// How far code runs straight on: to the first instruction behind which control may be elsewhere.
import { Decoder, DecoderError, DecoderOptions, FlowControl, Mnemonic } from 'iced-x86';

/**
 * Address behind the last instruction of the straight code that begins at `eip` (32-bit code), which is the first one of `bytes`: a branch, a call, a return, an interrupt, HLT; or what comes before the end
 * of `bytes`, or before what is no instruction.
 */
export function straightEnd(bytes: Uint8Array, eip: number): number {
  const decoder = new Decoder(32, bytes, DecoderOptions.None);
  decoder.ip = BigInt(eip);
  let end = eip;
  try {
    while (decoder.canDecode) {
      const x = decoder.decode();
      const { flowControl, length, mnemonic } = x;
      const isWhole = decoder.lastError === DecoderError.None;
      x.free();
      if (!isWhole) break;
      end += length;
      if (flowControl !== FlowControl.Next || mnemonic === Mnemonic.Hlt) break;
    }
  } finally {
    decoder.free();
  }
  return end;
}
