// Lockstep machines with several CPUs: the same interleaving for a seed, another one for another; whole SMP programs under it.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SERAI } from '../../guests/serai.ts';
import { type EngineName, Machine, type Mode } from '../../src/api/index.ts';
import { MEMORY, machineFor, type Options } from './programs.ts';

/** Runs a machine; all that must be the same in each run. */
async function facts(machine: Machine, text: () => string) {
  const result = await machine.run();
  const { instructionsByCpu, lockstep } = machine.stats();
  return { result, text: text(), instructionsByCpu, lockstep, hash: machine.memoryHash() };
}

async function run(name: string, engine: EngineName, options: Options, seed: number) {
  let text = '';
  const { machine } = await machineFor(name, engine, options, {
    onDebugConsole: (bytes) => (text += Buffer.from(bytes).toString()),
    lockstep: { seed, paced: false },
  });
  return facts(machine, () => text);
}

const ROUNDS = 3000;
const plainOf = (text: string) => Number(/^plain (\d+) locked \d+\n$/.exec(text)?.[1]);

describe.each(['interpreter', 'jit'] as const)('%s', (engine) => {
  it('shows a race: another result with another seed, the same with the same', async () => {
    const options = { cpus: 2, n: ROUNDS };
    const results = new Map<number, string>();
    for (const seed of [1, 2, 3, 1]) {
      const { result, ...rest } = await run('race', engine, options, seed);
      expect(result).toEqual({ kind: 'debug-exit', value: 0 });
      expect(rest.text).toMatch(new RegExp(` locked ${2 * ROUNDS}\n$`));
      // Some additions are lost, not all.
      expect(plainOf(rest.text)).toBeGreaterThan(ROUNDS / 2);
      expect(plainOf(rest.text)).toBeLessThan(2 * ROUNDS);
      const all = JSON.stringify(rest);
      expect(results.get(seed) ?? all).toBe(all);
      results.set(seed, all);
    }
    expect(new Set([...results.values()].map((text) => plainOf(JSON.parse(text).text as string))).size).toBe(3);
  });

  it('runs serai on 4 CPUs, twice the same, with few regions at once and in another mode as well', async () => {
    const session = async (maxRegions?: number, mode?: Mode) => {
      let text = '';
      const machine = await Machine.create({
        engine,
        kernel: readFileSync(SERAI),
        cpus: 4,
        maxRegions,
        mode,
        append: 'run="cpus; primes 20000; run hello; halt"',
        memoryBytes: MEMORY,
        onConsole: (bytes) => (text += Buffer.from(bytes).toString()),
        lockstep: { seed: 9, paced: false },
      });
      const all = await facts(machine, () => text);
      if (maxRegions !== undefined) expect(machine.stats().translator.flushes > 0).toBe(engine === 'jit');
      return all;
    };
    const first = await session();
    expect(first.result).toEqual({ kind: 'power-off' });
    expect(first.text).toContain('4 CPUs online');
    expect(first.text).toMatch(/2262 primes up to 20000, on 4 CPUs/);
    expect(await session()).toEqual(first);
    expect(await session(32)).toEqual(first);
    expect(await session(undefined, 'classic')).toEqual(first);
  });
});
