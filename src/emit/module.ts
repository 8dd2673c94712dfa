// A binaryen module wired to the shared memory and the function table: the frame of every module that we emit.
// emit/ alone knows binaryen.
import binaryen from 'binaryen';
import type { Type } from '../ir/types.ts';
import { addBranchHints } from './hints.ts';

export type Expr = binaryen.ExpressionRef;
export type WasmModule = binaryen.Module;
export const { i32, i64, f32, f64, v128, none } = binaryen;
export const wasmType: Record<Type, binaryen.Type> = { i32, i64, f32, f64, v128 };

/** Type of every function in the table: (argument, cpu). */
export const CODE_TYPE = binaryen.createType([i32, i32]);
export const TABLE = 'table';
const MEMORY = 'memory';

// One by one: "all features" would emit import forms that older engines reject.
const F = binaryen.Features;
const FEATURES =
  F.Atomics | F.MutableGlobals | F.TailCall | F.ReferenceTypes | F.SignExt | F.BulkMemory | F.SIMD128 | F.NontrappingFPToInt | F.Multivalue;

export class Emitter {
  /** Loads and stores name no memory: there is one, and names cost time at each. */
  readonly m: WasmModule = new binaryen.Module();
  private readonly imported = new Map<string, string>();
  private readonly exported: string[] = [];

  constructor() {
    const { m } = this;
    m.setFeatures(FEATURES);
    m.setMemory(1, 65536, null, [], true, false, MEMORY);
    m.addMemoryImport(MEMORY, 'env', 'memory', true);
    m.addTable(TABLE, 1, -1);
    m.addTableImport(TABLE, 'env', 'table');
  }

  /** Name, inside the module, of an imported function of the runtime, or (module 'code') of the handlers' module. */
  import(name: string, params: readonly binaryen.Type[], result: binaryen.Type, module = 'runtime'): string {
    const inner = `${module}.${name}`;
    const shape = `${params.length}:${result}`;
    const known = this.imported.get(name);
    if (known !== undefined && known !== shape) throw new Error(`import ${name} is used with two signatures`);
    if (known === undefined) {
      this.imported.set(name, shape);
      this.m.addFunctionImport(inner, module, name, binaryen.createType([...params]), result);
    }
    return inner;
  }

  /** Adds a table function and exports it. */
  addCode(name: string, locals: binaryen.Type[], body: Expr): void {
    this.m.addFunction(name, CODE_TYPE, none, locals, body);
    this.m.addFunctionExport(name, name);
    this.exported.push(name);
  }

  /** A function as text, for people. */
  text(name: string): string {
    const lines = this.m.emitText().split('\n');
    const start = lines.findIndex((line) => line.startsWith(` (func $${name} `));
    const end = lines.indexOf(' )', start);
    return lines
      .slice(start, end + 1)
      .join('\n')
      .replace(/^ /gm, '');
  }

  /** The binary; the module is gone afterwards. */
  finish(): Uint8Array {
    const bytes = this.m.emitBinary();
    this.m.dispose();
    return addBranchHints(bytes);
  }

  /** As finish(), but the engine's own validator looks at the result (tests and build time). */
  finishChecked(): Uint8Array {
    const bytes = this.finish();
    new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    return bytes;
  }
}
