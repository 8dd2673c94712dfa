// Names of WebAssembly functions in modules of any origin: V8 shows them in the stack of a trap.
import { expect, it } from 'vitest';
import { Emitter, i32 } from '../../../src/emit/module.ts';
import { exportedFunctions, nameSection, splitNames, withExportNames, withSection } from '../../../src/emit/names.ts';
import { runtime } from '../../../src/runtime/abi.ts';

/** An imported function, then two of our own, of which the second traps. */
function module(): Uint8Array {
  const e = new Emitter();
  e.runtime(runtime.poll);
  e.addFunction('quiet', [i32], [], e.m.block(null, []));
  e.addFunction('traps', [i32], [], e.m.unreachable());
  return e.finishChecked();
}

function stackOf(bytes: Uint8Array): string {
  const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>), {
    runtime: { poll() {} },
    env: {
      memory: new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true }),
      table: new WebAssembly.Table({ initial: 1, element: 'anyfunc' }),
    },
  }).exports as Record<string, () => void>;
  try {
    exports.traps!();
  } catch (error) {
    return (error as Error).stack!;
  }
  throw new Error('it did not trap');
}

it('functions are named by what they are exported as, imported ones counted', () => {
  const bytes = module();
  const [[first, quiet], [second, traps]] = [...exportedFunctions(bytes)] as [[number, string], [number, string]];
  expect([quiet, traps, second - first]).toEqual(['quiet', 'traps', 1]);
  expect(first).toBeGreaterThan(0);
  const named = withExportNames(bytes, 'm', (exported) => `form of ${exported} \u00b5`);
  expect(stackOf(named)).toContain('form of traps \u00b5');
  expect(stackOf(bytes)).not.toContain('form of');
});

it('many and long names are encoded as they should be', () => {
  const long = 'x'.repeat(300);
  const [[,], [traps]] = [...exportedFunctions(module())] as [[number, string], [number, string]];
  const names = new Map(Array.from({ length: 300 }, (_, k) => [k, k === traps ? long : `f${k}`]));
  expect(stackOf(withSection(module(), nameSection('m', names)))).toContain(long);
});

it('a module is taken apart into what runs and its names, and put together again', () => {
  const bytes = module();
  const whole = withExportNames(bytes, 'm', (exported) => exported);
  const parts = splitNames(whole);
  expect(parts.module).toEqual(bytes);
  expect(withSection(parts.module, parts.names)).toEqual(whole);
  expect(splitNames(bytes)).toEqual({ module: bytes, names: new Uint8Array(0) });
});
