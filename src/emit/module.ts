// A module wired to the shared memory and the function table: the frame of every module that we emit.
import type { Type } from '../ir/types.ts';
import type { RuntimeFunction } from '../runtime/abi.ts';
import { CODE_TYPE, type ImportedFunction, type ModuleBuilder } from './module/builder.ts';
import { DirectBuilder } from './module/direct.ts';
import { type Expr, type Wasm, wasm } from './module/expressions.ts';
import { functionText } from './module/text.ts';
import { f32, f64, i32, i64, none, type ValueType, v128 } from './module/types.ts';

export type { Expr } from './module/expressions.ts';
export { f32, f64, i32, i64, none, type ValueType, v128 } from './module/types.ts';
export type WasmModule = Wasm;
export const wasmType: Record<Type, ValueType> = { i32, i64, f32, f64, v128 };

export class Emitter {
  readonly m: WasmModule = wasm;
  private readonly imported = new Map<string, ImportedFunction>();
  private readonly builder: ModuleBuilder;
  private readonly texts: Map<string, string> | undefined;

  /** `texts`: keep functions as text, for people. */
  constructor({ texts = false, builder = new DirectBuilder() }: { readonly texts?: boolean; readonly builder?: ModuleBuilder } = {}) {
    this.builder = builder;
    this.texts = texts ? new Map() : undefined;
  }

  /** Name, inside the module, of a function of the runtime. */
  runtime({ name, params, result }: RuntimeFunction): string {
    const known = this.imported.get(name);
    if (known !== undefined) return known.name;
    const types = params.map((type) => wasmType[type]);
    return this.import(name, types, result === undefined ? none : wasmType[result], 'runtime');
  }
  /** Name, inside the module, of a function of the handlers' module. */
  code(name: 'dispatch' | 'raise'): string {
    return this.import(name, [i32, i32], none, 'code');
  }
  private import(base: string, params: readonly ValueType[], result: ValueType, module: 'runtime' | 'code'): string {
    const known = this.imported.get(base);
    if (known === undefined) {
      const made = { name: `${module}.${base}`, module, base, params, result };
      this.imported.set(base, made);
      this.builder.addImport(made);
      return made.name;
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
    this.texts?.set(name, functionText(f));
  }

  /** A function as text. */
  text(name: string): string {
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
