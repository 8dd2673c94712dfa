// What makes a module of functions: an interface, for which there are two encoders (direct.ts, binaryen.ts). Both give the same module for the same
// input: valid, of the same behaviour, with the same hints.
import type { Expr } from './expressions.ts';
import { i32, none, type ValueType } from './types.ts';

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly result: ValueType;
}
export interface ImportedFunction extends FunctionType {
  /** What calls inside the module name. */
  readonly name: string;
  readonly module: string;
  readonly base: string;
}
export interface CodeFunction extends FunctionType {
  readonly name: string;
  /** Beyond the parameters. */
  readonly locals: readonly ValueType[];
  readonly body: Expr;
}

/** Type of the functions in the table: (argument, cpu). */
export const CODE_TYPE: FunctionType = { params: [i32, i32], result: none };
/** Pages of the imported memory. */
export const MEMORY_PAGES = { initial: 1, maximum: 65536 } as const;
/** Where memory and table are imported from. */
export const ENVIRONMENT = { module: 'env', memory: 'memory', table: 'table' } as const;
/** WebAssembly branch hinting: engines lay unlikely ways out of line and spill nothing for them on the hot path. */
export const HINTS = 'metadata.code.branch_hint';

/**
 * A module in the making: it imports the shared memory (`env.memory`) and the function table (`env.table`), and has a section HINTS for what
 * is known of its branches. Imports must be known before the functions that call them; functions of the module itself may be called before they are added.
 */
export interface ModuleBuilder {
  addImport(f: ImportedFunction): void;
  /** Adds and exports a function. Its tree is used at once and need not be kept. */
  addFunction(f: CodeFunction): void;
  /** The binary. The builder is at its end. */
  finish(): Uint8Array;
}

/** Names of the encoders, as options have them. */
export type EncoderName = 'binaryen' | 'direct';
export const ENCODERS: readonly EncoderName[] = ['binaryen', 'direct'];
export type MakeBuilder = () => ModuleBuilder;
