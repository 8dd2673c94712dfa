// Where the parts of the shared memory lie: whatever the size of the machine, every address is a positive 32-bit integer.
import { expect, test } from 'vitest';
import { MOST_CPUS, SMALLEST_MEMORY } from '../../../src/api/options.ts';
import { cpuBase, largestMemory, planMemory, WASM_PAGE } from '../../../src/layout/memory.ts';
import { expectError } from '../loaders/images.ts';

test.each(Array.from({ length: MOST_CPUS }, (_, n) => n + 1))('%i CPUs', (cpus) => {
  const most = largestMemory(cpus);
  expect(most % WASM_PAGE).toBe(0);
  expect(most).toBeGreaterThan(1024 * 1024 * 1024);
  for (const ram of [SMALLEST_MEMORY, most]) {
    const plan = planMemory(cpus, ram);
    // The end of the last CPU's block is used as an address too.
    const end = cpuBase(plan, cpus);
    expect(end).toBe(plan.clients);
    const last = plan.clients + plan.clientBytes;
    expect(last).toBe(plan.wasmPages * WASM_PAGE);
    expect(last | 0).toBe(last);
    if (ram === SMALLEST_MEMORY) expect(plan.clientBytes).toBeGreaterThan(16 << 20);
  }
  const text = `memoryBytes: ${most + WASM_PAGE} bytes of memory are too many for ${cpus === 1 ? 'one CPU' : `${cpus} CPUs`}: at most ${most} `;
  expectError(() => planMemory(cpus, most + WASM_PAGE), 'BAD_OPTION', new RegExp(text.slice(3)));
});
