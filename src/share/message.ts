// Messages of 9P: little-endian fields behind size[4] type[1] tag[2], and texts of up to 64 KiB behind their lengths. Texts are bytes to both ends; here each is a
// string with a character for each byte (Latin-1), so that any name that a host has comes through.
import { ShareError } from './errors.ts';

export const HEADER_BYTES = 7;

/** Reads the fields of a message in their order. Throws EINVAL where it ends before them. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = HEADER_BYTES) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = at;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true);
  }
  text(): string {
    return latin1(this.bytes(this.u16()));
  }
  /** A part of the message itself. */
  bytes(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  #skip(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#bytes.length) throw new ShareError('EINVAL', 'the message ends too early');
    this.#at = at + bytes;
    return at;
  }
}

/** Builds a message; `finish` puts its size in front. */
export class MessageWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(type: number, tag: number, room = 64) {
    this.#bytes = new Uint8Array(Math.max(room, HEADER_BYTES));
    this.#view = new DataView(this.#bytes.buffer);
    this.u32(0).u8(type).u16(tag);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }
  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }
  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }
  /** Modulo 2^64. */
  u64(value: bigint): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, value), true);
    return this;
  }
  text(text: string): this {
    const bytes = fromLatin1(text);
    return this.u16(bytes.length).bytes(bytes);
  }
  bytes(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  /** Writes over what is at `at`. */
  setU32(at: number, value: number): this {
    this.#view.setUint32(at, value, true);
    return this;
  }

  finish(): Uint8Array {
    return this.setU32(0, this.#length).#bytes.subarray(0, this.#length);
  }

  #grow(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 1024) text += String.fromCharCode(...bytes.subarray(at, at + 1024));
  return text;
}
/** Of a string with a character for each byte. */
export const fromLatin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
