// The declared interface of the runtime (src/runtime/abi.ts) against the compiled one, and what the build does where they differ.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { abiErrors, checkAbi, exportedTypes } from '../../../scripts/check-abi.ts';
import { runtime, runtimeFunction } from '../../../src/runtime/abi.ts';

const built = (name: string) => fileURLToPath(new URL(`../../../build/${name}.wasm`, import.meta.url));
const declared = Object.values(runtime);

test.each(['runtime', 'runtime-strict'])('%s.wasm exports what is declared', (name) => {
  expect(abiErrors(declared, exportedTypes(readFileSync(built(name))))).toEqual([]);
});

/** What tests alone call. */
const FOR_TESTS = [
  ...['load8', 'load16', 'load32', 'load64', 'load128', 'store8', 'store16', 'store32', 'store64', 'store128'],
  ...['sysLoad16', 'sysStore32', 'probeWrite', 'segLinear', 'flushJumps', 'flushNonGlobal', 'findBlock'],
  ...['deliver', 'interrupt', 'raise', 'raiseError', 'faulted', 'privileged', 'readArith'],
  ...['checkBreakpoints', 'checkData', 'singleStepTrap'],
];

test('the runtime exports nothing else but what tests call', () => {
  const exported = [...exportedTypes(readFileSync(built('runtime'))).keys()];
  expect(exported.filter((name) => !(name in runtime)).sort()).toEqual([...FOR_TESTS].sort());
});

test('the build fails where a function is not exported, or has other types', () => {
  const { loadSegment, movFromCr } = runtime;
  const check = (lines: Parameters<typeof checkAbi>[0]) => () => checkAbi(lines, built('runtime'));
  expect(check([loadSegment, movFromCr])).not.toThrow();
  expect(check([loadSegment, { ...movFromCr, name: 'movFromXcr' }])).toThrow('\n  movFromXcr: not exported');
  expect(check([{ ...movFromCr, result: 'i64' }])).toThrow('movFromCr: exported as (i32 i32 -> i32), declared as (i32 i32 -> i64)');
  expect(check([{ ...movFromCr, params: ['i32'] }])).toThrow('declared as (i32 -> i32)');
});

test('handlers import from the runtime what is declared alone', () => {
  for (const name of ['handlers', 'handlers-strict']) {
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(built(name)))).filter((x) => x.module === 'runtime');
    expect(imports.length).toBeGreaterThan(150);
    for (const { name } of imports) expect(runtimeFunction(name).name).toBe(name);
  }
});

test('a name that is not declared is refused', () => {
  expect(() => runtimeFunction('movFromXcr')).toThrow('the runtime has no function movFromXcr');
});
