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

/** Bytes that an instruction may have (SDM vol. 2, 2.3.11). */
export const LONGEST = 15;
export const PREFIXES: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** The form of what is #UD. */
export const UNDEFINED: Form = {
  mnemonic: 'invalid',
  ops: [],
  opsize: 4,
  addrsize: 4,
  segmented: false,
  flat: false,
  rep: 0,
  locked: false,
};

/** What is #UD, or (`truncated`) too long or cut off. `code`: iced's number of it. */
export function undefinedInstruction(eip: number, length: number, truncated: boolean, code: number): Instruction {
  const common = {
    form: UNDEFINED,
    key: 'invalid',
    spec: undefined,
    flow: 'next',
    values: [],
    farOffset: 0,
    memory: undefined,
    target: undefined,
  } as const;
  return { ...common, eip: eip >>> 0, next: (eip + length) >>> 0, length, truncated, code };
}
