// WebAssembly expressions as trees. The names of the methods are those of the operators; what is not an operator is written by hand.
import { OPERATORS, type Operator } from './opcodes.ts';
import { f32, f64, i32, i64, none, type ValueType, v128 } from './types.ts';

export const Kind = {
  OP: 0,
  CONST: 1,
  GET: 2,
  SET: 3,
  TEE: 4,
  LOAD: 5,
  STORE: 6,
  ATOMIC: 7,
  BLOCK: 8,
  LOOP: 9,
  IF: 10,
  BR: 11,
  CALL: 12,
  CALL_INDIRECT: 13,
  DROP: 14,
  RETURN: 15,
  UNREACHABLE: 16,
  SELECT: 17,
  /** A condition that hardly ever holds, or (n = 1) nearly always. */
  HINT: 18,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export class Expr {
  readonly kind: Kind;
  readonly type: ValueType;
  readonly args: readonly Expr[];
  /** Operator, label or function. */
  readonly name: string;
  /** Opcode; offset of an access; number of a local; of a call: whether it is a tail call. */
  readonly n: number;
  /** Log2 of the alignment. */
  readonly align: number;
  /** Value of a constant; bytes of immediates; of a block without a name that notes whose code it is (noted), the EIP. */
  readonly data: number | bigint | readonly number[] | undefined;
  constructor(
    kind: Kind,
    type: ValueType,
    args: readonly Expr[],
    name = '',
    n = 0,
    align = 0,
    data: number | bigint | readonly number[] | undefined = undefined,
  ) {
    this.kind = kind;
    this.type = type;
    this.args = args;
    this.name = name;
    this.n = n;
    this.align = align;
    this.data = data;
  }
}

const NOTHING: readonly Expr[] = [];

/** Emits operator `name` over `args`; `imm` is a lane number or a shuffle mask. */
export function pure(name: string, args: readonly Expr[], imm?: number | readonly number[]): Expr {
  if (name === 'select') return select(args[0]!, args[1]!, args[2]!);
  const op = OPERATORS.get(name);
  if (op === undefined) throw new Error(`no Wasm operator ${name}`);
  return new Expr(Kind.OP, op.type, args, name, op.code, 0, typeof imm === 'number' ? [imm] : imm);
}

const select = (cond: Expr, a: Expr, b: Expr) => new Expr(Kind.SELECT, a.type, [a, b, cond]);

const operator = (name: string): Operator => OPERATORS.get(name)!;
function unary(name: string): (a: Expr) => Expr {
  const { type, code } = operator(name);
  return (a) => new Expr(Kind.OP, type, [a], name, code);
}
function binary(name: string): (a: Expr, b: Expr) => Expr {
  const { type, code } = operator(name);
  return (a, b) => new Expr(Kind.OP, type, [a, b], name, code);
}
const loader = (name: string, code: number, type: ValueType) => (offset: number, align: number, at: Expr) =>
  new Expr(Kind.LOAD, type, [at], name, code, align === 0 ? -1 : Math.log2(align), offset);
const storer = (name: string, code: number) => (offset: number, align: number, at: Expr, v: Expr) =>
  new Expr(Kind.STORE, none, [at, v], name, code, align === 0 ? -1 : Math.log2(align), offset);

// Atomic accesses: the order of the binary format, with the log2 of their sizes.
const WIDTHS = [
  { type: i32, name: 'i32', suffix: '', align: 2 },
  { type: i64, name: 'i64', suffix: '', align: 3 },
  { type: i32, name: 'i32', suffix: '8', align: 0 },
  { type: i32, name: 'i32', suffix: '16', align: 1 },
  { type: i64, name: 'i64', suffix: '8', align: 0 },
  { type: i64, name: 'i64', suffix: '16', align: 1 },
  { type: i64, name: 'i64', suffix: '32', align: 2 },
] as const;
const RMW = ['add', 'sub', 'and', 'or', 'xor', 'xchg', 'cmpxchg'] as const;
type AtomicLoad = (offset: number, at: Expr) => Expr;
type AtomicStore = (offset: number, at: Expr, v: Expr) => Expr;
interface Rmw extends Record<Exclude<(typeof RMW)[number], 'cmpxchg'>, AtomicStore> {
  cmpxchg(offset: number, at: Expr, expected: Expr, v: Expr): Expr;
}
interface Atomic {
  load: AtomicLoad;
  load8_u: AtomicLoad;
  load16_u: AtomicLoad;
  load32_u: AtomicLoad;
  store: AtomicStore;
  store8: AtomicStore;
  store16: AtomicStore;
  store32: AtomicStore;
  rmw: Rmw;
  rmw8_u: Rmw;
  rmw16_u: Rmw;
  rmw32_u: Rmw;
}

function atomics(prefix: 'i32' | 'i64'): Atomic {
  const out: Record<string, any> = {};
  WIDTHS.forEach(({ type, name, suffix, align }, k) => {
    if (name !== prefix) return;
    const u = suffix === '' ? '' : '_u';
    const make =
      (op: string, code: number, result: ValueType) =>
      (offset: number, ...args: Expr[]) =>
        new Expr(Kind.ATOMIC, result, args, op, code, align, offset);
    out[`load${suffix}${u}`] = make(`${name}.atomic.load${suffix}${u}`, 0x10 + k, type);
    out[`store${suffix}`] = make(`${name}.atomic.store${suffix}`, 0x17 + k, none);
    const rmw: Record<string, unknown> = (out[`rmw${suffix}${u}`] = {});
    RMW.forEach((op, j) => {
      rmw[op] = make(`${name}.atomic.rmw${suffix}.${op}${u}`, 0x1e + j * 7 + k, type);
    });
  });
  return out as Atomic;
}

const UNARY = ['eqz', 'clz', 'ctz', 'popcnt', 'extend8_s', 'extend16_s'] as const;
const BINARY = [
  ...(['eq', 'ne', 'lt_s', 'lt_u', 'gt_s', 'gt_u', 'le_s', 'le_u', 'ge_s', 'ge_u', 'add', 'sub', 'mul', 'div_s', 'div_u'] as const),
  ...(['rem_s', 'rem_u', 'and', 'or', 'xor', 'shl', 'shr_s', 'shr_u', 'rotl', 'rotr'] as const),
] as const;
type Integer = Record<(typeof UNARY)[number], (a: Expr) => Expr> & Record<(typeof BINARY)[number], (a: Expr, b: Expr) => Expr>;

const integer = (prefix: 'i32' | 'i64'): Integer =>
  Object.fromEntries([
    ...UNARY.map((name) => [name, unary(`${prefix}.${name}`)]),
    ...BINARY.map((name) => [name, binary(`${prefix}.${name}`)]),
  ]) as unknown as Integer;

// Leaves are half of all expressions. They are never changed, so all uses of a local share one, and those of a small number.
const gets: Expr[] = [];
const TYPES = 8;
function get(local: number, type: ValueType): Expr {
  const at = local * TYPES + (i32 - type);
  return (gets[at] ??= new Expr(Kind.GET, type, NOTHING, '', local));
}
const SMALL = 4096;
const small = new Array<Expr | undefined>(2 * SMALL + 1);
function word(value: number): Expr {
  if (value < -SMALL || value > SMALL) return new Expr(Kind.CONST, i32, NOTHING, '', 0, 0, value | 0);
  return (small[value + SMALL] ??= new Expr(Kind.CONST, i32, NOTHING, '', 0, 0, value));
}

const constant =
  (type: ValueType) =>
  (value: number): Expr =>
    new Expr(Kind.CONST, type, NOTHING, '', 0, 0, value);

/** Builds expressions. */
export const wasm = {
  i32: {
    ...integer('i32'),
    const: word,
    wrap: unary('i32.wrap_i64'),
    load: loader('i32.load', 0x28, i32),
    load8_s: loader('i32.load8_s', 0x2c, i32),
    load8_u: loader('i32.load8_u', 0x2d, i32),
    load16_s: loader('i32.load16_s', 0x2e, i32),
    load16_u: loader('i32.load16_u', 0x2f, i32),
    store: storer('i32.store', 0x36),
    store8: storer('i32.store8', 0x3a),
    store16: storer('i32.store16', 0x3b),
    atomic: atomics('i32'),
  },
  i64: {
    ...integer('i64'),
    const: (value: bigint) => new Expr(Kind.CONST, i64, NOTHING, '', 0, 0, value),
    extend_u: unary('i64.extend_i32_u'),
    extend_s: unary('i64.extend_i32_s'),
    load: loader('i64.load', 0x29, i64),
    load32_u: loader('i64.load32_u', 0x35, i64),
    store: storer('i64.store', 0x37),
    store8: storer('i64.store8', 0x3c),
    store16: storer('i64.store16', 0x3d),
    store32: storer('i64.store32', 0x3e),
    atomic: atomics('i64'),
  },
  f32: { const: constant(f32) },
  f64: { const: constant(f64) },
  v128: {
    const: (bytes: readonly number[]) => new Expr(Kind.CONST, v128, NOTHING, '', 0, 0, bytes),
    load: loader('v128.load', 0xfd0000, v128),
    /** The lowest lane; the others are 0. */
    load32_zero: loader('v128.load32_zero', 0xfd005c, v128),
    load64_zero: loader('v128.load64_zero', 0xfd005d, v128),
    store: storer('v128.store', 0xfd000b),
  },
  local: {
    get,
    set: (local: number, v: Expr) => new Expr(Kind.SET, none, [v], '', local),
    tee: (local: number, v: Expr, type: ValueType) => new Expr(Kind.TEE, type, [v], '', local),
  },
  block: (label: string | null, list: readonly Expr[], type?: ValueType) =>
    new Expr(Kind.BLOCK, type ?? list.at(-1)?.type ?? none, list, label ?? ''),
  /** Statements that an instruction's are: no more than their contents, but for who writes them as text. */
  noted: (eip: number, list: readonly Expr[]) => new Expr(Kind.BLOCK, none, list, '', 0, 0, eip),
  loop: (label: string, body: Expr) => new Expr(Kind.LOOP, none, [body], label),
  if: (cond: Expr, then: Expr, otherwise?: Expr) =>
    new Expr(Kind.IF, otherwise === undefined ? none : then.type, otherwise === undefined ? [cond, then] : [cond, then, otherwise]),
  br: (label: string, cond?: Expr) => new Expr(Kind.BR, none, cond === undefined ? NOTHING : [cond], label),
  call: (name: string, args: readonly Expr[], type: ValueType) => new Expr(Kind.CALL, type, args, name, 0),
  return_call: (name: string, args: readonly Expr[], _type?: ValueType) => new Expr(Kind.CALL, none, args, name, 1),
  /** Of a function of the table, which all have the same type. */
  call_indirect: (index: Expr, args: readonly Expr[]) => new Expr(Kind.CALL_INDIRECT, none, [...args, index], '', 0),
  return_call_indirect: (index: Expr, args: readonly Expr[]) => new Expr(Kind.CALL_INDIRECT, none, [...args, index], '', 1),
  drop: (v: Expr) => new Expr(Kind.DROP, none, [v]),
  return: () => new Expr(Kind.RETURN, none, NOTHING),
  unreachable: () => new Expr(Kind.UNREACHABLE, none, NOTHING),
  select,
  unlikely: (cond: Expr) => new Expr(Kind.HINT, i32, [cond]),
  likely: (cond: Expr) => new Expr(Kind.HINT, i32, [cond], '', 1),
};
export type Wasm = typeof wasm;
