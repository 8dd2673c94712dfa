// What the interpreter's handlers and a region answer differently while operations are lowered for them.
import type { EndKind, OpOf } from '../../ir/operations.ts';
import type { Value } from '../../ir/types.ts';
import type { Expr } from '../module.ts';
import type { PendingFlags } from './flags.ts';
import type { SlowWays } from './slow-ways.ts';

/** An operation that calls something. */
export type CallOp = OpOf<'helper' | 'call' | 'callIndirect'>;
/** An operation that leads elsewhere. */
export type TransferOp = OpOf<'call' | 'callIndirect' | EndKind>;

/**
 * Locals with the last page reached through a base register: a copy of a TLB entry. What is called and may take entries
 * away (Effects.forgets) is followed by RuntimeCalls.forget(); slow ways take none away, and behind a poll that did the region does not go on.
 */
export interface PageCache {
  /** i64: linear address of the page, or NOWHERE. It has the rights that all the accesses through this base need. */
  readonly page: number;
  /** i32: host address minus linear address. */
  readonly delta: number;
  /** Some access through this base writes. */
  readonly writes: boolean;
}

/** Pages whose place a function remembers. */
export interface Pages {
  /** The cache for accesses at an address, if it has one. */
  of(address: Value): PageCache | undefined;
  all(): Iterable<PageCache>;
  /** The local with host minus linear address for the accesses of a group that need no check. */
  unchecked(group: number): number;
}

/** The arithmetic flags. */
export interface TargetFlags {
  flagR(): Expr;
  flagX(): Expr;
  setFlagWords(r: Expr, x: Expr): void;
  setFlags(p: PendingFlags): void;
  /** The operation that set them, where that is known. */
  pendingFlags(): PendingFlags | undefined;
}

export interface Target {
  /** Whether locked accesses must be atomic, as other CPUs may run at the same time. */
  readonly atomic: boolean;
  /** Whether the inputs of the operation that sets the flags are kept until others are set. */
  readonly lazyFlags: boolean;
  /** Functions for what is not inline: stores to pages with code are done there (handlers) or refused (regions). */
  readonly slow: SlowWays;
  readonly flags: TargetFlags;
  /** Linear address of the start of the kernel's direct map (Control.directOrigin), where accesses are looked for there first. */
  readonly directOrigin?: number | undefined;
  /** The local of a stack that is known: how far from the direct map's start what a region reaches of it begins; and where that is from the stack. */
  stack?(stack: number): { readonly local: number; readonly low: number };
  /** Looks for a stack, at the start of an instruction. */
  reach?(op: OpOf<'reach'>): void;
  /** None where each access asks the TLB. */
  readonly pages?: Pages;
  /** EIP of the current instruction. */
  eip(): Expr;
  /** Leaves because Cpu.fault is set: where `faulted` is not 0, or in any case. */
  faultExit(faulted?: Expr): Expr;
  /** 0 where the entry `word` of the TLB does not allow the access. */
  tlbAllows(word: Expr, write: boolean): Expr;
  startInstruction(op: OpOf<'insn'>): void;
  /** Makes Cpu.gpr (and flags) in memory current before a call, and drops what it changes after. */
  beforeCall(op: CallOp): void;
  afterCall(op: CallOp): void;
  /** Makes all of the CPU's state in memory current, on a way aside that comes back: nothing of it is known to be there behind. Where it is always, there is nothing to do. */
  storeAside?(): readonly Expr[];
  /** What was called may have changed the code that goes on. */
  mayHaveStored(): void;
  /** A general register, whole. */
  register(reg: number): Expr;
  /** The local of a register that is about to be set; none where they are in memory. */
  registerLocal?(reg: number): number;
  setRegister(reg: number, v: Expr): void;
  /** Not 0 where MXCSR is not as the quick ways of functions (quick-ways.ts) want it; none where these are called. */
  unusual?(): Expr;
  /** Behind what may have changed MXCSR. */
  controlChanged?(): readonly Expr[];
  /** An xmm register that is in a local. */
  vector?(xmm: number): Expr;
  setVector?(xmm: number, v: Expr): void;
  /** Leaves through the dispatcher (statements that do not come back) to go on with this instruction, from its start. */
  leaveHere(): Expr[];
  /** The same to go on behind it. */
  leaveBehind(): Expr[];
  /** Calls of guest code and terminators. */
  transfer(op: TransferOp): void;
}
