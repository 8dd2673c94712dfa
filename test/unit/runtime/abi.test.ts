// The declared interface of the runtime (src/runtime/abi.ts, host.ts) against the compiled one, and what the build does where they differ.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { abiErrors, checkAbi, hostErrors, interfaceOf } from '../../../scripts/check-abi.ts';
import { checkRegions, sampleRegions, uncalled } from '../../../scripts/check-regions.ts';
import { Emitter } from '../../../src/emit/module.ts';
import { runtime, runtimeFunction } from '../../../src/runtime/abi.ts';
import { hostFunctions } from '../../../src/runtime/host.ts';

const built = (name: string) => fileURLToPath(new URL(`../../../build/${name}.wasm`, import.meta.url));
const declared = Object.values(runtime);

test.each(['runtime', 'runtime-strict'])('%s.wasm exports what is declared, and asks the host for that alone', (name) => {
  const compiled = interfaceOf(readFileSync(built(name)));
  expect(abiErrors(declared, compiled)).toEqual([]);
  expect(hostErrors(hostFunctions, compiled)).toEqual([]);
});

/** What tests alone call. */
const FOR_TESTS = [
  ...['load8', 'load16', 'load32', 'load64', 'load128', 'store8', 'store16', 'store32', 'store64', 'store128'],
  ...['sysLoad16', 'sysStore32', 'probeWrite', 'segLinear', 'flushJumps', 'flushNonGlobal', 'findBlock'],
  ...['deliver', 'interrupt', 'raise', 'raiseError', 'faulted', 'privileged', 'readArith'],
  ...['checkBreakpoints', 'checkData', 'singleStepTrap'],
];

test('the runtime exports nothing else but what tests call', () => {
  const exported = [...interfaceOf(readFileSync(built('runtime'))).exported.keys()];
  expect(exported.filter((name) => !(name in runtime)).sort()).toEqual([...FOR_TESTS].sort());
});

test('the build fails where a function is not exported, or has other types', () => {
  const { loadSegment, movFromCr } = runtime;
  const check = (lines: Parameters<typeof checkAbi>[0]) => () => checkAbi(lines, hostFunctions, built('runtime'));
  expect(check([loadSegment, movFromCr])).not.toThrow();
  expect(check([loadSegment, { ...movFromCr, name: 'movFromXcr' }])).toThrow('\n  movFromXcr: not exported');
  expect(check([{ ...movFromCr, result: 'i64' }])).toThrow('movFromCr: exported as (i32 i32 -> i32), declared as (i32 i32 -> i64)');
  expect(check([{ ...movFromCr, params: ['i32'] }])).toThrow('declared as (i32 -> i32)');
});

test('the build fails where the host is asked for something else than is declared', () => {
  const check = (host: Parameters<typeof checkAbi>[1]) => () => checkAbi(declared, host, built('runtime'));
  const { portIn, ...others } = hostFunctions;
  expect(check(hostFunctions)).not.toThrow();
  expect(check(others)).toThrow('\n  host portIn: not declared');
  expect(check({ ...hostFunctions, powerOff: portIn })).toThrow('\n  host powerOff: nobody calls it');
  expect(check({ ...others, portIn: { ...portIn, result: 'u64' } })).toThrow(
    'host portIn: imported as (i32 i32 i32 -> i32), declared as (i32 i32 i32 -> i64)',
  );
});

test('handlers import from the runtime what is declared alone', () => {
  for (const name of ['handlers', 'handlers-strict', 'handlers-prof', 'handlers-strict-prof']) {
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(built(name)))).filter((x) => x.module === 'runtime');
    expect(imports.length).toBeGreaterThan(150);
    for (const { name } of imports) expect(runtimeFunction(name).name).toBe(name);
  }
});

test('handlers and the sample regions call all that is declared for emitted code, else the build fails', () => {
  const handlers = readFileSync(built('handlers'));
  expect(() => checkRegions(handlers)).not.toThrow();
  // What regions alone call.
  expect(uncalled([handlers])).toEqual(expect.arrayContaining(['hostBesideCode', 'pollPoint', 'regionStore64', 'directRmw8']));
  // An import alone is no call.
  const e = new Emitter();
  e.runtime(runtime.cpuid);
  e.addCode('nothing', [], e.m.return());
  expect(uncalled([e.finish()])).toContain('cpuid');
  expect(() => checkRegions(sampleRegions())).toThrow(/no handler and no sample .* calls .*\bcpuid\b/);
});

test('a name that is not declared is refused', () => {
  expect(() => runtimeFunction('movFromXcr')).toThrow('the runtime has no function movFromXcr');
});
