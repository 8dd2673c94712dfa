// Every program of test/guest with the client prof, whose handlers and regions are others: they do what they did, and what is counted of them adds up.
import { describe, expect, test } from 'vitest';
import type { RelaxTerm } from '../../src/api/relax.ts';
import { type GuestProgram, guestNames, readProgram, runGuest } from '../harness/asm.ts';
import { type CountingEngine, createCountingEngine } from '../harness/cpu-engine.ts';

const total = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0);

function check(engine: CountingEngine, program: GuestProgram, relax?: readonly RelaxTerm[]): void {
  const differences = runGuest(engine, program, relax);
  if (differences.length) throw new Error(differences.join('\n'));
  const { kernel, user } = engine.counted;
  expect(kernel.instructions).toBeGreaterThan(0);
  for (const level of [kernel, user]) {
    expect(level.firstLevel + level.secondLevel + level.misses).toBe(level.indirectBranches);
    expect(level.returns + level.jumps).toBe(level.indirectBranches);
    expect(total(Object.values(level.dispatcher).flatMap((by) => Object.values(by)))).toBe(level.dispatcherEntries);
  }
}

describe.each([
  ['interpreter', undefined],
  ['jit', undefined],
  ['jit', ['off']],
] as const)('%s, relying on %j', (engineName, relax) => {
  const engine = createCountingEngine(engineName);
  for (const name of guestNames()) {
    const program = readProgram(name);
    const { about, engines, relax: own } = program.header;
    if (engines?.includes(engineName) === false || (relax !== undefined && own !== undefined)) continue;
    test(`${name}: ${about}`, () => check(engine, program, relax));
  }
});

test('calls of the system and their ends are crossings', () => {
  const engine = createCountingEngine('jit');
  check(engine, readProgram('sysenter'));
  const { kernel, user } = engine.counted;
  expect(user.crossings).toBeGreaterThan(0);
  expect(kernel.crossings).toBeGreaterThan(0);
});
