// The guests of npm run bench -- paper, as far as that needs no network: their scripts, their archive and their command lines.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { KbenchReader } from '../../../bench/kernel/output.ts';
import { archive, foldersOf } from '../../../guests/workloads/image.ts';
import { WORKLOADS } from '../../../guests/workloads/index.ts';
import { rowsOn } from '../../../guests/workloads/workload.ts';

const scripts = fileURLToPath(new URL('../../../guests/workloads/scripts/', import.meta.url));

it('lists them with rows of their own names', () => {
  expect(WORKLOADS.map(({ name }) => name)).toEqual(['lmbench', 'apache', 'fileserver', 'build', 'serai']);
  for (const { rows } of WORKLOADS) expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

it('lists for a number of CPUs the rows that they are enough for', () => {
  const rows = [
    { name: 'a', what: '' },
    { name: 'b', what: '', leastCpus: 2 },
    { name: 'c', what: '' },
  ];
  expect([1, 2, 3].map((cpus) => rowsOn({ rows }, cpus).join())).toEqual(['a,c', 'a,b,c', 'a,b,c']);
});

it('serai: the command line has commands of its shell, and no initial RAM disk comes with it', async () => {
  const { append, image } = WORKLOADS.find(({ name }) => name === 'serai')!;
  const line = append({ seconds: 1.5, slices: 3, limitSeconds: 33, rows: ['a', 'b*2'] });
  expect(line).toBe('run="rows 1500 3 a,b*2; halt"');
  expect(Object.keys(await image())).toEqual(['kernel', 'version']);
  // All rows, twice, as they are counted: serai keeps 512 bytes of its command line, and QEMU puts the path in front.
  const names = rowsOn({ rows: WORKLOADS.at(-1)!.rows }, 64);
  expect(append({ seconds: 3600, slices: 64, limitSeconds: 1, rows: [...names, ...names] }).length).toBeLessThan(400);
});

const debian = WORKLOADS.filter(({ name }) => name !== 'serai');
it.each(debian)('$name: the command line has the arguments of the first process behind --', ({ append }) => {
  const line = append({ seconds: 1.5, slices: 3, limitSeconds: 33, rows: ['a', 'b'] });
  expect(line).toMatch(/^console=ttyS0 loglevel=1 .*-- run 1500 3 33 a[ ,]b$/);
});

it('puts folders in front of what is in them', () => {
  expect(foldersOf(['a/b/c', 'a/d', 'e'])).toEqual(['a', 'a/b']);
  const text = archive([{ path: 'usr/bin/tool', data: Buffer.from('x') }], [{ name: 'crc16', data: Buffer.from('y') }]).toString('latin1');
  const at = ['usr\0', 'usr/bin\0', 'usr/bin/tool\0', 'lib/modules/crc16.ko\0', 'lib/modules/order\0'].map((name) => text.indexOf(name));
  expect(at.every((place) => place > 0)).toBe(true);
  expect(at.slice(0, 3)).toEqual(at.slice(0, 3).toSorted((a, b) => a - b));
  expect(text).toContain('crc16\n');
});

describe('scripts', () => {
  it.each(readdirSync(scripts))('%s is a script of sh', (name) => {
    execFileSync('sh', ['-n', join(scripts, name)]);
  });

  it('tell a row so that the bench reads it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-row-'));
    const timer = join(folder, 'timer_list');
    const clock = (ns: number) => `printf 'Timer List Version: v0.9\\nHRTIMER_MAX_CLOCK_BASES: 8\\nnow at ${ns} nsecs\\n' > ${timer}`;
    writeFileSync(timer, '');
    try {
      const source = readFileSync(join(scripts, 'row.sh'), 'utf8').replaceAll('/proc/timer_list', timer);
      const functions = source.slice(0, source.lastIndexOf('. /scripts/workload.sh'));
      const work = [
        clock(7_000_000_000),
        'begin',
        clock(7_500_000_000),
        'slice 20',
        clock(9_000_000_123),
        'slice 30',
        'also p50 1.25',
        'finish',
      ];
      const reader = new KbenchReader();
      reader.take(execFileSync('sh', ['-c', [functions, ...work].join('\n'), 'sh', 'apache'], { encoding: 'utf8' }), 0);
      const { rows, also } = reader.output;
      expect(rows.map(({ name, slices, guestFromMs }) => ({ name, slices, guestFromMs }))).toEqual([
        {
          name: 'apache',
          guestFromMs: 7000,
          slices: [
            { nanoseconds: 500_000_000, operations: 20 },
            { nanoseconds: 1_500_000_123, operations: 30 },
          ],
        },
      ]);
      expect(also.apache).toEqual({ p50: 1.25 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("sum up fio's reports, one behind the other, without what is no read or write", () => {
    const side = (name: string, bytes: number, ios: number, ms: number) =>
      `      "${name}" : {\n        "io_bytes" : ${bytes},\n        "runtime" : ${ms},\n        "total_ios" : ${ios},\n      },\n`;
    const job = (error: number, k: number) =>
      `    {\n      "error" : ${error},\n${side('read', 3000 * k, 3 * k, 500 * k)}${side('write', 1000 * k, k, 499 * k)}${side('trim', 7, 7, 7777)}` +
      `      "sync" : {\n        "total_ios" : 99,\n      },\n    }\n`;
    const report = (error: number, k: number) => `{\n  "jobs" : [\n${job(0, k)}${job(error, k)}  ]\n}\n`;
    const source = readFileSync(join(scripts, 'fileserver.sh'), 'utf8');
    const functions = source.slice(0, source.indexOf('# Slices of what'));
    const told = execFileSync('sh', ['-c', `${functions}\nfigures`], { encoding: 'utf8', input: report(0, 1) + report(5, 2) });
    expect(told).toBe('8000 8 500\nerror 5\n16000 16 1000\n');
  });
});
