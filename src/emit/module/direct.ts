// The encoder of our own: writes the binary form of an expression as it walks its tree, and keeps nothing.
import {
  CODE_TYPE,
  type CodeFunction,
  ENVIRONMENT,
  type FunctionType,
  HINTS,
  type ImportedFunction,
  MEMORY_PAGES,
  type ModuleBuilder,
} from './builder.ts';
import { ByteWriter } from './bytes.ts';
import { type Expr, Kind } from './expressions.ts';
import type { Hint } from './hints.ts';
import { f32, i32, i64, none, type ValueType, v128 } from './types.ts';

const EMPTY = 0x40;
const FUNCREF = 0x70;
const SHARED = 3;
const scratch = new DataView(new ArrayBuffer(8));
/** A function, a section and a module while they are written, which is one at a time: a builder has memory of its own for what it keeps alone. */
const one = new ByteWriter();
const part = new ByteWriter();
const whole = new ByteWriter();

/** Log2 of the natural alignment of a plain access, by its opcode; the others are of 16 bytes. */
const NATURAL: Readonly<Record<number, number>> = {
  40: 2,
  41: 3,
  44: 0,
  45: 0,
  46: 1,
  47: 1,
  53: 2,
  54: 2,
  55: 3,
  58: 0,
  59: 1,
  60: 0,
  61: 1,
  62: 2,
  16580700: 2,
  16580701: 3,
};

class BodyWriter {
  private readonly w = one;
  private readonly labels: string[] = [];
  private readonly indexOf: ReadonlyMap<string, number>;
  private readonly tableType: number;
  /** What is known of branches, by their offsets; and offsets of calls of the module's own functions. */
  private hints: Hint[] = [];
  private own: Fixup[] = [];

  constructor(indexOf: ReadonlyMap<string, number>, tableType: number) {
    this.indexOf = indexOf;
    this.tableType = tableType;
  }

  /** Writes a function's locals and body, at the start of `one`. */
  write({ locals, body }: CodeFunction): { hints: readonly Hint[]; own: readonly Fixup[] } {
    const { w } = this;
    w.at = 0;
    this.labels.length = 0;
    this.hints = [];
    this.own = [];
    const runs: [number, ValueType][] = [];
    for (const type of locals) {
      const last = runs.at(-1);
      if (last !== undefined && last[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    w.unsigned(runs.length);
    for (const [count, type] of runs) {
      w.unsigned(count);
      w.byte(type);
    }
    this.expr(body);
    w.byte(0x0b);
    return { hints: this.hints, own: this.own };
  }

  private list(exprs: readonly Expr[]): void {
    for (let k = 0; k < exprs.length; k++) this.expr(exprs[k]!);
  }

  private end(): void {
    this.labels.pop();
    this.w.byte(0x0b);
  }

  /** A way of an `if`, which is a list itself. */
  private arm(e: Expr): void {
    if (e.kind === Kind.BLOCK && e.name === '') this.list(e.args);
    else this.expr(e);
  }

  /** The condition of a branch, which comes next. */
  private condition(e: Expr): void {
    if (e.kind !== Kind.HINT) return this.expr(e);
    this.expr(e.args[0]!);
    this.hints.push({ at: this.w.at, likely: e.n });
  }

  private access(e: Expr, natural: number): void {
    this.w.tagged(e.align >= 0 ? e.align : natural, e.data as number);
  }

  private expr(e: Expr): void {
    const { w } = this;
    switch (e.kind) {
      case Kind.OP:
        this.list(e.args);
        w.opcode(e.n);
        if (e.data !== undefined) w.copy(e.data as readonly number[]);
        return;
      case Kind.CONST:
        return this.constant(e);
      case Kind.GET:
        return w.tagged(0x20, e.n);
      case Kind.SET:
      case Kind.TEE:
        this.expr(e.args[0]!);
        return w.tagged(e.kind === Kind.SET ? 0x21 : 0x22, e.n);
      case Kind.LOAD:
      case Kind.STORE:
        this.list(e.args);
        w.opcode(e.n);
        return this.access(e, NATURAL[e.n] ?? 4);
      case Kind.ATOMIC:
        this.list(e.args);
        w.byte(0xfe);
        w.unsigned(e.n);
        return this.access(e, e.align);
      case Kind.BLOCK:
        if (e.name === '' && e.type === none) return this.list(e.args);
        w.tagged(0x02, e.type === none ? EMPTY : e.type);
        this.labels.push(e.name);
        this.list(e.args);
        return this.end();
      case Kind.LOOP:
        w.tagged(0x03, EMPTY);
        this.labels.push(e.name);
        this.expr(e.args[0]!);
        return this.end();
      case Kind.IF: {
        this.condition(e.args[0]!);
        w.tagged(0x04, e.type === none ? EMPTY : e.type);
        this.labels.push('');
        this.arm(e.args[1]!);
        if (e.args.length > 2) {
          w.byte(0x05);
          this.arm(e.args[2]!);
        }
        return this.end();
      }
      case Kind.BR: {
        const always = e.args.length === 0;
        if (!always) this.condition(e.args[0]!);
        const at = this.labels.lastIndexOf(e.name);
        if (at < 0) throw new Error(`no label ${e.name}`);
        return w.tagged(always ? 0x0c : 0x0d, this.labels.length - 1 - at);
      }
      case Kind.CALL: {
        this.list(e.args);
        w.byte(e.n === 0 ? 0x10 : 0x12);
        const index = this.indexOf.get(e.name);
        if (index !== undefined) return w.unsigned(index);
        this.own.push({ at: w.at, name: e.name });
        return w.padded();
      }
      case Kind.CALL_INDIRECT:
        this.list(e.args);
        w.byte(e.n === 0 ? 0x11 : 0x13);
        w.unsigned(this.tableType);
        return w.unsigned(0);
      case Kind.DROP:
        this.expr(e.args[0]!);
        return w.byte(0x1a);
      case Kind.RETURN:
        return w.byte(0x0f);
      case Kind.UNREACHABLE:
        return w.byte(0x00);
      case Kind.SELECT:
        this.list(e.args);
        // The short form knows the types of numbers only.
        return w.byte(0x1b);
      case Kind.HINT:
        return this.expr(e.args[0]!);
    }
  }

  private constant({ type, data }: Expr): void {
    const { w } = this;
    if (type === i32) {
      w.byte(0x41);
      return w.signed(data as number);
    }
    if (type === i64) {
      w.byte(0x42);
      return w.wide(data as bigint);
    }
    if (type === v128) {
      w.byte(0xfd);
      w.unsigned(0x0c);
      return w.copy(data as readonly number[]);
    }
    const bytes = type === f32 ? 4 : 8;
    if (type === f32) scratch.setFloat32(0, data as number, true);
    else scratch.setFloat64(0, data as number, true);
    w.byte(type === f32 ? 0x43 : 0x44);
    for (let k = 0; k < bytes; k++) w.byte(scratch.getUint8(k));
  }
}

interface Hinted {
  /** Number among the module's own functions. */
  readonly own: number;
  readonly hints: readonly Hint[];
}
/** A call of a function of the module itself, whose number is only known when all imports are. */
interface Fixup {
  readonly at: number;
  readonly name: string;
}

export class DirectBuilder implements ModuleBuilder {
  private readonly shapes: FunctionType[] = [];
  private readonly types = new Map<string, number>();
  private readonly importIndex = new Map<string, number>();
  private readonly imports: { readonly f: ImportedFunction; readonly type: number }[] = [];
  private readonly functions: { readonly name: string; readonly type: number }[] = [];
  private readonly code = new ByteWriter();
  private readonly body = new BodyWriter(this.importIndex, this.typeOf(CODE_TYPE));
  private readonly hinted: Hinted[] = [];
  private readonly fixups: Fixup[] = [];

  private typeOf(f: FunctionType): number {
    const key = `${f.params.join()}>${f.result}`;
    let index = this.types.get(key);
    if (index === undefined) {
      this.types.set(key, (index = this.shapes.length));
      this.shapes.push({ params: f.params, result: f.result });
    }
    return index;
  }

  addImport(f: ImportedFunction): void {
    this.importIndex.set(f.name, this.imports.length);
    this.imports.push({ f, type: this.typeOf(f) });
  }

  addFunction(f: CodeFunction): void {
    const { code } = this;
    const { hints, own } = this.body.write(f);
    if (hints.length > 0) this.hinted.push({ own: this.functions.length, hints });
    code.unsigned(one.at);
    for (const { at, name } of own) this.fixups.push({ at: code.at + at, name });
    code.copy(one.done());
    this.functions.push({ name: f.name, type: this.typeOf(f) });
  }

  /** Adds and exports a function that is written already: its locals and body, and what is known of its branches. */
  addCode(name: string, type: FunctionType, bytes: Uint8Array, hints: readonly Hint[]): void {
    const { code } = this;
    if (hints.length > 0) this.hinted.push({ own: this.functions.length, hints });
    code.unsigned(bytes.length);
    code.copy(bytes);
    this.functions.push({ name, type: this.typeOf(type) });
  }

  finish(): Uint8Array {
    const { imports, functions, code } = this;
    const out = whole;
    out.at = 0;
    const section = (id: number, write: (w: ByteWriter) => void) => {
      part.at = 0;
      write(part);
      out.tagged(id, part.at);
      out.copy(part.done());
    };
    const indexOf = new Map(functions.map(({ name }, k) => [name, imports.length + k]));
    for (const { at, name } of this.fixups) {
      const index = indexOf.get(name);
      if (index === undefined) throw new Error(`no function ${name}`);
      code.patch(at, index);
    }
    out.copy([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    section(1, (w) => {
      w.unsigned(this.shapes.length);
      for (const { params, result } of this.shapes) {
        w.byte(0x60);
        w.unsigned(params.length);
        w.copy(params);
        w.unsigned(result === none ? 0 : 1);
        if (result !== none) w.byte(result);
      }
    });
    section(2, (w) => {
      w.unsigned(imports.length + 2);
      w.text(ENVIRONMENT.module);
      w.text(ENVIRONMENT.memory);
      w.byte(2);
      w.byte(SHARED);
      w.unsigned(MEMORY_PAGES.initial);
      w.unsigned(MEMORY_PAGES.maximum);
      w.text(ENVIRONMENT.module);
      w.text(ENVIRONMENT.table);
      w.byte(1);
      w.byte(FUNCREF);
      w.byte(0);
      w.unsigned(1);
      for (const { f, type } of imports) {
        w.text(f.module);
        w.text(f.base);
        w.byte(0);
        w.unsigned(type);
      }
    });
    section(3, (w) => {
      w.unsigned(functions.length);
      for (const { type } of functions) w.unsigned(type);
    });
    section(7, (w) => {
      w.unsigned(functions.length);
      functions.forEach(({ name }, k) => {
        w.text(name);
        w.byte(0);
        w.unsigned(imports.length + k);
      });
    });
    section(0, (w) => {
      w.text(HINTS);
      w.unsigned(this.hinted.length);
      for (const { own, hints } of this.hinted) {
        w.unsigned(imports.length + own);
        w.unsigned(hints.length);
        for (const { at, likely } of hints) {
          w.unsigned(at);
          w.byte(1);
          w.byte(likely);
        }
      }
    });
    part.at = 0;
    part.unsigned(functions.length);
    out.tagged(10, part.at + code.at);
    out.copy(part.done());
    out.copy(code.done());
    return out.bytes.slice(0, out.at);
  }
}
