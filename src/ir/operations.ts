// The operations of the IR, each declared once, a line each: its text, the type of what it gives, the types of the values that it reads,
// its immediates, its effects. Types for the compiler, printer, reader and verifier follow from the lines; docs/ir.md explains them.
//
// In a text, `{x}` is the value or immediate x, `{x|, }` a list with what stands between, and what is in brackets is there only where x
// is. `any` is a type that the operation itself carries; a `?` behind a type says that the value may be missing, a `*` that it is a list.
import { type BlockId, target } from './blocks.ts';
import {
  effects,
  eip,
  either,
  exit,
  flag,
  type Immediate,
  lanes,
  note,
  number,
  oneOf,
  optional,
  places,
  register,
  state,
  vector,
  width,
  word,
} from './immediates.ts';
import { ADDRESS, CONDITION_CODES, type Effects, FLAG_KINDS, type FlagKind, type HelperEffects, type Type, type Value } from './types.ts';

/** A type of values, `any`, or either with `?` or `*`. */
export type Want = `${Type | 'any'}${'' | '?' | '*' | '*?'}`;
type Result = Type | 'any' | 'any?' | undefined;
type Immediates = Readonly<Record<string, Immediate<any> & { readonly optional?: boolean }>>;

export interface Line<
  R extends Result = Result,
  V extends Readonly<Record<string, Want>> = Readonly<Record<string, Want>>,
  I extends Immediates = Immediates,
> {
  readonly text: string;
  readonly result: R;
  readonly values: V;
  readonly immediates: I;
  readonly effects: Effects;
  /** It ends its block. */
  readonly ends: boolean;
}

const NOTHING: Effects = {};
const FAULTS: Effects = { mayFault: true };
const READS_FLAGS: Effects = { flags: 'r' };
const SETS_FLAGS: Effects = { flags: 'w' };
const CALLS: Effects = { reads: 'all', writes: 'all', flags: 'rw', stores: true, forgets: true };
const CROSSES: Effects = { reads: 'all', flags: 'r', mayFault: true, eip: true };
const FLAGS_BUT_CARRY: Effects = { flags: 'rw' };

/** Whether an instruction of the kind leaves CF as it was. */
export const keepsCarry = (kind: FlagKind): boolean => kind === 'inc' || kind === 'dec';

function line<R extends Result, const V extends Readonly<Record<string, Want>>, I extends Immediates>(
  text: string,
  result: R,
  values: V,
  immediates: I,
  does: Effects = NOTHING,
): Line<R, V, I> {
  return { text, result, values, immediates, effects: does, ends: false };
}

/** An operation that ends its block; it gives nothing. */
function end<const V extends Readonly<Record<string, Want>>, I extends Immediates>(
  text: string,
  values: V,
  immediates: I,
  does: Effects = NOTHING,
): Line<undefined, V, I> {
  return { text, result: undefined, values, immediates, effects: does, ends: true };
}

const constant: Immediate<number | bigint | Uint8Array> = { pattern: '.*', print: String, read: Number };
const helperEffects = effects as Immediate<HelperEffects>;
const flagKind = oneOf(FLAG_KINDS);
const flagWidth = number as Immediate<8 | 16 | 32>;
const cc = oneOf(CONDITION_CODES);
const signed = flag('s');

// biome-ignore format: a line each
export const OPERATIONS = {
  /** Printed where it is used. */
  const:    line('const {value}', 'any', {}, { value: constant }),
  /** An operator without effects (operators.ts). */
  pure:     line('{name} {args|, }[ {imm}]', 'any', { args: 'any*' }, { name: word, imm: optional(lanes) }),
  /** Address of the CPU's state. */
  cpu:      line('cpu', 'i32', {}, {}),
  /** A general register, whole (in regions only). */
  get:      line('get {reg}', 'i32', {}, { reg: register }),
  set:      line('set {reg}, {value}', undefined, { value: 'i32' }, { reg: register }),
  /** An xmm register, whole, or a lane of it as wide as the value (in regions only, where passes/vector-registers.ts says so). */
  getx:     line('getx {xmm}[ lane {lane}]', 'any', {}, { xmm: vector, lane: optional(number) }),
  setx:     line('setx {xmm}[ lane {lane}], {value}', undefined, { value: 'any' }, { xmm: vector, lane: optional(number) }),
  /** A field of the decoded record (in handlers only). */
  rec:      line('rec{bytes} {offset}', 'i32', {}, { bytes: width, offset: number }),
  /** The CPU's state in memory at (address, else that of the CPU) + offset. */
  ldstate:  line('ldstate{bytes}{signed} [{address} + ]{offset}', 'any', { address: 'i32?' }, { bytes: width, signed, offset: state }),
  /** `within`: places that it changes at the most, where the address does not tell. */
  ststate:  line('ststate{bytes} [{address} + ]{offset}, {value}[ within {within}]', undefined, { address: 'i32?', value: 'any' }, { bytes: width, offset: state, within: optional(places) }),
  /** Guest memory at a linear address. `rmw`: checked for writing. `locked`: the store of the same instruction to the same address
   * happens with this load as one; what is between them has no effects, as it may be done again. `ordered`: in the order of x86 on any
   * host. `group`: it needs no check, as the guard of
   * its loop looked the addresses of that group up, and cannot fault. */
  load:     line('load{bytes}{signed}{rmw}{locked}{ordered} {address}[ unchecked {group}]', 'any', { address: ADDRESS }, { bytes: width, signed, rmw: flag(' rmw'), locked: optional(flag(' lock')), ordered: optional(flag(' ordered')), group: optional(number) }, FAULTS),
  store:    line('store{bytes}{ordered} {address}, {value}[ unchecked {group}]', undefined, { address: ADDRESS, value: 'any' }, { bytes: width, ordered: optional(flag(' ordered')), group: optional(number) }, FAULTS),
  /** From here on the bytes at `low` to `high` around stack `stack` are known to be in the kernel's direct map, and may be stored to; else leaves, to this instruction, to be done
   * otherwise. Where the stack is says a register, which is `offset` behind it. Behind the start of an instruction, in regions of kernels only (passes/stack-accesses.ts). */
  reach:    line('reach {stack}: {reg} - {offset}, {low} to {high}', undefined, {}, { stack: number, reg: register, offset: number, low: number, high: number }, FAULTS),
  /** The bytes at an offset from a stack that is known. They cannot fault. */
  ldstack:  line('ldstack{bytes}{signed} {stack}:{offset}', 'any', {}, { bytes: width, signed, stack: number, offset: number }),
  ststack:  line('ststack{bytes} {stack}:{offset}, {value}', undefined, { value: 'any' }, { bytes: width, stack: number, offset: number }),
  /** Loads and stores of other CPUs see this CPU's in the order of the program on both sides of a fence. */
  fence:    line('fence', undefined, {}, {}),
  /** The CPU waits in a loop for something that another one does. */
  pause:    line('pause', undefined, {}, {}),
  /** Linear address of an offset in the segment whose cache is at `seg`, checked for an access of so many bytes. */
  linear:   line('linear {seg}:{offset} {write} {bytes}', ADDRESS, { seg: 'i32', offset: ADDRESS }, { bytes: number, write: either('write', 'read') }, FAULTS),
  /** Sets the flags as an arithmetic instruction does. INC and DEC keep CF. */
  flags:    line('flags {flag}{width} {a}, {b} -> {r}', undefined, { a: 'i32', b: 'i32', r: 'i32' }, { flag: flagKind, width: flagWidth }, SETS_FLAGS),
  /** Sets the flags' two words (docs/architecture.md). */
  setRX:    line('setRX {r}, {x}', undefined, { r: 'i32', x: 'i32' }, {}, SETS_FLAGS),
  flagR:    line('flagR', 'i32', {}, {}, READS_FLAGS),
  flagX:    line('flagX', 'i32', {}, {}, READS_FLAGS),
  /** Whether the condition holds: 0 or 1. */
  cond:     line('cond {cc}', 'i32', {}, { cc }, READS_FLAGS),
  /** Calls a function of the runtime: (CPU, ...args). With `when` only where one of these is not 0, which is seldom; else the result is
   * `otherwise`. Such a one leaves registers and flags alone, and may look at all of them. */
  helper:   line('helper {name}({args|, }){effects}[ if {when| or }, else {otherwise}]', 'any?', { args: 'any*', when: 'i32*?', otherwise: 'any?' }, { name: word, effects: helperEffects }),
  /** Raises an exception, if `cond` (where there is one) is not 0. */
  raise:    line('raise {vector}[ error {error}][ if {cond}]', undefined, { cond: 'i32?', error: 'i32?' }, { vector: number }, FAULTS),
  /** The start of an instruction, where a precise fault points to. (In handlers the record knows.) */
  insn:     line('insn {eip}..{next}[  {text}]', undefined, {}, { eip, next: eip, text: optional(note) }),
  /** Leaves to run this instruction again if `cond`. The last operation of its instruction. */
  repeat:   line('repeat if {cond}', undefined, { cond: 'i32' }, {}, READS_FLAGS),
  /** Leaves through the dispatcher to what is behind this instruction, so that something is looked at again, if `cond`. The last operation of its instruction. */
  nextIf:   line('nextIf {cond}', undefined, { cond: 'i32' }, {}, READS_FLAGS),
  /** Leaves to the host with Cpu.exit if `cond`, before this instruction, which is the next one when the CPU goes on. */
  yield:    line('yield {exit} if {cond}', undefined, { cond: 'i32' }, { exit }, READS_FLAGS),

  /** A call of guest code: the return address is pushed already. In a region it comes back, to the jump behind it. (Handlers do not wait
   * for it: nothing is behind it there.) Targets are left out in handlers, where the record knows them. */
  call:     line('call[ {to}, back {back}]', undefined, {}, { to: optional(eip), back: optional(eip) }, CALLS),
  callIndirect: line('callIndirect {eip}[, back {back}]', undefined, { eip: ADDRESS }, { back: optional(eip) }, CALLS),

  /** To a block of the region, or to the EIP of that name outside. */
  jump:     end('jump[ {to}]', {}, { to: optional(target) }),
  branch:   end('branch{likely} if {cond}[ to {to}, else {next}]', { cond: 'i32' }, { likely: optional(flag(' likely')), to: optional(target), next: optional(target) }),
  indirect: end('indirect {eip}', { eip: ADDRESS }, {}),
  /** A near return. `to`: the block where it leads if `eip` is that block's, as it is for an inlined callee. */
  ret:      end('ret {eip}[ to {to}]', { eip: ADDRESS }, { to: optional(target) }),
  /** Out of the region to a known EIP. */
  exit:     end('exit {to}', {}, { to: eip }),
  /** A function of the runtime goes elsewhere: it changes CS:EIP, the mode, anything. All state is in memory before and after; it gives the jump cache's entry to go on by, or 0. */
  cross:    end('cross {name}({args|, })', { args: 'any*' }, { name: word }, CROSSES),
  /** A helper changed CS:EIP or the mode: through the dispatcher; Cpu.eip is right already. */
  leave:    end('leave', {}, {}),
  /** Through the dispatcher to what is behind this instruction (so that something is looked at again). */
  next:     end('next[ {to}]', {}, { to: optional(eip) }),
  /** To the unchecked copy of a loop while passes through it are left, else to the loop as it was (translate/loops.ts). */
  guard:    end('guard {loop}: {to}, else {next}', {}, { loop: number, to: target, next: target }),
} as const;

type Lines = typeof OPERATIONS;
export type OpKind = keyof Lines;

type ValueOf<W> = W extends `${string}*` | `${string}*?` ? readonly Value[] : Value;
type Maybe<V> = { [F in keyof V]: V[F] extends `${string}?` ? F : never }[keyof V];
type ImmediateOf<X> = X extends Immediate<infer T> ? T : never;
type Optional<I> = { [F in keyof I]: I[F] extends { readonly optional: true } ? F : never }[keyof I];
type TypeOf<R> = R extends undefined ? unknown : { readonly type: R extends 'any?' ? Type | undefined : R extends 'any' ? Type : R };
type Fields<L> =
  L extends Line<infer R, infer V, infer I>
    ? TypeOf<R> & { readonly [F in Exclude<keyof V, Maybe<V>>]: ValueOf<V[F]> } & {
        readonly [F in Maybe<V>]?: ValueOf<V[F]> | undefined;
      } & { readonly [F in Exclude<keyof I, Optional<I>>]: ImmediateOf<I[F]> } & { readonly [F in Optional<I>]?: ImmediateOf<I[F]> }
    : never;
type Flat<T> = { [F in keyof T]: T[F] };
/** An operation of one kind. */
export type OpOf<K extends OpKind> = K extends OpKind ? Flat<{ readonly kind: K } & Fields<Lines[K]>> : never;
export type Op = { [K in OpKind]: OpOf<K> }[OpKind];

export interface Code {
  readonly ops: Op[];
}

// What follows from the lines ---------------------------------------------------------------------------------------------
const LINES: Readonly<Record<string, Line>> = OPERATIONS;

export const lineOf = (kind: OpKind): Line => LINES[kind]!;

/** By kind: the fields that hold values. */
const VALUES = Object.fromEntries(Object.entries(LINES).map(([kind, { values }]) => [kind, Object.keys(values)]));
type AnyValues = Readonly<Record<string, Value | readonly Value[] | undefined>>;

/** The fields of an operation that hold values, in the order of its line; and what is in one of them. */
export const valueFields = (kind: OpKind): readonly string[] => VALUES[kind]!;
export const valuesIn = (op: Op, field: string): Value | readonly Value[] | undefined => (op as unknown as AnyValues)[field];

/** Values that an operation reads, in the order of its line. */
export function operands(op: Op): readonly Value[] {
  if (op.kind === 'pure') return op.args;
  const out: Value[] = [];
  for (const field of VALUES[op.kind]!) {
    const v = (op as unknown as AnyValues)[field];
    if (typeof v === 'number') out.push(v);
    else if (v !== undefined) out.push(...v);
  }
  return out;
}

/** The operation with `f` of each value that it reads; itself where that changes nothing. */
export function mapOperands(op: Op, f: (v: Value) => Value): Op {
  let out: Record<string, unknown> | undefined;
  for (const field of VALUES[op.kind]!) {
    const v = (op as unknown as AnyValues)[field];
    if (v === undefined) continue;
    if (typeof v === 'number') {
      const to = f(v);
      if (to !== v) (out ??= { ...op })[field] = to;
    } else if (v.some((x) => f(x) !== x)) (out ??= { ...op })[field] = v.map(f);
  }
  return (out as Op | undefined) ?? op;
}

/** What an operation does; of a helper, what it says itself. */
export function effectsOf(op: Op): Effects {
  switch (op.kind) {
    case 'helper':
      return op.effects;
    case 'flags':
      return keepsCarry(op.flag) ? FLAGS_BUT_CARRY : SETS_FLAGS;
    case 'load':
    case 'store':
      return op.group === undefined ? FAULTS : NOTHING;
    default:
      return LINES[op.kind]!.effects;
  }
}

/** An operation that calls something, which may see and change the CPU's state as its effects say. */
export const isCall = (op: Op): op is OpOf<'helper' | 'call' | 'callIndirect'> =>
  op.kind === 'helper' || op.kind === 'call' || op.kind === 'callIndirect';

/** Where a terminator may lead in its region, each once. */
export function targets(op: Op): readonly BlockId[] {
  switch (op.kind) {
    case 'jump':
      return [op.to!];
    case 'branch':
      return op.to === op.next ? [op.next!] : [op.to!, op.next!];
    case 'guard':
      return [op.to, op.next];
    case 'ret':
      return op.to === undefined ? [] : [op.to];
    default:
      return [];
  }
}

/** A terminator with `f` of each of its targets. */
export function mapTargets(op: Op, f: (to: BlockId) => BlockId): Op {
  if (op.kind === 'jump') return { ...op, to: f(op.to!) };
  if (op.kind === 'branch' || op.kind === 'guard') return { ...op, to: f(op.to!), next: f(op.next!) };
  return op.kind === 'ret' && op.to !== undefined ? { ...op, to: f(op.to) } : op;
}

/** Kinds that end a block. */
export type EndKind = 'jump' | 'branch' | 'indirect' | 'ret' | 'exit' | 'cross' | 'leave' | 'next' | 'guard';

/** Whether an operation is the last of its block. */
export const isTerminator = (op: Op): boolean => LINES[op.kind]!.ends;

/** Type of the value an operation defines; undefined for those that define none. */
export const typeOf = (op: Op): Type | undefined => ('type' in op ? op.type : undefined);
