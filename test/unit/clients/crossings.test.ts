// Ways between the privilege levels: the client crossings, against what the client trace has of the same run of serai, and what the runtime does inline against calls of JavaScript. Two CPUs, in
// lockstep and on threads.
import { expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import type { CrossingsReport } from '../../../src/clients/crossings.ts';
import type { TraceReport } from '../../../src/clients/trace.ts';
import type { WaysReport } from './ways.ts';

const CALLS = 1000;
const append = `run="parallel call-sysenter ${CALLS} 2; parallel page-fault 200 2; parallel spawn-exit 4 2; halt"`;
const PAGE_FAULT = 14;
const CALL_VECTOR = 128;

it.each<[string, Partial<MachineOptions>]>([
  ['in lockstep', { lockstep: { paced: false } }],
  ['on threads', {}],
  ['in the interpreter', { engine: 'interpreter' }],
])('%s counts what there was', async (_name, more) => {
  await using machine = await Machine.create({ kernel: SERAI, cpus: 2, memoryBytes: 32 * MiB, append, ...more });
  const crossings = await machine.attach('crossings');
  const trace = await machine.attach('trace:what=crossing,records=32768');
  const ways = await machine.attach({ module: new URL('./ways.ts', import.meta.url) });
  expect(await machine.run()).toEqual({ kind: 'power-off' });
  expect((trace.report() as TraceReport).cpus.map(({ lost }) => lost)).toEqual([0, 0]);
  const traced = [...(trace.ask('take') as string).matchAll(/^(\d) kernel by (?:vector (\d+)|an instruction)/gm)].map(
    ([, cpu, vector]) => ({
      cpu: Number(cpu),
      vector: vector === undefined ? undefined : Number(vector),
    }),
  );
  const counts = (cpu?: number) => {
    const vectors = traced.filter((way) => cpu === undefined || way.cpu === cpu).map(({ vector }) => vector);
    const of = (is: (vector: number) => boolean) => vectors.filter((vector) => vector !== undefined && is(vector)).length;
    return {
      systemCalls: vectors.filter((vector) => vector === undefined || vector === CALL_VECTOR).length,
      pageFaults: of((vector) => vector === PAGE_FAULT),
      otherFaults: of((vector) => vector < 32 && vector !== PAGE_FAULT),
      interrupts: of((vector) => vector >= 32 && vector !== CALL_VECTOR),
      vectors: Object.fromEntries(
        [...new Set(vectors)].filter((vector) => vector !== undefined).map((vector) => [vector, of((other) => other === vector)]),
      ),
    };
  };
  const report = crossings.report() as CrossingsReport;
  expect(report).toEqual({ ...counts(), cpus: [counts(0), counts(1)] });
  expect(report.systemCalls).toBeGreaterThan(CALLS);
  expect(report.pageFaults).toBeGreaterThan(200);
  const { inline, called, eax } = ways.report() as WaysReport;
  expect(inline).toEqual(called);
  const fromOne = (ways: WaysReport['inline'][number], to: string) =>
    Object.entries(ways).reduce((sum, [name, [count]]) => sum + (name.startsWith(to) ? count : 0), 0);
  inline.forEach((one, cpu) => {
    expect(Math.abs(fromOne(one, 'kernel') - fromOne(one, 'user'))).toBeLessThan(2);
    expect(fromOne(one, 'kernel no_vector') + fromOne(one, 'kernel instruction')).toBe(report.cpus[cpu]!.systemCalls);
    expect(one['kernel exception 14']![1]).toBeGreaterThan(0);
    expect(eax[cpu]).toBeGreaterThan(0);
  });
});

it.each<[string, Partial<MachineOptions>]>([
  ['in lockstep', { lockstep: { paced: false } }],
  ['on threads', {}],
])(
  '%s comes and goes while both CPUs run',
  async (_name, more) => {
    await using machine = await Machine.create({ kernel: SERAI, cpus: 2, memoryBytes: 32 * MiB, ...more });
    const run = machine.run();
    const command = async (line: string) => {
      await machine.console.type(`${line}\n`);
      await machine.console.until('serai> ', { timeoutMs: 60_000 });
    };
    await machine.console.until('serai> ', { timeoutMs: 60_000 });
    await command(`parallel call-sysenter ${CALLS} 2`);
    const client = await machine.attach('crossings');
    const ways = await machine.attach({ module: new URL('./ways.ts', import.meta.url) });
    await command(`parallel call-sysenter ${CALLS} 2`);
    await client.detach();
    const { systemCalls, vectors } = client.report() as CrossingsReport;
    expect(systemCalls).toBeGreaterThanOrEqual(CALLS);
    expect(systemCalls).toBeLessThan(2 * CALLS);
    expect(vectors[PAGE_FAULT]).toBeGreaterThan(0);
    await command(`parallel call-sysenter ${CALLS} 2`);
    expect(client.report()).toMatchObject({ systemCalls, vectors });
    await ways.detach();
    const { inline, called } = ways.report() as WaysReport;
    expect(inline).toEqual(called);
    const calls = inline.reduce((sum, one) => sum + (one['kernel no_vector 0']?.[0] ?? 0), 0);
    expect(calls).toBeGreaterThanOrEqual(2 * CALLS);
    expect(calls).toBeLessThan(3 * CALLS);
    machine.stop('enough');
    await run;
  },
  120_000,
);
