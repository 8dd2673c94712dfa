// A module wired to the shared memory and the function table: the frame of every module that we emit.
import type { Type } from '../ir/types.ts';
import type { RuntimeFunction } from '../runtime/abi.ts';
import { type Expr, type Wasm, wasm } from './wasm.ts';
import { f32, f64, i32, i64, none, type ValueType, v128 } from './wasm-types.ts';
import { functionText } from './wat.ts';
import { type ImportedFunction, ModuleWriter } from './writer.ts';

export type { Expr } from './wasm.ts';
export { f32, f64, i32, i64, none, type ValueType, v128 } from './wasm-types.ts';
export type WasmModule = Wasm;
export const wasmType: Record<Type, ValueType> = { i32, i64, f32, f64, v128 };

/** Type of every function in the table: (argument, cpu). */
const CODE_TYPE = { params: [i32, i32], result: none } as const;
const PAGES = { initial: 1, maximum: 65536 };

export class Emitter {
  readonly m: WasmModule = wasm;
  private readonly imported = new Map<string, ImportedFunction>();
  private readonly writer = new ModuleWriter(CODE_TYPE, PAGES);
  private readonly texts: Map<string, string> | undefined;

  /** `texts`: keep functions as text, for people. */
  constructor({ texts = false }: { readonly texts?: boolean } = {}) {
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
      this.writer.addImport(made);
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
    this.writer.addFunction(f);
    this.texts?.set(name, functionText(f));
  }

  /** A function as text. */
  text(name: string): string {
    return this.texts!.get(name)!;
  }

  /** The binary. */
  finish(): Uint8Array {
    return this.writer.finish();
  }

  /** As finish(), but the engine's own validator looks at the result (tests and build time). */
  finishChecked(): Uint8Array {
    const bytes = this.finish();
    new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    return bytes;
  }
}
