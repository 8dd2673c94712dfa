// The wire format of protocol buffers, as much as is written here: numbers, and bytes with their length.

const VARINT = 0;
const BYTES = 2;

export class Message {
  readonly #bytes: number[] = [];

  /** An integer, 0 to 2^53 - 1; 0 is what a field is that is left out. */
  number(field: number, value: number): this {
    if (value !== 0) {
      this.#varint(field * 8 + VARINT);
      this.#varint(value);
    }
    return this;
  }

  /** All in one, however many there are. */
  numbers(field: number, values: readonly number[]): this {
    const packed = new Message();
    for (const value of values) packed.#varint(value);
    return this.bytes(field, packed.#bytes);
  }

  text(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  message(field: number, message: Message): this {
    return this.bytes(field, message.#bytes);
  }

  private bytes(field: number, bytes: ArrayLike<number>): this {
    this.#varint(field * 8 + BYTES);
    this.#varint(bytes.length);
    for (let n = 0; n < bytes.length; n++) this.#bytes.push(bytes[n]!);
    return this;
  }

  /** Seven bits a byte, the lowest first. */
  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes.push((rest % 0x80) + 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes.push(rest);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}
