// Whether the compiled runtime has what src/runtime/abi.ts declares, with the same types.
import { readFileSync } from 'node:fs';
import binaryen from 'binaryen';
import type { RuntimeFunction } from '../src/runtime/abi.ts';

const TYPES = new Map<number, string>([
  [binaryen.i32, 'i32'],
  [binaryen.i64, 'i64'],
  [binaryen.f32, 'f32'],
  [binaryen.f64, 'f64'],
  [binaryen.v128, 'v128'],
]);
const typesOf = (type: number) => [...binaryen.expandType(type)].map((part) => TYPES.get(part) ?? 'another type').join(' ');

/** Types of a module's exported functions: "i32 i32 -> i32". */
export function exportedTypes(bytes: Uint8Array): ReadonlyMap<string, string> {
  const module = binaryen.readBinary(bytes);
  try {
    const types = new Map<string, string>();
    for (let i = 0; i < module.getNumExports(); i++) {
      const { kind, name, value } = binaryen.getExportInfo(module.getExportByIndex(i));
      if (kind !== binaryen.ExternalFunction) continue;
      const { params, results } = binaryen.getFunctionInfo(module.getFunction(value));
      types.set(name, `${typesOf(params)} -> ${typesOf(results)}`);
    }
    return types;
  } finally {
    module.dispose();
  }
}

/** What is wrong, a line each: functions that the runtime lacks, or has with other types. */
export function abiErrors(declared: readonly RuntimeFunction[], exported: ReadonlyMap<string, string>): string[] {
  return declared.flatMap(({ name, params, result }) => {
    const want = `${params.join(' ')} -> ${result ?? ''}`;
    const have = exported.get(name);
    if (have === want) return [];
    return have === undefined ? [`${name}: not exported`] : [`${name}: exported as (${have}), declared as (${want})`];
  });
}

/** Throws where the compiled runtime at `path` is not what is declared. */
export function checkAbi(declared: readonly RuntimeFunction[], path: string): void {
  const errors = abiErrors(declared, exportedTypes(readFileSync(path)));
  if (errors.length > 0) throw new Error(`src/runtime/abi.ts and the runtime differ:\n  ${errors.join('\n  ')}`);
}
