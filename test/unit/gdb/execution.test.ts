// What a debugger asks of several CPUs at once, on a machine that only notes it.
import { expect, it } from 'vitest';
import type { Debugged } from '../../../src/gdb/debugged.ts';
import { Execution } from '../../../src/gdb/execution.ts';
import { Points } from '../../../src/gdb/points.ts';

it('some CPUs go on in turn, until somebody interrupts', async () => {
  const steps: [number, number][] = [];
  const stopped = Promise.withResolvers<[string, number]>();
  const machine = {
    state: 'paused',
    cpus: [],
    addEventListener() {},
    removeEventListener() {},
    pause: async () => {},
    step: async (cpu: number, count: number) => {
      steps.push([cpu, count]);
      if (steps.length === 5) void execution.interrupt();
      return cpu === 2 ? 0 : count;
    },
  } as unknown as Debugged['machine'];
  const execution: Execution = new Execution({
    debugged: { machine } as Debugged,
    points: new Points(machine),
    onStop: (reply, cpu) => stopped.resolve([reply, cpu]),
    onText: () => {},
  });
  execution.go([
    { cpu: 0, endless: true },
    { cpu: 2, endless: true },
  ]);
  expect(await stopped.promise).toEqual(['T02thread:3;', 2]);
  expect(steps.map(([cpu]) => cpu)).toEqual([0, 2, 0, 2, 0]);
});
