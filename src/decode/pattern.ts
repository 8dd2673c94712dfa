// What is fixed in an instruction: its first bytes, up to displacement and immediate. iced-x86 is asked once what they say; the rest is read here. Of 360,000 instructions
// that a boot of Linux decodes a sixtieth have fixed bytes that were not seen before, and asking takes some thirty times as long as reading.
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
  readonly disp: Field;
  readonly imm: Field;
  /** The operand that is the immediate, and what of the number it is. Near branches have a distance instead. */
  readonly operand: number;
  readonly mask: number;
  readonly isBranch: boolean;
  /** There is no lift for it. */
  readonly isUndefined: boolean;
  /** It is the last of its block. */
  readonly ends: boolean;
  readonly length: number;
  /** How many bytes are fixed. */
  readonly fixed: number;
  /** What a user of patterns made of this one. */
  kept: unknown = undefined;

  constructor(first: Instruction, disp: Field, imm: Field, operand: number, mask: number) {
    const { target, spec, flow, length } = first;
    this.first = first;
    this.disp = disp;
    this.imm = imm;
    this.operand = operand;
    this.mask = mask;
    this.isBranch = target !== undefined;
    this.isUndefined = spec === undefined;
    this.ends = spec?.ends === true || spec?.dispatches === true || flow !== 'next';
    this.length = length;
    this.fixed = disp.size > 0 ? disp.at : imm.size > 0 ? imm.at : length;
  }

  /** The displacement of the instruction at `at` in the bytes. */
  dispIn(bytes: Uint8Array, at: number): number {
    const value = read(bytes, at + this.disp.at, this.disp.size);
    return this.first.form.addrsize === 2 ? value & 0xffff : value;
  }

  /** Its immediate. */
  immIn(bytes: Uint8Array, at: number): number {
    return read(bytes, at + this.imm.at, this.imm.size) & this.mask;
  }

  /** Where it leads from `eip`. */
  targetIn(bytes: Uint8Array, at: number, eip: number): number {
    const target = (eip + this.length + read(bytes, at + this.imm.at, this.imm.size)) >>> 0;
    return this.first.form.opsize === 2 ? target & 0xffff : target;
  }

  /** The instruction at `at` in the bytes, which lies at `eip`. */
  read(bytes: Uint8Array, at: number, eip: number): Instruction {
    const { form, key, spec, flow, length, farOffset, code } = this.first;
    const next = (eip + length) >>> 0;
    let { values, memory, target } = this.first;
    if (this.disp.size > 0) {
      const { base, index, scale, seg } = memory!;
      memory = { base, index, scale, disp: this.dispIn(bytes, at), seg };
    }
    if (this.imm.size > 0) {
      if (this.isBranch) {
        target = this.targetIn(bytes, at, eip);
        values = [target | 0];
      } else {
        const own = values.slice();
        own[this.operand] = this.immIn(bytes, at);
        values = own;
      }
    }
    return { form, key, spec, flow, eip: eip >>> 0, next, length, values, farOffset, memory, target, truncated: false, code };
  }
}
