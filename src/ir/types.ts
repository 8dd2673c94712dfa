// Words of the micro-op IR that everything else speaks: types, values, conditions, effects. The operations are in operations.ts.

export type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** Index of the operation that defines it, in Code.ops. */
export type Value = number;

/** Type of a guest's address: an offset in a segment, a linear address, an EIP. This is the one place that says how wide they are. */
export const ADDRESS = 'i32' satisfies Type;

/** What an arithmetic instruction was, for its lazy flags. `a`, `b` are its inputs, `r` the result, all of `width` bits. */
export const FLAG_KINDS = ['add', 'adc', 'sub', 'sbb', 'logic', 'inc', 'dec'] as const;
export type FlagKind = (typeof FLAG_KINDS)[number];

/** Condition codes by their usual suffix, in the order of their encoding (SDM vol. 1, appendix B). */
export const CONDITION_CODES = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;
export type ConditionCode = (typeof CONDITION_CODES)[number];

/** Bytes of the CPU's state: offsets. */
export interface Place {
  readonly at: number;
  readonly end: number;
}
export const overlap = (a: Place, b: Place): boolean => a.at < b.end && b.at < a.end;

/** What an operation does beside giving its value. What is left out it does not do. */
export interface Effects {
  /** May raise an exception. A helper sets Cpu.fault: the caller tests it and leaves. */
  readonly mayFault?: boolean;
  /** Stores to guest memory, which may hold the code that called it: a region then looks whether it is still right. (The marks that the processor makes in descriptors do not count.) */
  readonly stores?: boolean;
  /** General registers that it reads or writes in Cpu.gpr. */
  readonly reads?: readonly number[] | 'all';
  readonly writes?: readonly number[] | 'all';
  /** Whether it reads or writes the lazy flags words. */
  readonly flags?: 'r' | 'w' | 'rw';
  /** It reads or writes xmm registers in the CPU's state. */
  readonly vectors?: boolean;
  /** Of the CPU's state beside Cpu.fault it changes these places alone: no other register, no TLB entry. */
  readonly changes?: readonly Place[];
  /** It reads Cpu.eip (set to this instruction's) even if it cannot fault. */
  readonly eip?: boolean;
  /** It may take translations out of the TLB, or wait, parked, while others do: what was found there before holds no longer. (It may be filled by anything that may fault.) */
  readonly forgets?: boolean;
}

export interface HelperEffects extends Effects {
  /** Type of the result; none if left out. */
  readonly result?: Type;
}
