// kbench, the program of npm run bench -- kernel and paper, in Debian's kernel: each row does its work without an error and says what it did. What it took is the bench's business.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KbenchReader } from '../../bench/kernel/output.ts';
import { kbenchInitrd, ROWS, runAppend } from '../../guests/kbench/initrd.ts';
import { guestOrSkip } from '../../guests/linux.ts';
import { Machine, MiB } from '../../src/api/index.ts';

const { guest, reason } = await guestOrSkip();
if (guest === undefined) console.warn(`no boot of kbench: ${reason}`);
const BOOT_MS = 240_000;

describe.skipIf(guest === undefined)('kbench', () => {
  it('runs each row, says why one fails, and switches the machine off', { timeout: BOOT_MS }, async () => {
    const rows = [...ROWS.map(({ name }) => name), 'stat*2', 'pipe*3', 'file*2'];
    const reader = new KbenchReader();
    const machine = await Machine.create({
      kernel: readFileSync(guest!.kernel),
      initrd: await kbenchInitrd(guest!.busybox),
      append: runAppend({ seconds: 0.004, slices: 2, limitSeconds: 60, rows: [...rows, 'nonsense', 'stat*65'] }),
      memoryBytes: 64 * MiB,
      onConsole: (bytes) => reader.take(Buffer.from(bytes).toString('latin1'), 0),
    });
    const run = machine.run();
    const timer = setTimeout(() => machine.stop('kbench hangs'), BOOT_MS - 10_000);
    expect(await run).toEqual({ kind: 'power-off' });
    clearTimeout(timer);
    const { output } = reader;
    expect([...output.failed]).toEqual([
      ['nonsense', 'no such row 0'],
      ['stat*65', 'no such row 0'],
    ]);
    expect(output.rows.map(({ name, slices }) => [name, slices.length])).toEqual(rows.map((name) => [name, 2]));
    for (const { slices } of output.rows)
      for (const { nanoseconds, operations } of slices) {
        expect(nanoseconds).toBeGreaterThanOrEqual(2_000_000);
        expect(operations).toBeGreaterThan(0);
      }
    expect(output.done).toBe(true);
  });
});
