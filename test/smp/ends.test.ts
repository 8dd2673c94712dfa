// How a run with several CPUs ends, whichever CPU ends it, and that it always does.
import { describe, expect, it } from 'vitest';
import type { Worker } from 'node:worker_threads';
import type { Machine, RunResult } from '../../src/api/index.ts';
import { EFFORT, machineFor, runProgram } from './programs.ts';

/** What ends.asm does, by its option `end`. */
const End = { DEBUG_EXIT: 0, POWER_OFF: 1, TRIPLE_FAULT: 2, HALT: 3, SPIN: 4, IDLE: 5, LOCKS: 6, TICKETS: 7 } as const;
const CPUS = 3;

/** Runs ends.asm and lets `act` do something as soon as all CPUs are up. */
async function runUntilReady(engine: 'interpreter' | 'jit', end: number, act: (machine: Machine) => void): Promise<{ result: RunResult; tookMs: number }> {
  let actedAt = 0;
  let seen = '';
  const { machine } = await machineFor('ends', engine, { cpus: CPUS, n: 1, end }, {
    onDebugConsole: (bytes) => {
      seen += Buffer.from(bytes).toString();
      if (!seen.includes('ready') || actedAt !== 0) return;
      actedAt = -1;
      // Time to spin until it is translated, or to fall asleep.
      setTimeout(() => {
        actedAt = performance.now();
        act(machine);
      }, 300);
    },
  });
  const result = await machine.run();
  return { result, tookMs: performance.now() - actedAt };
}

const expectAllCpus = (dump: string) => {
  for (let cpu = 0; cpu < CPUS; cpu++) expect(dump).toMatch(new RegExp(`^CPU ${cpu}: `, 'm'));
};

describe.each(['interpreter', 'jit'] as const)('%s', (engine) => {
  it.each<[string, number, object]>([
    ['debug-exit by the last CPU', End.DEBUG_EXIT, { kind: 'debug-exit', value: 7 }],
    ['power-off by the last CPU', End.POWER_OFF, { kind: 'power-off' }],
    ['all CPUs in HLT with interrupts off', End.HALT, { kind: 'halted' }],
  ])('%s', async (_name, end, expected) => {
    const { result, hung } = await runProgram('ends', engine, { cpus: CPUS, n: 1, end });
    expect(hung).toBeUndefined();
    expect(result).toEqual(expected);
  });

  it('triple fault of the last CPU: the dump has all CPUs', async () => {
    const { result } = await runProgram('ends', engine, { cpus: CPUS, n: 1, end: End.TRIPLE_FAULT });
    expect(result.kind).toBe('triple-fault');
    expectAllCpus((result as { dump: string }).dump);
  });

  it.each<[string, number]>([
    ['spin with interrupts off', End.SPIN],
    ['sleep', End.IDLE],
  ])('is stopped while all CPUs %s', async (_name, end) => {
    const { result } = await runUntilReady(engine, end, (machine) => machine.stop('enough'));
    expect(result).toEqual({ kind: 'stopped', reason: 'enough' });
  });

  /** The Workers of the CPUs, behind those of timer and translator. */
  const cpuWorker = (machine: Machine, cpu: number): Worker => (machine as unknown as { workers: Worker[] }).workers[(engine === 'jit' ? 2 : 1) + cpu]!;

  it.each<[string, number, (worker: Worker) => void]>([
    ['ended while all CPUs spin', End.SPIN, (worker) => void worker.terminate()],
    ['ended while all CPUs sleep', End.IDLE, (worker) => void worker.terminate()],
  ])('a Worker that is %s ends the machine', async (_name, end, crash) => {
    const { result, tookMs } = await runUntilReady(engine, end, (machine) => crash(cpuWorker(machine, 1)));
    expect(result.kind).toBe('internal-error');
    expectAllCpus((result as { dump: string }).dump);
    // A second for Workers that hang, and a lot for a busy machine; for ever is what it must not be.
    expect(tookMs).toBeLessThan(15_000);
  });

  it('an exception in a CPU’s Worker ends the machine', async () => {
    const { result } = await runUntilReady(engine, End.LOCKS, () => {}).catch((error: unknown) => ({ result: { kind: String(error) } as never }));
    expect(result).toEqual({ kind: 'debug-exit', value: 0 });
  });

  it.each<[string, number, number]>([
    ['a lock', End.LOCKS, 100],
    ['tickets', End.TICKETS, 10],
  ])('16 CPUs that wait for %s with PAUSE make progress', async (_name, end, n) => {
    const { result, lines, hung } = await runProgram('ends', engine, { cpus: 16, n: n * EFFORT, end });
    expect(hung).toBeUndefined();
    expect(lines).toEqual(['ready', `total ${16 * n * EFFORT}`]);
    expect(result).toEqual({ kind: 'debug-exit', value: 0 });
  });
});
