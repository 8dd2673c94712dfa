// How a run with several CPUs ends, whichever CPU ends it, and that it always does.
import type { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import type { Machine, RunResult } from '../../src/api/index.ts';
import type { SharedMemory } from '../../src/cpu/state.ts';
import { CpuArea, cpuBase } from '../../src/layout/memory.ts';
import { EFFORT, machineFor, runProgram } from './programs.ts';

/** What ends.asm does, by its option `end`. */
const End = { DEBUG_EXIT: 0, POWER_OFF: 1, TRIPLE_FAULT: 2, HALT: 3, SPIN: 4, IDLE: 5, LOCKS: 6, TICKETS: 7 } as const;
const CPUS = 3;

/** Runs ends.asm and lets `act` do something as soon as all CPUs are up. */
async function runUntilReady(
  engine: 'interpreter' | 'jit',
  end: number,
  act: (machine: Machine) => void,
): Promise<{ result: RunResult; tookMs: number }> {
  let actedAt = 0;
  let seen = '';
  const { machine } = await machineFor(
    'ends',
    engine,
    { cpus: CPUS, n: 1, end },
    {
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
    },
  );
  const result = await machine.run();
  return { result, tookMs: performance.now() - actedAt };
}

const expectAllCpus = (dump: string) => {
  for (let cpu = 0; cpu < CPUS; cpu++) expect(dump).toMatch(new RegExp(`^CPU ${cpu}: `, 'm'));
};

type Engine = 'interpreter' | 'jit';

it.each<[string, Engine, number, object]>([
  ['debug-exit by the last CPU', 'jit', End.DEBUG_EXIT, { kind: 'debug-exit', value: 7 }],
  ['power-off by the last CPU', 'interpreter', End.POWER_OFF, { kind: 'power-off' }],
  ['all CPUs in HLT with interrupts off', 'jit', End.HALT, { kind: 'halted' }],
])('%s (%s)', async (_name, engine, end, expected) => {
  const { result, hung } = await runProgram('ends', engine, { cpus: CPUS, n: 1, end });
  expect(hung).toBeUndefined();
  expect(result).toEqual(expected);
});

it('triple fault of the last CPU: the dump has all CPUs', async () => {
  const { result } = await runProgram('ends', 'interpreter', { cpus: CPUS, n: 1, end: End.TRIPLE_FAULT });
  expect(result.kind).toBe('triple-fault');
  expectAllCpus((result as { dump: string }).dump);
});

it.each<[string, Engine, number]>([
  ['spin with interrupts off', 'interpreter', End.SPIN],
  ['spin with interrupts off', 'jit', End.SPIN],
  ['sleep', 'interpreter', End.IDLE],
])('is stopped while all CPUs %s (%s)', async (_name, engine, end) => {
  const { result } = await runUntilReady(engine, end, (machine) => machine.stop('enough'));
  expect(result).toEqual({ kind: 'stopped', reason: 'enough' });
});

interface Insides {
  readonly executor: { readonly workers: readonly Worker[] };
  readonly shared: SharedMemory;
}
const terminate = ({ executor: { workers } }: Insides) => void workers.find(({ threadName }) => threadName === 'CPU 1')!.terminate();
/** Its decoded code becomes nonsense: the next instruction traps. */
const spoil = ({ shared: { i32, plan } }: Insides) => {
  const base = cpuBase(plan, 1);
  i32.fill(0x7ffffff0, (base + CpuArea.at.arena) >> 2, (base + plan.cpuStride) >> 2);
};

it.each<[string, Engine, number, (insides: Insides) => void]>([
  ['ended while all CPUs spin', 'jit', End.SPIN, terminate],
  ['ended while all CPUs sleep', 'interpreter', End.IDLE, terminate],
  ['trapped while all CPUs spin', 'interpreter', End.SPIN, spoil],
])('a Worker that is %s ends the machine', async (_name, engine, end, crash) => {
  const { result, tookMs } = await runUntilReady(engine, end, (machine) => crash(machine as unknown as Insides));
  expect(result.kind).toBe('internal-error');
  expectAllCpus((result as { dump: string }).dump);
  // A second for Workers that hang, and a lot for a busy machine; for ever is what it must not be.
  expect(tookMs).toBeLessThan(20_000);
});

it('has a thread of its own name for each CPU', async () => {
  let names: string[] = [];
  await runUntilReady('jit', End.IDLE, (machine) => {
    names = (machine as unknown as Insides).executor.workers.map((worker) => worker.threadName ?? '');
    machine.stop('enough');
  });
  expect(names).toEqual(expect.arrayContaining(['timekeeper', 'translator', 'CPU 0', 'CPU 1']));
  expect(new Set(names).size).toBe(names.length);
});

it.each<[string, Engine, number, number]>([
  ['a lock', 'interpreter', End.LOCKS, 50],
  ['tickets', 'jit', End.TICKETS, 5],
])('16 CPUs that wait for %s with PAUSE make progress (%s)', async (_name, engine, end, n) => {
  const { result, lines, hung } = await runProgram('ends', engine, { cpus: 16, n: n * EFFORT, end });
  expect(hung).toBeUndefined();
  expect(lines).toEqual(['ready', `total ${16 * n * EFFORT}`]);
  expect(result).toEqual({ kind: 'debug-exit', value: 0 });
});
