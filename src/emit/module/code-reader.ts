// Walks through the code of a binary, from instruction to instruction: for who has to find something in what an encoder wrote.

export const PREAMBLE_BYTES = 8;
export const CODE_SECTION = 10;

/** What stands behind an opcode. */
const Immediate = { NONE: 0, LEB: 1, TWO_LEBS: 2, BYTES_4: 3, BYTES_8: 4, PREFIX: 5, BYTE: 6, UNKNOWN: 7 } as const;
const IMMEDIATES = (() => {
  const table = new Uint8Array(256).fill(Immediate.UNKNOWN);
  const put = (kind: number, ...codes: readonly number[]) => {
    for (const code of codes) table[code] = kind;
  };
  // unreachable, nop, else, end, return, drop, select; then comparisons, arithmetic and conversions.
  put(Immediate.NONE, 0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b);
  table.fill(Immediate.NONE, 0x45, 0xc5);
  // if: its type is a byte.
  put(Immediate.BYTE, 0x04);
  // block and loop (the same), br, br_if, call, return_call, local.get, local.set, local.tee, i32.const, i64.const.
  put(Immediate.LEB, 0x02, 0x03, 0x0c, 0x0d, 0x10, 0x12, 0x20, 0x21, 0x22, 0x41, 0x42);
  put(Immediate.TWO_LEBS, 0x11, 0x13);
  table.fill(Immediate.TWO_LEBS, 0x28, 0x3f);
  put(Immediate.BYTES_4, 0x43);
  put(Immediate.BYTES_8, 0x44);
  put(Immediate.PREFIX, 0xfc, 0xfd, 0xfe);
  return table;
})();

export class CodeReader {
  private readonly bytes: Uint8Array;
  at: number;
  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.bytes[this.at++]!;
  }
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }
  signed(): number {
    let value = 0;
    for (let shift = 0; ; ) {
      const byte = this.bytes[this.at++]!;
      value |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) return shift < 32 && (byte & 64) !== 0 ? value | (-1 << shift) : value;
    }
  }
  text(): string {
    const length = this.unsigned();
    this.at += length;
    return new TextDecoder().decode(this.bytes.slice(this.at - length, this.at));
  }
  private skip(): void {
    while (this.bytes[this.at++]! >= 128);
  }

  /** Goes over the locals of a function. */
  skipLocals(): void {
    for (let runs = this.unsigned(); runs > 0; runs--) {
      this.skip();
      this.at++;
    }
  }

  /** Calls `see` for each instruction up to `end`: its opcode, and where it is. */
  walk(end: number, see: (opcode: number, at: number) => void): void {
    while (this.at < end) {
      const { at } = this;
      const opcode = this.bytes[this.at++]!;
      switch (IMMEDIATES[opcode]) {
        case Immediate.NONE:
          break;
        case Immediate.BYTE:
          this.at++;
          break;
        case Immediate.LEB:
          this.skip();
          break;
        case Immediate.TWO_LEBS:
          this.skip();
          this.skip();
          break;
        case Immediate.BYTES_4:
          this.at += 4;
          break;
        case Immediate.BYTES_8:
          this.at += 8;
          break;
        case Immediate.PREFIX:
          this.prefixed(opcode, this.unsigned());
          break;
        default:
          throw new Error(`no opcode 0x${opcode.toString(16)} is expected in code of ours`);
      }
      see(opcode, at);
    }
  }

  private prefixed(prefix: number, op: number): void {
    const atomic = prefix === 0xfe;
    const simd = prefix === 0xfd;
    // v128.load, of a lane as well, and v128.store; constants and masks of shuffles; lanes.
    if (atomic || (simd && (op === 0 || op === 11 || op === 92 || op === 93))) {
      this.skip();
      this.skip();
    } else if (simd && (op === 12 || op === 13)) this.at += 16;
    else if (simd && op >= 21 && op <= 34) this.at++;
  }
}
