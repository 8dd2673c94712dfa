// The encoder that is Binaryen: its expressions are built from ours through its C API, and it writes them.
//
// What costs is the number of its expressions, and whatever walks over them. So strings and types are interned once; constants and locals are shared by all
// that use them, which only passes would mind, and there are none; blocks get their types from us, and their children one by one, because Binaryen's own
// search for what makes a block unreachable walks all of it again at each level. Code behind what never goes on is left out, as Binaryen's writer would, so that
// its binary has the branches that were built, in the same order, which is how those with hints are found in it (hints.ts): its C API knows no hints.
// All memory of a module is given back at its end, but for names: Binaryen keeps each for good. Labels are named by their depth, and exported functions
// by their slots, of which there are so many.
import type { Binaryen, Pointer, Ref } from './binaryen-api.ts';
import { binaryenOperators, Shape } from './binaryen-operators.ts';
import {
  CODE_TYPE,
  type CodeFunction,
  ENVIRONMENT,
  type ImportedFunction,
  type MakeBuilder,
  MEMORY_PAGES,
  type ModuleBuilder,
} from './builder.ts';
import { type Expr, Kind } from './expressions.ts';
import { type Branches, type Hint, withHints } from './hints.ts';
import { f32, f64, i32, i64, none, type ValueType, v128 } from './types.ts';

/** Without reference types, which nothing of ours has, the writer need not look for them. */
const FEATURES = ['Atomics', 'TailCall', 'SignExt', 'SIMD128', 'NontrappingFPToInt'];
const SCRATCH_BYTES = 1 << 14;
const NULL: Pointer = 0;
const UNLIMITED = 0xffffffff;

/** A plain access, by its opcode. */
interface Access {
  readonly bytes: number;
  readonly signed: number;
  readonly type: ValueType;
  /** A lane of a vector whose others become 0: of so many bits. */
  readonly zero?: 32 | 64;
}
const access = (type: ValueType, bytes: number, signed = 0): Access => ({ type, bytes, signed });
const ACCESSES: Readonly<Record<number, Access>> = {
  40: access(i32, 4),
  41: access(i64, 8),
  44: access(i32, 1, 1),
  45: access(i32, 1),
  46: access(i32, 2, 1),
  47: access(i32, 2),
  53: access(i64, 4),
  54: access(i32, 4),
  55: access(i64, 8),
  58: access(i32, 1),
  59: access(i32, 2),
  60: access(i64, 1),
  61: access(i64, 2),
  62: access(i64, 4),
  16580608: access(v128, 16),
  16580619: access(v128, 16),
  16580700: { ...access(v128, 4), zero: 32 },
  16580701: { ...access(v128, 8), zero: 64 },
};
// Atomic opcodes: seven widths of each operation.
const ATOMICS = [access(i32, 4), access(i64, 8), access(i32, 1), access(i32, 2), access(i64, 1), access(i64, 2), access(i64, 4)];
const WIDTHS = ATOMICS.length;
const ATOMIC = { LOAD: 0x10, STORE: 0x17, RMW: 0x1e, CMPXCHG: 0x48 } as const;

/** Whether code behind it is never reached: where Binaryen gives it the type of what is unreachable. Blocks have the types that we say. */
function ends(e: Expr): boolean {
  switch (e.kind) {
    case Kind.BR:
      return e.args.length === 0;
    case Kind.RETURN:
    case Kind.UNREACHABLE:
      return true;
    case Kind.CALL:
    case Kind.CALL_INDIRECT:
      return e.n === 1;
    case Kind.IF:
      return e.args[2] !== undefined && ends(e.args[1]!) && ends(e.args[2]);
    case Kind.LOOP:
      return ends(e.args[0]!);
    default:
      return false;
  }
}

/** What all modules of a thread have in common. */
class Library {
  readonly api: Binaryen;
  readonly types: Readonly<Record<ValueType, number>>;
  readonly operators;
  readonly features: number;
  readonly order: number;
  /** Operators of read-modify-write, in the order of their opcodes. */
  readonly rmw: readonly number[];
  /** Numbers of loads of a lane, by its bits. */
  readonly zeroing: Readonly<Record<32 | 64, number>>;
  /** For lists of operands, and for what comes back. */
  readonly scratch: Pointer;
  readonly literal: Pointer;
  readonly word: Pointer;
  /** Name and parameters of what the table holds. */
  readonly table: Pointer;
  readonly codeParams: number;
  private readonly strings = new Map<string, Pointer>();
  private readonly labels: Pointer[] = [];
  private readonly tuples = new Map<string, number>();

  constructor(api: Binaryen) {
    this.api = api;
    this.types = {
      [none]: api._BinaryenTypeNone(),
      [i32]: api._BinaryenTypeInt32(),
      [i64]: api._BinaryenTypeInt64(),
      [f32]: api._BinaryenTypeFloat32(),
      [f64]: api._BinaryenTypeFloat64(),
      [v128]: api._BinaryenTypeVec128(),
    };
    this.operators = binaryenOperators(api);
    this.features = FEATURES.reduce((all, name) => all | api.Features[name]!, 0);
    this.zeroing = { 32: api.Load32ZeroVec128 as number, 64: api.Load64ZeroVec128 as number };
    this.order = api._BinaryenMemoryOrderSeqCst();
    this.rmw = ['Add', 'Sub', 'And', 'Or', 'Xor', 'Xchg'].map((name) => api[`AtomicRMW${name}`] as number);
    this.scratch = api._malloc(SCRATCH_BYTES);
    this.literal = api._malloc(api._BinaryenSizeofLiteral());
    this.word = api._malloc(api._BinaryenSizeofLiteral());
    api._BinaryenLiteralInt32(this.word, 0);
    this.table = this.string(ENVIRONMENT.table);
    this.codeParams = this.tuple(CODE_TYPE.params);
  }

  /** A C string; kept for good. */
  string(text: string): Pointer {
    let at = this.strings.get(text);
    if (at === undefined) {
      const bytes = new TextEncoder().encode(text);
      at = this.api._malloc(bytes.length + 1);
      bytes.forEach((byte, k) => this.api.__i32_store8(at! + k, byte));
      this.api.__i32_store8(at + bytes.length, 0);
      this.strings.set(text, at);
    }
    return at;
  }

  /** The label of a block that is so deep. */
  label(depth: number): Pointer {
    return (this.labels[depth] ??= this.string(`L${depth}`));
  }

  tuple(list: readonly ValueType[]): number {
    const key = list.join();
    let type = this.tuples.get(key);
    if (type === undefined) {
      list.forEach((item, k) => this.api.__i32_store(this.scratch + 4 * k, this.types[item]));
      this.tuples.set(key, (type = this.api._BinaryenTypeCreate(this.scratch, list.length)));
    }
    return type;
  }

  copyOut(at: Pointer, bytes: number): Uint8Array {
    const words = new Int32Array((bytes + 3) >> 2);
    for (let k = 0; k < words.length; k++) words[k] = this.api.__i32_load(at + 4 * k);
    return new Uint8Array(words.buffer, 0, bytes);
  }
}

class BinaryenBuilder implements ModuleBuilder {
  private readonly lib: Library;
  private readonly api: Binaryen;
  private readonly m: Pointer;
  private readonly labels: string[] = [];
  private readonly words = new Map<number, Ref>();
  private readonly wide = new Map<bigint, Ref>();
  private readonly functions: Branches[] = [];
  private imports = 0;
  /** Of the function that is built. */
  private gets: Ref[] = [];
  private hints: Hint[] = [];
  private branches = 0;

  constructor(lib: Library) {
    this.lib = lib;
    const { api } = lib;
    this.api = api;
    const m = api._BinaryenModuleCreate();
    this.m = m;
    api._BinaryenModuleSetFeatures(m, lib.features);
    const [env, memory, table] = [ENVIRONMENT.module, ENVIRONMENT.memory, ENVIRONMENT.table].map((name) => lib.string(name)) as [
      Pointer,
      Pointer,
      Pointer,
    ];
    const { initial, maximum } = MEMORY_PAGES;
    api._BinaryenSetMemory(m, initial, maximum, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 0, memory);
    api._BinaryenAddMemoryImport(m, memory, env, memory, 1);
    api._BinaryenAddTable(m, table, 1, UNLIMITED, api._BinaryenTypeFuncref(), NULL);
    api._BinaryenAddTableImport(m, table, env, table);
  }

  addImport({ name, module, base, params, result }: ImportedFunction): void {
    const { lib } = this;
    this.imports++;
    const [internal, from, as] = [lib.string(name), lib.string(module), lib.string(base)];
    this.api._BinaryenAddFunctionImport(this.m, internal, from, as, lib.tuple(params), lib.types[result]);
  }

  addFunction({ name, params, result, locals, body }: CodeFunction): void {
    const { lib, api, m } = this;
    this.gets = [];
    this.hints = [];
    this.branches = 0;
    this.labels.length = 0;
    const root = this.expr(body);
    const internal = lib.string(name);
    const to = locals.length * 4 > SCRATCH_BYTES ? api._malloc(locals.length * 4) : lib.scratch;
    for (let k = 0; k < locals.length; k++) api.__i32_store(to + 4 * k, lib.types[locals[k]!]);
    api._BinaryenAddFunction(m, internal, lib.tuple(params), lib.types[result], to, locals.length, root);
    if (to !== lib.scratch) api._free(to);
    api._BinaryenAddFunctionExport(m, internal, internal);
    this.functions.push({ hints: this.hints, count: this.branches });
  }

  finish(): Uint8Array {
    const { lib, api, m } = this;
    api._BinaryenModuleAllocateAndWrite(lib.scratch, m, NULL);
    api._BinaryenModuleDispose(m);
    const at = api.__i32_load(lib.scratch);
    const bytes = api.__i32_load(lib.scratch + 4);
    const out = lib.copyOut(at, bytes);
    api._free(at);
    return withHints(out, this.imports, this.functions);
  }

  /** Builds the operands of a call; the address of their list. */
  private operands(args: readonly Expr[], count: number): Pointer {
    const refs: Ref[] = [];
    for (let k = 0; k < count; k++) refs.push(this.expr(args[k]!));
    for (let k = 0; k < count; k++) this.api.__i32_store(this.lib.scratch + 4 * k, refs[k]!);
    return this.lib.scratch;
  }

  /** Puts a list behind a block's children; true where it never comes to its end. */
  private append(block: Ref, list: readonly Expr[]): boolean {
    for (let k = 0; k < list.length; k++) {
      const e = list[k]!;
      if (e.kind === Kind.BLOCK && e.name === '' && e.type === none) {
        if (this.append(block, e.args)) return true;
      } else {
        this.api._BinaryenBlockAppendChild(block, this.expr(e));
        if (ends(e)) return true;
      }
    }
    return false;
  }

  private within(label: string, make: () => Ref): Ref {
    this.labels.push(label);
    const made = make();
    this.labels.pop();
    return made;
  }

  /** The condition of a branch, which comes next in the binary. */
  private condition(e: Expr): Ref {
    const ref = this.expr(e.kind === Kind.HINT ? e.args[0]! : e);
    if (e.kind === Kind.HINT) this.hints.push({ at: this.branches, likely: e.n });
    this.branches++;
    return ref;
  }

  private expr(e: Expr): Ref {
    const { api, lib, m } = this;
    const { args } = e;
    switch (e.kind) {
      case Kind.OP:
        return this.operator(e);
      case Kind.CONST:
        return this.constant(e);
      case Kind.GET:
        return (this.gets[e.n] ??= api._BinaryenLocalGet(m, e.n, lib.types[e.type]));
      case Kind.SET:
        return api._BinaryenLocalSet(m, e.n, this.expr(args[0]!));
      case Kind.TEE:
        return api._BinaryenLocalTee(m, e.n, this.expr(args[0]!), lib.types[e.type]);
      case Kind.LOAD: {
        const { bytes, signed, type, zero } = ACCESSES[e.n]!;
        const align = e.align >= 0 ? 1 << e.align : bytes;
        if (zero !== undefined) return api._BinaryenSIMDLoad(m, lib.zeroing[zero], e.data as number, align, this.expr(args[0]!), NULL);
        return api._BinaryenLoad(m, bytes, signed, e.data as number, align, lib.types[type], this.expr(args[0]!), NULL);
      }
      case Kind.STORE: {
        const { bytes, type } = ACCESSES[e.n]!;
        const align = e.align >= 0 ? 1 << e.align : bytes;
        const at = this.expr(args[0]!);
        return api._BinaryenStore(m, bytes, e.data as number, align, at, this.expr(args[1]!), lib.types[type], NULL);
      }
      case Kind.ATOMIC:
        return this.atomic(e);
      case Kind.BLOCK: {
        const named = e.name !== '';
        if (named) this.labels.push(e.name);
        const block = api._BinaryenBlock(m, named ? lib.label(this.labels.length - 1) : NULL, NULL, 0, lib.types[e.type]);
        this.append(block, args);
        if (named) this.labels.pop();
        return block;
      }
      case Kind.LOOP: {
        const label = lib.label(this.labels.length);
        return api._BinaryenLoop(
          m,
          label,
          this.within(e.name, () => this.expr(args[0]!)),
        );
      }
      case Kind.IF: {
        const condition = this.condition(args[0]!);
        const then = this.expr(args[1]!);
        return api._BinaryenIf(m, condition, then, args[2] === undefined ? NULL : this.expr(args[2]));
      }
      case Kind.BR: {
        const at = this.labels.lastIndexOf(e.name);
        if (at < 0) throw new Error(`no label ${e.name}`);
        if (args[0] === undefined) return api._BinaryenBreak(m, lib.label(at), NULL, NULL);
        return api._BinaryenBreak(m, lib.label(at), this.condition(args[0]), NULL);
      }
      case Kind.CALL: {
        const operands = this.operands(args, args.length);
        const target = lib.string(e.name);
        if (e.n === 0) return api._BinaryenCall(m, target, operands, args.length, lib.types[e.type]);
        return api._BinaryenReturnCall(m, target, operands, args.length, lib.types[none]);
      }
      case Kind.CALL_INDIRECT: {
        const count = args.length - 1;
        const target = this.expr(args[count]!);
        const operands = this.operands(args, count);
        const call = e.n === 0 ? api._BinaryenCallIndirect : api._BinaryenReturnCallIndirect;
        return call(m, lib.table, target, operands, count, lib.codeParams, lib.types[CODE_TYPE.result]);
      }
      case Kind.DROP:
        return api._BinaryenDrop(m, this.expr(args[0]!));
      case Kind.RETURN:
        return api._BinaryenReturn(m, NULL);
      case Kind.UNREACHABLE:
        return api._BinaryenUnreachable(m);
      case Kind.SELECT: {
        const then = this.expr(args[0]!);
        const otherwise = this.expr(args[1]!);
        return api._BinaryenSelect(m, this.expr(args[2]!), then, otherwise);
      }
      case Kind.HINT:
        return this.expr(args[0]!);
    }
  }

  private operator(e: Expr): Ref {
    const { api, lib, m } = this;
    const { args } = e;
    const { shape, op } = lib.operators.get(e.n)!;
    const a = this.expr(args[0]!);
    const lane = () => (e.data as readonly number[])[0]!;
    switch (shape) {
      case Shape.UNARY:
        return api._BinaryenUnary(m, op, a);
      case Shape.BINARY:
        return api._BinaryenBinary(m, op, a, this.expr(args[1]!));
      case Shape.SHIFT:
        return api._BinaryenSIMDShift(m, op, a, this.expr(args[1]!));
      case Shape.EXTRACT:
        return api._BinaryenSIMDExtract(m, op, a, lane());
      case Shape.REPLACE:
        return api._BinaryenSIMDReplace(m, op, a, lane(), this.expr(args[1]!));
      case Shape.TERNARY: {
        const b = this.expr(args[1]!);
        return api._BinaryenSIMDTernary(m, op, a, b, this.expr(args[2]!));
      }
      case Shape.SHUFFLE: {
        const b = this.expr(args[1]!);
        return api._BinaryenSIMDShuffle(m, a, b, this.vector(e.data as readonly number[]));
      }
    }
  }

  private atomic(e: Expr): Ref {
    const { api, lib, m } = this;
    const { args } = e;
    const offset = e.data as number;
    const { bytes, type } = ATOMICS[(e.n - ATOMIC.LOAD) % WIDTHS]!;
    const at = this.expr(args[0]!);
    if (e.n < ATOMIC.STORE) return api._BinaryenAtomicLoad(m, bytes, offset, lib.types[type], at, NULL, lib.order);
    const value = this.expr(args[1]!);
    if (e.n < ATOMIC.RMW) return api._BinaryenAtomicStore(m, bytes, offset, at, value, lib.types[type], NULL, lib.order);
    if (e.n < ATOMIC.CMPXCHG) {
      const op = lib.rmw[Math.trunc((e.n - ATOMIC.RMW) / WIDTHS)]!;
      return api._BinaryenAtomicRMW(m, op, bytes, offset, at, value, lib.types[type], NULL, lib.order);
    }
    return api._BinaryenAtomicCmpxchg(m, bytes, offset, at, value, this.expr(args[2]!), lib.types[type], NULL, lib.order);
  }

  /** Sixteen bytes; their address. */
  private vector(bytes: readonly number[]): Pointer {
    for (let k = 0; k < bytes.length; k++) this.api.__i32_store8(this.lib.scratch + k, bytes[k]!);
    return this.lib.scratch;
  }

  private constant({ type, data }: Expr): Ref {
    const { api, lib, m, words, wide } = this;
    if (type === i32) {
      let ref = words.get(data as number);
      if (ref === undefined) {
        api.__i32_store(lib.word + 8, data as number);
        words.set(data as number, (ref = api._BinaryenConst(m, lib.word)));
      }
      return ref;
    }
    if (type === i64) {
      let ref = wide.get(data as bigint);
      if (ref === undefined) {
        api._BinaryenLiteralInt64(lib.literal, data as bigint);
        wide.set(data as bigint, (ref = api._BinaryenConst(m, lib.literal)));
      }
      return ref;
    }
    if (type === f32) api._BinaryenLiteralFloat32(lib.literal, data as number);
    else if (type === f64) api._BinaryenLiteralFloat64(lib.literal, data as number);
    else api._BinaryenLiteralVec128(lib.literal, this.vector(data as readonly number[]));
    return api._BinaryenConst(m, lib.literal);
  }
}

/** Makes builders that share what can be shared. */
export function binaryenBuilders(binaryen: Binaryen): MakeBuilder {
  const lib = new Library(binaryen);
  return () => new BinaryenBuilder(lib);
}
