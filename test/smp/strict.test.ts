// The strict order of memory accesses, which hosts that are no x86 need (docs/memory-model.md): every access is sequentially consistent, so on
// any host a litmus test shows no more than the interleavings of the CPUs' steps. And all else is as ever.
import { describe, expect, it } from 'vitest';
import { checkProgram, LITMUS, PROGRAMS } from './checks.ts';
import { EFFORT, runProgram } from './programs.ts';

const TIMEOUT = 60_000 * Math.max(EFFORT, 1);
const BATCHES = 8;

/** Results by test, as litmus.asm prints them: "NAME result:count ...". */
const resultsOf = (lines: readonly string[]) =>
  new Map(lines.map((line) => [line.split(' ')[0]!, [...line.matchAll(/ (\d+):\d+/g)].map(([, digits]) => digits!)]));

describe.each(['interpreter', 'jit'] as const)('%s', (engine) => {
  it(
    'shows no result of a store buffer',
    async () => {
      const options = { cpus: 2, n: BATCHES * EFFORT, priorities: 1 };
      const { lines, result } = await runProgram('litmus', engine, options, { strictOrder: true });
      expect(result).toEqual({ kind: 'debug-exit', value: 0 });
      expect(checkProgram('litmus', lines, options).problems).toEqual([]);
      const results = resultsOf(lines);
      const relaxed = Object.entries(LITMUS).filter(([, { cpus, relaxed }]) => cpus === 2 && relaxed !== undefined);
      expect(relaxed.length).toBeGreaterThan(1);
      for (const [name, { relaxed: pattern }] of relaxed) {
        expect(results.get(name), name).not.toHaveLength(0);
        expect(
          results.get(name)!.filter((digits) => pattern!.test(digits)),
          name,
        ).toEqual([]);
      }
    },
    TIMEOUT,
  );

  it.skipIf(engine === 'interpreter' && process.env.DRAGOMAN_LONG_TESTS !== '1').each(['locked', 'smc', 'shootdown'])(
    'runs %s',
    async (program) => {
      const [{ cpus, n }] = PROGRAMS[program]!.runs;
      const options = { cpus, n: Math.ceil(n / 4) * EFFORT, priorities: 1 };
      const { lines, result } = await runProgram(program, engine, options, { strictOrder: true });
      expect(result).toEqual({ kind: 'debug-exit', value: 0 });
      expect(checkProgram(program, lines, options).problems).toEqual([]);
    },
    TIMEOUT,
  );
});
