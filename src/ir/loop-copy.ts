// A loop of a region that is there twice, as it was and as a copy in which accesses are not checked (translate/loops.ts): what its guard must know (emit/region/guards.ts).
import type { BlockId } from './blocks.ts';

/** Accesses whose addresses move together. All of them are in [base, base + span), base = the terms + lo. */
export interface Group {
  readonly terms: ReadonlyMap<number, number>;
  readonly lo: number;
  readonly span: number;
  readonly writes: boolean;
  /** What the addresses grow by in each pass: a constant, or (then the constant is 0) a sum of registers that stand still. */
  readonly step: number;
  readonly stepTerms: ReadonlyMap<number, number>;
}

/** How the addresses in a loop move. */
export interface Strides {
  readonly groups: readonly Group[];
  /** Registers that must be in a range when a pass starts (in later passes they are). */
  readonly bounds: ReadonlyMap<number, { readonly lo: number; readonly hi: number }>;
  /** By block: the group of the access at an index of its operations. */
  readonly accesses: ReadonlyMap<BlockId, ReadonlyMap<number, number>>;
}

/** A loop with its copy and its guard. */
export interface LoopCopy {
  /** Heads of the loop as it was and of its copy. */
  readonly original: BlockId;
  readonly head: BlockId;
  readonly guard: BlockId;
  /** Passes one behind the other, which are counted as one. */
  readonly unrolled: number;
  readonly strides: Strides;
}
