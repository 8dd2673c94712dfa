// The clients coverage and trace over programs of serai on four CPUs, in lockstep and on threads: each CPU's way has no gap, and both have met the same code.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import type { CoverageReport } from '../../../src/clients/coverage.ts';
import type { TraceReport } from '../../../src/clients/trace.ts';

const place = mkdtempSync(join(tmpdir(), 'several-cpus-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const CPUS = 4;
const CALLS = 300;
const append = `run="parallel call-sysenter ${CALLS} ${CPUS}; parallel spawn-exit 2 ${CPUS}; halt"`;
/** Code without a branch is not longer. */
const LONGEST = 512;

/** What is wrong with a trace of blocks, branches and crossings; and which blocks there were. */
function follow(lines: readonly string[]): { readonly gaps: string[]; readonly blocks: ReadonlySet<number> } {
  const gaps: string[] = [];
  const blocks = new Set<number>();
  /** Where each CPU is; undefined: nobody knows. */
  const at: (number | undefined)[] = new Array(CPUS).fill(undefined);
  for (const line of lines) {
    const [, cpu, what, eip, to] = /^(\d) (block|branch|kernel|user)(?: ([0-9a-f]{8}))?(?: > (\w+))?/.exec(line)!;
    const n = Number(cpu);
    const here = eip === undefined ? undefined : Number.parseInt(eip, 16);
    const from = at[n];
    if (here !== undefined && from !== undefined && (here < from || here - from > LONGEST)) gaps.push(`from ${from.toString(16)}: ${line}`);
    if (what === 'block') blocks.add(here!);
    at[n] = what === 'block' ? here : what === 'branch' && to !== 'far' ? Number.parseInt(to!, 16) : undefined;
  }
  return { gaps, blocks };
}

it.each<[string, Partial<MachineOptions>]>([
  ['in lockstep', { lockstep: { paced: false, seed: 1 } }],
  ['on threads', {}],
])(
  '%s',
  async (_name, more) => {
    const file = join(place, 'trace.txt');
    const clients = ['coverage:level=user', `trace:what=block+branch+crossing,level=user,whole=yes,file=${file}`];
    await using machine = await Machine.create({ kernel: SERAI, cpus: CPUS, memoryBytes: 32 * MiB, append, clients, ...more });
    expect(await machine.run()).toEqual({ kind: 'power-off' });
    const { coverage, trace } = machine.stats().clients as { readonly coverage: CoverageReport; readonly trace: TraceReport };
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const { gaps, blocks } = follow(lines);
    expect(gaps).toEqual([]);
    expect(coverage.blocks).toBe(blocks.size);
    trace.cpus.forEach(({ records, lost }, n) => {
      expect(lost).toBe(0);
      expect(records).toBe(lines.filter((line) => line.startsWith(`${n} `)).length);
      expect(records).toBeGreaterThan(100);
    });
    // SYSENTER, so many of all processes together.
    expect(lines.filter((line) => line.includes(' kernel by an instruction')).length).toBeGreaterThanOrEqual(CALLS);
  },
  60_000,
);
