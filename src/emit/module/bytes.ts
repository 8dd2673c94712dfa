// Bytes of the binary format of WebAssembly: numbers in LEB128, texts, opcodes.
const utf8 = new TextEncoder();

export class ByteWriter {
  bytes: Uint8Array;
  at = 0;

  constructor(size = 1 << 14) {
    this.bytes = new Uint8Array(size);
  }

  byte(b: number): void {
    if (this.at === this.bytes.length) this.grow(1);
    this.bytes[this.at++] = b;
  }
  private grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + by));
    larger.set(this.bytes);
    this.bytes = larger;
  }
  /** A byte and an unsigned number: most of what instructions are. */
  tagged(b: number, n: number): void {
    const { at } = this;
    if (n > 127 || at + 2 > this.bytes.length) {
      this.byte(b);
      return this.unsigned(n);
    }
    this.bytes[at] = b;
    this.bytes[at + 1] = n;
    this.at = at + 2;
  }
  unsigned(n: number): void {
    while (n > 127) {
      this.byte((n & 127) | 128);
      n >>>= 7;
    }
    this.byte(n);
  }
  signed(n: number): void {
    for (;;) {
      const low = n & 127;
      n >>= 7;
      if ((n === 0 && low < 64) || (n === -1 && low >= 64)) return this.byte(low);
      this.byte(low | 128);
    }
  }
  wide(n: bigint): void {
    n = BigInt.asIntN(64, n);
    for (;;) {
      const low = Number(n & 127n);
      n >>= 7n;
      if ((n === 0n && low < 64) || (n === -1n && low >= 64)) return this.byte(low);
      this.byte(low | 128);
    }
  }
  copy(bytes: ArrayLike<number>): void {
    if (this.at + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }
  text(text: string): void {
    const bytes = utf8.encode(text);
    this.unsigned(bytes.length);
    this.copy(bytes);
  }
  opcode(code: number): void {
    if (code < 256) return this.byte(code);
    this.byte(code >> 16);
    this.unsigned(code & 0xffff);
  }
  /** A number in five bytes, to be put right later. */
  padded(): void {
    this.copy([0x80, 0x80, 0x80, 0x80, 0]);
  }
  patch(at: number, n: number): void {
    for (let k = 0; k < 4; k++) this.bytes[at + k] = ((n >>> (7 * k)) & 127) | 128;
  }
  done(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }
}
