// A decoded instruction: its form, and what it has of its own (its leaves).
import type { Form } from '../lift/form.ts';
import type { LiftSpec } from '../lift/lifter.ts';

export interface Memory {
  /** General register numbers, or -1. */
  readonly base: number;
  readonly index: number;
  /** log2 of the scale. */
  readonly scale: number;
  readonly disp: number;
  /** Number of the segment register. */
  readonly seg: number;
}

/** How a near branch goes on: Jcc, JCXZ and LOOP are conditional; JMP, CALL and RET are not. 'next': no near branch. */
export type Flow = 'next' | 'conditional' | 'unconditional';

export interface Instruction {
  readonly form: Form;
  readonly key: string;
  /** undefined: #UD, as no valid encoding, or as one of an extension that CPUID does not announce. */
  readonly spec: LiftSpec | undefined;
  readonly flow: Flow;
  readonly eip: number;
  readonly next: number;
  readonly length: number;
  /** For each operand: register number, immediate or selector; numbers 4..7 of byte registers are AH CH DH BH. */
  readonly values: readonly number[];
  /** Second immediate: the offset of a far pointer. */
  readonly farOffset: number;
  readonly memory: Memory | undefined;
  /** Target of a near branch. */
  readonly target: number | undefined;
  /** The instruction is cut off: it needs more bytes than there were. */
  readonly truncated: boolean;
  /** iced's number of the encoding, for statistics. */
  readonly code: number;
}
