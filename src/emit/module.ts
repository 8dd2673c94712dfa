// A module wired to the shared memory and the function table: the frame of every module that we emit.
import type { Type } from '../ir/types.ts';
import { type Exported, type RuntimeFunction, runtime } from '../runtime/abi.ts';
import { CODE_TYPE, type ImportedFunction, type ModuleBuilder } from './module/builder.ts';
import { DirectBuilder } from './module/direct.ts';
import { type Expr, type Wasm, wasm } from './module/expressions.ts';
import { type FunctionLine, functionLines, operationsOf } from './module/text.ts';
import { f32, f64, i32, i64, none, type ValueType, v128 } from './module/types.ts';

export type { Expr } from './module/expressions.ts';
export { f32, f64, i32, i64, none, type ValueType, v128 } from './module/types.ts';
export type WasmModule = Wasm;
export const wasmType: Record<Type, ValueType> = { i32, i64, f32, f64, v128 };

/** An import as Emitter makes it. `name`: 'runtime.NAME', of the runtime, or 'code.NAME', of the handlers' module. Throws where the runtime has no such function. */
export function importNamed(name: string): ImportedFunction {
  const at = name.indexOf('.');
  const [module, base] = [name.slice(0, at), name.slice(at + 1)];
  if (module === 'code') return { ...CODE_TYPE, name, module, base };
  const known = (runtime as Readonly<Record<string, Exported>>)[base];
  if (module !== 'runtime' || known === undefined) throw new Error(`there is no ${name}`);
  return {
    name,
    module,
    base,
    params: known.params.map((type) => wasmType[type]),
    result: known.result === undefined ? none : wasmType[known.result],
  };
}

export interface EmitterOptions {
  readonly texts?: boolean;
  readonly notes?: boolean;
  readonly builder?: ModuleBuilder;
}

/** A function for people. */
export interface FunctionText {
  readonly lines: readonly FunctionLine[];
  readonly operations: number;
}

export class Emitter {
  readonly m: WasmModule = wasm;
  private readonly imported = new Map<string, ImportedFunction>();
  private readonly builder: ModuleBuilder;
  private readonly texts: Map<string, FunctionText> | undefined;
  /** Statements of a region say whose they are. */
  readonly notes: boolean;

  /** `texts`: keep functions as text, for people. `notes`: with the instructions that lines are of. */
  constructor({ texts = false, notes = false, builder = new DirectBuilder() }: EmitterOptions = {}) {
    this.builder = builder;
    this.notes = notes;
    this.texts = texts || notes ? new Map() : undefined;
  }

  /** Statements of the instruction at an EIP; undefined: of none. */
  noted(eip: number | undefined, list: Expr[]): Expr[] {
    return this.notes && eip !== undefined && list.length > 0 ? [this.m.noted(eip, list)] : list;
  }

  /** Name, inside the module, of a function of the runtime. */
  runtime({ name }: RuntimeFunction): string {
    return this.import(name, 'runtime');
  }
  /** Name, inside the module, of a function of the handlers' module. */
  code(name: 'dispatch' | 'raise' | 'link'): string {
    return this.import(name, 'code');
  }
  private import(base: string, module: 'runtime' | 'code'): string {
    let known = this.imported.get(base);
    if (known === undefined) {
      this.imported.set(base, (known = importNamed(`${module}.${base}`)));
      this.builder.addImport(known);
    }
    return known.name;
  }

  /** Adds a table function and exports it. */
  addCode(name: string, locals: readonly ValueType[], body: Expr): void {
    this.addFunction(name, CODE_TYPE.params, locals, body);
  }
  /** Adds and exports a function. */
  addFunction(name: string, params: readonly ValueType[], locals: readonly ValueType[], body: Expr): void {
    const f = { name, params, result: none, locals, body };
    this.builder.addFunction(f);
    this.texts?.set(name, { lines: functionLines(f), operations: operationsOf(body) });
  }

  /** A function as text. */
  text(name: string): string {
    return this.linesOf(name)
      .lines.map(({ text }) => text)
      .join('\n');
  }
  /** The same as lines, and how many operations they are. */
  linesOf(name: string): FunctionText {
    return this.texts!.get(name)!;
  }

  /** The binary. */
  finish(): Uint8Array {
    return this.builder.finish();
  }

  /** As finish(), but the engine's own validator looks at the result (tests and build time). */
  finishChecked(): Uint8Array {
    const bytes = this.finish();
    new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    return bytes;
  }
}
