// What is fixed in an instruction: its first bytes, up to displacement and immediate. iced-x86 is asked once what they say; the rest is read here. Of 360,000 instructions
// that a boot of Linux decodes a hundredth have fixed bytes that were not seen before, and asking takes some thirty times as long as reading.
import type { Instruction } from './instruction.ts';

/** Bytes of an instruction that hold a number, from its first byte; `size` 0: it has none. */
export interface Field {
  readonly at: number;
  readonly size: number;
}

/** The number at `at`, which is signed. */
function read(bytes: Uint8Array, at: number, size: number): number {
  if (size === 1) return (bytes[at]! << 24) >> 24;
  const low = bytes[at]! | (bytes[at + 1]! << 8);
  return size === 2 ? (low << 16) >> 16 : low | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export class Pattern {
  /** One that has these bytes. */
  private readonly first: Instruction;
  private readonly disp: Field;
  private readonly imm: Field;
  /** The operand that is the immediate, and what of the number it is. Near branches have a distance instead. */
  private readonly operand: number;
  private readonly mask: number;
  readonly length: number;
  /** How many bytes are fixed. */
  readonly fixed: number;

  constructor(first: Instruction, disp: Field, imm: Field, operand: number, mask: number) {
    this.first = first;
    this.disp = disp;
    this.imm = imm;
    this.operand = operand;
    this.mask = mask;
    this.length = first.length;
    this.fixed = disp.size > 0 ? disp.at : imm.size > 0 ? imm.at : first.length;
  }

  /** The instruction at `at` in the bytes, which lies at `eip`. */
  read(bytes: Uint8Array, at: number, eip: number): Instruction {
    const { form, key, spec, flow, farOffset, code } = this.first;
    const { disp, imm, length } = this;
    const next = (eip + length) >>> 0;
    let { values, memory, target } = this.first;
    if (disp.size > 0) {
      const { base, index, scale, seg } = memory!;
      const value = read(bytes, at + disp.at, disp.size);
      memory = { base, index, scale, disp: form.addrsize === 2 ? value & 0xffff : value, seg };
    }
    if (imm.size > 0) {
      const value = read(bytes, at + imm.at, imm.size);
      if (target === undefined) {
        const own = values.slice();
        own[this.operand] = value & this.mask;
        values = own;
      } else {
        target = (next + value) >>> 0;
        if (form.opsize === 2) target &= 0xffff;
        values = [target | 0];
      }
    }
    return { form, key, spec, flow, eip: eip >>> 0, next, length, values, farOffset, memory, target, truncated: false, code };
  }
}
