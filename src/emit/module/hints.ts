// Branch hints for a binary whose writer knows none: where its branches are, and a section for those that hardly ever go.
import { HINTS } from './builder.ts';
import { ByteWriter } from './bytes.ts';

const PREAMBLE_BYTES = 8;
const CODE_SECTION = 10;
const UNLIKELY = 0;

/** What stands behind an opcode. */
const Immediate = { NONE: 0, LEB: 1, TWO_LEBS: 2, BYTES_4: 3, BYTES_8: 4, PREFIX: 5, BRANCH_BYTE: 6, BRANCH_LEB: 7, UNKNOWN: 8 } as const;
const IMMEDIATES = (() => {
  const table = new Uint8Array(256).fill(Immediate.UNKNOWN);
  const put = (kind: number, ...codes: readonly number[]) => {
    for (const code of codes) table[code] = kind;
  };
  // unreachable, nop, else, end, return, drop, select; then comparisons, arithmetic and conversions.
  put(Immediate.NONE, 0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b);
  table.fill(Immediate.NONE, 0x45, 0xc5);
  // block and loop (their types are a byte), br, call, return_call, local.get, local.set, local.tee, i32.const, i64.const.
  put(Immediate.LEB, 0x02, 0x03, 0x0c, 0x10, 0x12, 0x20, 0x21, 0x22, 0x41, 0x42);
  put(Immediate.TWO_LEBS, 0x11, 0x13);
  table.fill(Immediate.TWO_LEBS, 0x28, 0x3f);
  put(Immediate.BYTES_4, 0x43);
  put(Immediate.BYTES_8, 0x44);
  put(Immediate.PREFIX, 0xfc, 0xfd, 0xfe);
  put(Immediate.BRANCH_BYTE, 0x04);
  put(Immediate.BRANCH_LEB, 0x0d);
  return table;
})();

/** Reads the code of a binary, from function to function. */
class CodeReader {
  private readonly bytes: Uint8Array;
  at: number;
  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }
  private skip(): void {
    while (this.bytes[this.at++]! >= 128);
  }

  /** Offsets of the `if` and `br_if` of a function, in order, from `start` on; the function's locals are there. */
  branches(start: number, end: number): number[] {
    const found: number[] = [];
    this.at = start;
    for (let runs = this.unsigned(); runs > 0; runs--) {
      this.skip();
      this.at++;
    }
    while (this.at < end) {
      const opcode = this.bytes[this.at]!;
      switch (IMMEDIATES[opcode]) {
        case Immediate.NONE:
          this.at++;
          continue;
        case Immediate.LEB:
          this.at++;
          this.skip();
          continue;
        case Immediate.TWO_LEBS:
          this.at++;
          this.skip();
          this.skip();
          continue;
        case Immediate.BYTES_4:
          this.at += 5;
          continue;
        case Immediate.BYTES_8:
          this.at += 9;
          continue;
        case Immediate.BRANCH_BYTE:
          found.push(this.at - start);
          this.at += 2;
          continue;
        case Immediate.BRANCH_LEB:
          found.push(this.at - start);
          this.at++;
          this.skip();
          continue;
        case Immediate.PREFIX:
          this.at++;
          this.prefixed(opcode, this.unsigned());
          continue;
        default:
          throw new Error(`no opcode 0x${opcode.toString(16)} is expected in code of ours`);
      }
    }
    return found;
  }

  private prefixed(prefix: number, op: number): void {
    const atomic = prefix === 0xfe;
    const simd = prefix === 0xfd;
    // v128.load and v128.store; constants and masks of shuffles; lanes.
    if (atomic || (simd && (op === 0 || op === 11))) {
      this.skip();
      this.skip();
    } else if (simd && (op === 12 || op === 13)) this.at += 16;
    else if (simd && op >= 21 && op <= 34) this.at++;
  }
}

/** Of a function: which of its branches (`if` and `br_if`, in order) are unlikely, and how many it has. */
export interface Branches {
  readonly unlikely: readonly number[];
  readonly count: number;
}

/**
 * The binary with hints. `functions`: of its own functions, in order; `imports`: how many come before them. Sections of others behind the code
 * are lost. Throws where a function has another number of branches than is said.
 */
export function withHints(binary: Uint8Array, imports: number, functions: readonly Branches[]): Uint8Array {
  let at = PREAMBLE_BYTES;
  const reader = new CodeReader(binary, at);
  for (;;) {
    if (at >= binary.length) return binary;
    reader.at = at + 1;
    const size = reader.unsigned();
    if (binary[at] === CODE_SECTION) break;
    at = reader.at + size;
  }
  const section = new ByteWriter();
  const hinted = functions.filter(({ unlikely }) => unlikely.length > 0).length;
  section.text(HINTS);
  section.unsigned(hinted);
  const count = reader.unsigned();
  if (count !== functions.length) throw new Error(`the binary has ${count} functions instead of ${functions.length}`);
  functions.forEach((f, k) => {
    const size = reader.unsigned();
    const start = reader.at;
    if (f.unlikely.length > 0) {
      const branches = reader.branches(start, start + size);
      if (branches.length !== f.count) throw new Error(`a function has ${branches.length} branches instead of ${f.count}`);
      section.unsigned(imports + k);
      section.unsigned(f.unlikely.length);
      for (const branch of f.unlikely) {
        section.unsigned(branches[branch]!);
        section.byte(1);
        section.byte(UNLIKELY);
      }
    }
    reader.at = start + size;
  });
  const out = new ByteWriter(binary.length + section.at + 8);
  out.copy(binary.subarray(0, at));
  out.byte(0);
  out.unsigned(section.at);
  out.copy(section.done());
  out.copy(binary.subarray(at, reader.at));
  return out.done();
}
