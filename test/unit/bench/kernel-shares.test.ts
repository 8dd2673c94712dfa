// npm run bench -- kernel --profile: samples to shares.
import { expect, it } from 'vitest';
import { formatTable } from '../../../bench/figures.ts';
import { profileTables, readCpuProfile, readPerf } from '../../../bench/kernel/shares.ts';

const HANDLERS = new Set(['head', 'mov r4 m4']);

it('groups what perf saw by thread and kind of code', () => {
  const script = `
           CPU 0     7f9899c34cea JS:head-205-turbofan (/tmp/perf-12.map)
           CPU 0     7f9899c34ceb JS:head-205-liftoff (/tmp/perf-12.map)
           CPU 0     7f9899c34cec JS:mov r4 m4-7-turbofan (/tmp/perf-12.map)
           CPU 0     7f9899c34ced JS:wasm/memory/walk/walk-3-turbofan (/tmp/perf-12.map)
           CPU 0     7f9899c34cee JS:do_sys_open+0x1f-0-turbofan (/tmp/perf-12.map)
           CPU 0     7f9899c34cef JS:*poll file:///src/cpu/run.ts:12:3 (/tmp/perf-12.map)
           CPU 0           f59a09 Builtins_BigIntAdd (/usr/bin/node)
           CPU 0           f59a0a v8::internal::Heap::Collect(int) (/usr/bin/node)
           CPU 0 ffffffff81000000 [unknown] ([kernel.kallsyms])
      V8Worker:1     7f9899c34cea [unknown] (/usr/lib/libc.so.6)
`;
  const threads = readPerf(script, HANDLERS);
  expect([...threads.keys()]).toEqual(['CPU 0', 'V8Worker:1']);
  expect(threads.get('CPU 0')).toEqual([
    { group: 'handlers', name: 'head', weight: 2 },
    { group: 'handlers', name: 'mov r4 m4', weight: 1 },
    { group: 'runtime', name: 'wasm/memory/walk/walk', weight: 1 },
    { group: 'regions', name: 'do_sys_open+0x1f', weight: 1 },
    { group: 'JavaScript', name: 'JS:*poll file:///src/cpu/run.ts:12:3', weight: 1 },
    { group: 'JavaScript', name: 'Builtins_BigIntAdd', weight: 1 },
    { group: 'V8 and Node', name: 'v8::internal::Heap::Collect(int)', weight: 1 },
    { group: "the host's kernel and libraries", name: '[kernel.kallsyms]', weight: 1 },
  ]);
});

it("takes a window out of V8's profile, and adds up one function that stands in several places", () => {
  const node = (id: number, functionName: string, url: string) => ({ id, callFrame: { functionName, url } });
  const profile = {
    nodes: [
      node(1, 'head', 'wasm://wasm/1'),
      node(2, 'do_exit', 'wasm://wasm/2'),
      node(3, 'head', 'wasm://wasm/1'),
      node(4, '(idle)', ''),
      node(5, '(garbage collector)', ''),
      node(6, 'poll', 'file:///run.ts'),
    ],
    startTime: 1000,
    samples: [1, 2, 1, 3, 4, 5, 6, 2],
    timeDeltas: [0, 10, 20, 30, 40, 50, 60, 70],
  };
  // Samples at 1000, 1010, 1030, 1060, 1100, 1150, 1210, 1280.
  expect(readCpuProfile(profile, 1010, 1280, HANDLERS)).toEqual([
    { group: 'handlers', name: 'head', weight: 30 + 40 },
    { group: 'regions', name: 'do_exit', weight: 20 },
    { group: 'V8 and Node', name: '(garbage collector)', weight: 60 },
    { group: 'JavaScript', name: 'poll', weight: 70 },
  ]);
});

it('prints groups and functions with their parts of the time', () => {
  const shares = [
    { group: 'handlers', name: 'head', weight: 30 },
    { group: 'regions', name: 'do_exit', weight: 50 },
    { group: 'regions', name: 'do_fork+0x1', weight: 20 },
  ] as const;
  const threads = [{ name: 'CPU 0', part: 0.9 }];
  const tables = profileTables({ row: 'stat', by: 'Linux perf', unit: 'samples', nanoseconds: 1234.5, threads, shares, notes: [] });
  expect(tables.map(formatTable).join('')).toBe(`\
kernel, profile of stat, warm: 1,235 ns an operation; the thread of CPU 0, 100 samples, by Linux perf
group      time  functions  half of it in
--------  -----  ---------  -------------
regions   70.0%          2              1
handlers  30.0%          1              1
  the process's threads: CPU 0 90%
the first 3 of 3
function      time     group
-----------  -----  --------
do_exit      50.0%   regions
head         30.0%  handlers
do_fork+0x1  20.0%   regions
`);
});
