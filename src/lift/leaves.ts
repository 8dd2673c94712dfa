// Where interpreter and JIT part: a lift asks its operands for IR, and these answer.
import type { BlockId } from '../ir/blocks.ts';
import type { Value } from '../ir/types.ts';

export interface Leaves {
  /** General register operand k, zero- or sign-extended to i32. */
  readReg(k: number, size: number, signed: boolean): Value;
  writeReg(k: number, size: number, v: Value): void;
  /** Immediate of operand k. */
  imm(k: number): Value;
  /** Second immediate of a far pointer (its offset; imm(k) is the selector). */
  farOffset(k: number): Value;
  /** Register number of an sr, cr, dr, st operand. */
  number(k: number): Value;
  /** Address of the mm or xmm register in the CPU's state. */
  regAddress(k: number): Value;
  /** Effective address (offset in the segment). */
  offset(): Value;
  /** Address of the SegCache of the memory operand's (or string source's) segment. */
  segment(): Value;
  /** 0xffffffff or 0xffff: mask of addresses. */
  addressMask(): Value;
  getGpr(reg: number, size: number, high: boolean): Value;
  setGpr(reg: number, size: number, high: boolean, v: Value): void;
  /** Where a direct branch leads, and what is behind the instruction; undefined in handlers, where the record knows. */
  readonly target: BlockId | undefined;
  readonly next: BlockId | undefined;
  thisEip(): Value;
  nextEip(): Value;
}
