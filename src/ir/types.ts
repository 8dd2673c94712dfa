// The micro-op IR: a linear list of typed operations over values (each assigned once) with explicit effects.
// One instruction's lift appends to such a list; emit/ lowers it to WebAssembly, passes/ rewrite it in between.

export type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** Index of the operation that defines it, in Code.ops. */
export type Value = number;

/** What an arithmetic instruction was, for its lazy flags. `a`, `b` are its inputs, `r` the result, all of `width` bits. */
export type FlagKind = 'add' | 'adc' | 'sub' | 'sbb' | 'logic' | 'inc' | 'dec';

/** Condition codes by their usual suffix (SDM vol. 1, appendix B). */
export type ConditionCode = 'o' | 'no' | 'b' | 'ae' | 'e' | 'ne' | 'be' | 'a' | 's' | 'ns' | 'p' | 'np' | 'l' | 'ge' | 'le' | 'g';

/** Bytes of the CPU's state: offsets. */
export interface Place {
  readonly at: number;
  readonly end: number;
}

export interface HelperEffects {
  /** Type of the result; none if left out. */
  readonly result?: Type;
  /** May set Cpu.fault: the caller tests it and leaves. */
  readonly mayFault?: boolean;
  /** Stores to guest memory, which may hold the code that called it: a region then looks whether it is still right. */
  readonly stores?: boolean;
  /** General registers that it reads or writes in Cpu.gpr. */
  readonly reads?: readonly number[] | 'all';
  readonly writes?: readonly number[] | 'all';
  /** Whether it reads or writes the lazy flags words. */
  readonly flags?: 'r' | 'w' | 'rw';
  /** Of the CPU's state it changes MXCSR alone (and Cpu.fault where it may fault): no other register, no TLB entry. */
  readonly quiet?: boolean;
  /** Of the CPU's state beside Cpu.fault it changes these places alone. */
  readonly changes?: readonly Place[];
  /** It reads Cpu.eip (set to this instruction's) even if it cannot fault. */
  readonly eip?: boolean;
}

export type Op =
  | { readonly kind: 'const'; readonly type: Type; readonly value: number | bigint | Uint8Array }
  /** A Wasm operator without effects, by its Wasm name. */
  | {
      readonly kind: 'pure';
      readonly type: Type;
      readonly name: string;
      readonly args: readonly Value[];
      readonly imm?: number | readonly number[];
    }
  | { readonly kind: 'cpu'; readonly type: 'i32' }
  /** A general register, whole (region leaves only). */
  | { readonly kind: 'get'; readonly type: 'i32'; readonly reg: number }
  | { readonly kind: 'set'; readonly reg: number; readonly value: Value }
  /** A field of the decoded record (handler leaves only). */
  | { readonly kind: 'rec'; readonly type: 'i32'; readonly offset: number }
  /** CPU state in memory at (address ?? cpu) + offset. */
  | {
      readonly kind: 'ldstate';
      readonly type: Type;
      readonly bytes: number;
      readonly signed: boolean;
      readonly address: Value | undefined;
      readonly offset: number;
    }
  | {
      readonly kind: 'ststate';
      readonly bytes: number;
      readonly address: Value | undefined;
      readonly offset: number;
      readonly value: Value;
      /** Places that it changes at the most, where the address does not tell. */
      readonly within?: readonly Place[];
    }
  /** Guest memory at a linear address; may fault. `rmw`: check for writing. `locked`: the store of the same instruction to the same
   * address happens with this load as one; what is between them has no effects, as it may be done again. */
  | {
      readonly kind: 'load';
      readonly type: Type;
      readonly bytes: number;
      readonly signed: boolean;
      readonly address: Value;
      readonly rmw: boolean;
      readonly locked?: boolean;
    }
  | { readonly kind: 'store'; readonly bytes: number; readonly address: Value; readonly value: Value }
  /** Loads and stores of other CPUs see this CPU's in the order of the program on both sides of a fence. */
  | { readonly kind: 'fence' }
  /** The CPU waits in a loop for something that another one does. */
  | { readonly kind: 'pause' }
  /** Linear address of `offset` in a segment, checked for an access of `bytes` bytes; may fault. */
  | {
      readonly kind: 'linear';
      readonly type: 'i32';
      readonly seg: Value;
      readonly offset: Value;
      readonly bytes: number;
      readonly write: boolean;
    }
  | {
      readonly kind: 'flags';
      readonly flag: FlagKind;
      readonly width: 8 | 16 | 32;
      readonly a: Value;
      readonly b: Value;
      readonly r: Value;
    }
  | { readonly kind: 'setRX'; readonly r: Value; readonly x: Value }
  | { readonly kind: 'flagR'; readonly type: 'i32' }
  | { readonly kind: 'flagX'; readonly type: 'i32' }
  | { readonly kind: 'cond'; readonly type: 'i32'; readonly cc: ConditionCode }
  | {
      readonly kind: 'helper';
      readonly type: Type | undefined;
      readonly name: string;
      readonly args: readonly Value[];
      readonly effects: HelperEffects;
      /** Called only where one of `when` is not 0, which is seldom; else the result is `otherwise`. It cannot fault, and leaves registers and flags alone. */
      readonly seldom?: { readonly when: readonly Value[]; readonly otherwise: Value };
    }
  | { readonly kind: 'raise'; readonly cond: Value | undefined; readonly vector: number; readonly error: Value | undefined }
  /** The start of an instruction: where a precise fault points to. Values are undefined in handler code (the record knows). */
  | { readonly kind: 'insn'; readonly eip: number; readonly next: number; readonly text?: string }
  // Terminators: at most one, last.
  | { readonly kind: 'jump' }
  | { readonly kind: 'branch'; readonly cond: Value }
  | { readonly kind: 'indirect'; readonly eip: Value }
  /** A helper changed CS:EIP or the mode: leave through the dispatcher; Cpu.eip is right already. */
  | { readonly kind: 'leave' }
  /** Leave through the dispatcher behind this instruction (so that something is looked at again). */
  | { readonly kind: 'next' }
  /** Run this instruction again if cond. Only the last op of its instruction. */
  | { readonly kind: 'repeat'; readonly cond: Value };

export interface Code {
  readonly ops: Op[];
}

export const isTerminator = (op: Op): boolean =>
  op.kind === 'jump' || op.kind === 'branch' || op.kind === 'indirect' || op.kind === 'leave' || op.kind === 'next' || op.kind === 'repeat';

/** Values that an operation reads. */
export function operands(op: Op): readonly Value[] {
  switch (op.kind) {
    case 'pure':
      return op.args;
    case 'helper':
      return op.seldom === undefined ? op.args : [...op.args, ...op.seldom.when, op.seldom.otherwise];
    case 'set':
      return [op.value];
    case 'ldstate':
      return op.address === undefined ? [] : [op.address];
    case 'ststate':
      return op.address === undefined ? [op.value] : [op.address, op.value];
    case 'load':
      return [op.address];
    case 'store':
      return [op.address, op.value];
    case 'linear':
      return [op.seg, op.offset];
    case 'flags':
      return [op.a, op.b, op.r];
    case 'setRX':
      return [op.r, op.x];
    case 'raise':
      return [op.cond, op.error].filter((v) => v !== undefined);
    case 'branch':
    case 'repeat':
      return [op.cond];
    case 'indirect':
      return [op.eip];
    default:
      return [];
  }
}

/** The operation with `f` of each value that it reads. */
export function mapOperands(op: Op, f: (v: Value) => Value): Op {
  const some = (v: Value | undefined) => (v === undefined ? undefined : f(v));
  switch (op.kind) {
    case 'pure':
      return { ...op, args: op.args.map(f) };
    case 'helper': {
      const { seldom } = op;
      return { ...op, args: op.args.map(f), ...(seldom && { seldom: { when: seldom.when.map(f), otherwise: f(seldom.otherwise) } }) };
    }
    case 'set':
      return { ...op, value: f(op.value) };
    case 'ldstate':
      return { ...op, address: some(op.address) };
    case 'ststate':
      return { ...op, address: some(op.address), value: f(op.value) };
    case 'load':
      return { ...op, address: f(op.address) };
    case 'store':
      return { ...op, address: f(op.address), value: f(op.value) };
    case 'linear':
      return { ...op, seg: f(op.seg), offset: f(op.offset) };
    case 'flags':
      return { ...op, a: f(op.a), b: f(op.b), r: f(op.r) };
    case 'setRX':
      return { ...op, r: f(op.r), x: f(op.x) };
    case 'raise':
      return { ...op, cond: some(op.cond), error: some(op.error) };
    case 'branch':
    case 'repeat':
      return { ...op, cond: f(op.cond) };
    case 'indirect':
      return { ...op, eip: f(op.eip) };
    default:
      return op;
  }
}

/** Type of the value an operation defines; undefined for those that define none. */
export const typeOf = (op: Op): Type | undefined => ('type' in op ? op.type : undefined);
