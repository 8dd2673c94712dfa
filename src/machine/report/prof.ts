// What the client prof has counted, from the words of all CPUs (layout/prof.ts), and of that what belongs to a part of the run.
import type { ProfLevel, ProfStats } from '../../api/options.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import { CpuArea, cpuBase } from '../../layout/memory.ts';
import { PROF_OUTCOMES, ProfCounts, ProfOutcome, ProfReason } from '../../layout/prof.ts';
import { constantName } from './dump.ts';

/** Outcomes for which the jump cache did not know the code. */
const UNKNOWN: readonly number[] = [ProfOutcome.HASH, ProfOutcome.DECODE, ProfOutcome.FAULT];
const LEVELS = ['kernel', 'user'] as const;
const WORDS = ProfCounts.size / 8;

/** All counts of all levels, as they are in memory, CPUs added up. */
export type ProfCounters = readonly number[];

export function readProf({ i32, plan }: SharedMemory): ProfCounters {
  const bases = Array.from({ length: plan.cpuCount }, (_, cpu) => (cpuBase(plan, cpu) + CpuArea.at.prof) >> 2);
  const count = (at: number) => (i32[at]! >>> 0) + (i32[at + 1]! >>> 0) * 2 ** 32;
  return Array.from({ length: LEVELS.length * WORDS }, (_, n) => bases.reduce((sum, base) => sum + count(base + 2 * n), 0));
}

/** What was counted between two looks. */
export const countedBetween = (before: ProfCounters | undefined, now: ProfCounters): ProfCounters =>
  before === undefined ? now : now.map((count, n) => count - before[n]!);

function levelOf(counters: ProfCounters, level: number): ProfLevel {
  const at = (offset: number) => counters[level * WORDS + offset / 8]!;
  const { dispatcher: entries, ...offsets } = ProfCounts.at;
  const counts = Object.fromEntries(Object.entries(offsets).map(([name, offset]) => [name, at(offset)])) as Record<
    keyof typeof offsets,
    number
  >;
  const { instructions, returns, jumps, firstLevel, secondLevel, misses, waitedReturns, inlinedReturns, crossings, direct } = counts;
  const dispatcher: Record<string, Record<string, number>> = {};
  let dispatcherEntries = 0;
  let lookUps = 0;
  for (const [reason, r] of Object.entries(ProfReason))
    for (const [outcome, o] of Object.entries(ProfOutcome)) {
      const count = at(entries + (r * PROF_OUTCOMES + o) * 8);
      if (count === 0) continue;
      dispatcherEntries += count;
      if (UNKNOWN.includes(o)) lookUps += count;
      (dispatcher[constantName(reason)] ??= {})[constantName(outcome)] = count;
    }
  return {
    instructions,
    indirectBranches: returns + jumps,
    returns,
    jumps,
    firstLevel,
    secondLevel,
    misses,
    directReturns: waitedReturns + inlinedReturns,
    waitedReturns,
    inlinedReturns,
    crossings,
    directJumps: direct,
    dispatcherEntries,
    lookUps,
    dispatcher,
  };
}

export const profStats = (counters: ProfCounters, begun: boolean, ended: boolean): ProfStats => ({
  begun,
  ended,
  kernel: levelOf(counters, 0),
  user: levelOf(counters, 1),
});
