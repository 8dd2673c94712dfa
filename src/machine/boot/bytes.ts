// Small helpers of the loaders: little-endian views, ranges, numbers for messages.
import { DragomanError } from '../../api/errors.ts';

export const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const alignUp = (value: number, to: number): number => Math.ceil(value / to) * to;
export const alignDown = (value: number, to: number): number => Math.floor(value / to) * to;

export const hex = (value: number): string => `0x${value.toString(16)}`;

/** Half-open range of addresses. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export const overlaps = (a: Range, b: Range): boolean => a.start < b.end && b.start < a.end;
export const contains = (range: Range, address: number): boolean => address >= range.start && address < range.end;

/** Bytes of `text` in UTF-8 with a NUL behind. A NUL inside would cut it short unseen, so it is an error. */
export function cString(text: string, where: string): Uint8Array {
  if (text.includes('\0')) throw new DragomanError('BAD_OPTION', 'the text contains a NUL character', where);
  return new TextEncoder().encode(`${text}\0`);
}
