// x87 errors by IRQ 13 on a whole machine: the guest program that test/guest runs without devices, here with the real 8259s and port 0xF0.
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';
import { readProgram } from '../../harness/asm.ts';

it.each(['interpreter', 'jit'] as const)('IRQ 13 comes for each x87 error (%s)', async (engine) => {
  const debug: Uint8Array[] = [];
  const machine = await Machine.create({
    engine,
    memoryBytes: 16 * MiB,
    kernel: readProgram('fpu-errors-external').image,
    onDebugConsole: (bytes) => debug.push(bytes),
  });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  expect(Buffer.concat(debug).toString()).toBe('EE.');
});
