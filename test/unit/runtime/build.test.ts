// What the compiled runtime is as a module: what it imports, where its static data lies.
import { expect, test } from 'vitest';
import { RUNTIME_STATIC, RUNTIME_STATIC_END } from '../../../src/layout/memory.ts';
import { machine, runtimeModule } from './machine.ts';

test('imports the memory, the table and the host only', async () => {
  const imports = WebAssembly.Module.imports(await runtimeModule());
  expect(imports.filter((i) => i.module !== 'host')).toEqual([
    { module: 'env', name: 'memory', kind: 'memory' },
    { module: 'env', name: 'table', kind: 'table' },
  ]);
});

test('static data stays in its place', async () => {
  const m = await machine();
  const bytes = new Uint8Array(m.memory.buffer);
  expect(bytes.subarray(0x2000, RUNTIME_STATIC).some((b) => b !== 0)).toBe(false);
  expect(bytes.subarray(RUNTIME_STATIC_END, RUNTIME_STATIC_END + 0x100000).some((b) => b !== 0)).toBe(false);
});
