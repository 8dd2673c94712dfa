// Whether the compiled runtime has what src/runtime/abi.ts declares, with the same types, and asks the host for what src/runtime/host.ts declares, and for nothing else.
import { readFileSync } from 'node:fs';
import binaryen from 'binaryen';
import type { Exported } from '../src/runtime/abi.ts';
import type { HostFunction } from '../src/runtime/host.ts';

const TYPES = new Map<number, string>([
  [binaryen.i32, 'i32'],
  [binaryen.i64, 'i64'],
  [binaryen.f32, 'f32'],
  [binaryen.f64, 'f64'],
  [binaryen.v128, 'v128'],
]);
const typesOf = (type: number) => [...binaryen.expandType(type)].map((part) => TYPES.get(part) ?? 'another type').join(' ');

/** Functions of a module that somebody else calls or has, by name: "i32 i32 -> i32". */
export interface Interface {
  readonly exported: ReadonlyMap<string, string>;
  /** Those of the import module "host". */
  readonly imported: ReadonlyMap<string, string>;
}

export function interfaceOf(bytes: Uint8Array): Interface {
  const module = binaryen.readBinary(bytes);
  const typeOf = ({ params, results }: binaryen.FunctionInfo) => `${typesOf(params)} -> ${typesOf(results)}`;
  try {
    const exported = new Map<string, string>();
    for (let i = 0; i < module.getNumExports(); i++) {
      const { kind, name, value } = binaryen.getExportInfo(module.getExportByIndex(i));
      if (kind !== binaryen.ExternalFunction) continue;
      exported.set(name, typeOf(binaryen.getFunctionInfo(module.getFunction(value))));
    }
    const imported = new Map<string, string>();
    for (let i = 0; i < module.getNumFunctions(); i++) {
      const info = binaryen.getFunctionInfo(module.getFunctionByIndex(i));
      if (info.module === 'host') imported.set(info.base!, typeOf(info));
    }
    return { exported, imported };
  } finally {
    module.dispose();
  }
}

/** What is wrong, a line each: functions that the runtime lacks, or has with other types. */
export function abiErrors(declared: readonly Exported[], { exported }: Interface): string[] {
  return declared.flatMap(({ name, params, result }) => {
    const want = `${params.join(' ')} -> ${result ?? ''}`;
    const have = exported.get(name);
    if (have === want) return [];
    return have === undefined ? [`${name}: not exported`] : [`${name}: exported as (${have}), declared as (${want})`];
  });
}

/** The same for what it asks the host: also functions that nobody declared, or that it never calls. */
export function hostErrors(declared: Readonly<Record<string, HostFunction>>, { imported }: Interface): string[] {
  const wasm = (type: string) => (type === 'u64' ? 'i64' : 'i32');
  const errors = Object.entries(declared).flatMap(([name, { params, result }]) => {
    const want = `${params.map(({ type }) => wasm(type)).join(' ')} -> ${result === undefined ? '' : wasm(result)}`;
    const have = imported.get(name);
    if (have === want) return [];
    return have === undefined ? [`host ${name}: nobody calls it`] : [`host ${name}: imported as (${have}), declared as (${want})`];
  });
  for (const name of imported.keys()) if (!Object.hasOwn(declared, name)) errors.push(`host ${name}: not declared`);
  return errors;
}

/** Throws where the compiled runtime at `path` is not what is declared. */
export function checkAbi(functions: readonly Exported[], host: Readonly<Record<string, HostFunction>>, path: string): void {
  const compiled = interfaceOf(readFileSync(path));
  const errors = [...abiErrors(functions, compiled), ...hostErrors(host, compiled)];
  if (errors.length > 0) throw new Error(`src/runtime and the compiled runtime differ:\n  ${errors.join('\n  ')}`);
}
