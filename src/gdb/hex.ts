// Numbers and bytes as the remote serial protocol writes them: hexadecimal, and texts of which each character stands for a byte.
import { DragomanError } from '../api/errors.ts';

const PAIRS = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));

export const toHex = (bytes: Iterable<number>): string => Array.from(bytes, (byte) => PAIRS[byte]).join('');

/** Throws BAD_OPTION for what is no row of pairs of digits. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || /[^0-9a-f]/i.test(text)) throw new DragomanError('BAD_OPTION', 'no pairs of hexadecimal digits');
  return Uint8Array.from({ length: text.length / 2 }, (_, n) => Number.parseInt(text.slice(2 * n, 2 * n + 2), 16));
}

/** A number of up to 32 bits. Throws BAD_OPTION for anything else. */
export function fromHexNumber(text: string | undefined): number {
  const digits = /^0*([0-9a-f]{1,8})$/i.exec(text ?? '')?.[1];
  if (digits === undefined) throw new DragomanError('BAD_OPTION', 'no hexadecimal number of 32 bits');
  return Number.parseInt(digits, 16);
}

/** Characters of 0 to 255, a byte each. */
export const fromBytes = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
export function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let n = 0; n < bytes.length; n++) bytes[n] = text.charCodeAt(n);
  return bytes;
}

/** Text of any characters, as the bytes of UTF-8 in hexadecimal. */
export const textToHex = (text: string): string => toHex(new TextEncoder().encode(text));
export const hexToText = (hex: string): string => new TextDecoder().decode(fromHex(hex));
