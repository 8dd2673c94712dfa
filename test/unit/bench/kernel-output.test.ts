// npm run bench -- kernel: what it reads from a guest's console.
import { expect, it } from 'vitest';
import { KbenchReader } from '../../../bench/kernel/output.ts';

it('reads rows with their slices and the time that the host saw, however the bytes come', () => {
  const reader = new KbenchReader();
  reader.take('\x1bc\x1b[?7lkbench: begin stat 5000000000\r\nkbe', 1000);
  expect(reader.running).toBe('stat');
  reader.take('nch: stat 0150000000 30', 1290);
  expect(reader.output.rows).toEqual([]);
  reader.take('0 0151000000 100\r\nkbench: begin file 5400000000\r\n', 1310);
  reader.take('kbench: file failed: open -28\r\nkbench: done\r\n', 1400);
  const slices = [
    { nanoseconds: 150_000_000, operations: 300 },
    { nanoseconds: 151_000_000, operations: 100 },
  ];
  expect(reader.output).toEqual({
    rows: [{ name: 'stat', slices, guestFromMs: 5000, hostFromMs: 1000, guestMs: 301, hostMs: 310 }],
    failed: new Map([['file', 'open -28']]),
    also: {},
    done: true,
  });
});

it('takes no figures of a row that has not begun, and keeps what else was said', () => {
  const reader = new KbenchReader();
  reader.take('kbench: begin stat 1\nkbench: read-1 5 1\nkbench: stat 5\nKernel panic - not syncing\nno end', 0);
  expect(reader.output).toEqual({ rows: [], failed: new Map(), also: {}, done: false });
  expect(reader.other).toBe('kbench: read-1 5 1 | kbench: stat 5 | Kernel panic - not syncing | no end');
});

it('reads figures beside the times, of the row that runs', () => {
  const reader = new KbenchReader();
  reader.take('kbench: also apache p50 1\nkbench: begin apache 1\nkbench: also apache p50 26.080\r\nkbench: also apache fai', 0);
  reader.take(
    'led 0\nkbench: also other p50 3\nkbench: also apache p90\nkbench: also apache p99 \nkbench: also apache p99 1.5s\nkbench: apache 5 1\n',
    0,
  );
  reader.take('kbench: begin fio-disk 9\nkbench: also fio-disk MB/s 113.191\n', 0);
  expect(reader.output.also).toEqual({ apache: { p50: 26.08, failed: 0 }, 'fio-disk': { 'MB/s': 113.191 } });
});
