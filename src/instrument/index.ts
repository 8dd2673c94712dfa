// The instruments there are, and who asks for them.
import { Control } from '../layout/memory.ts';
import { budget } from './budget.ts';
import { counting } from './counting.ts';
import type { Instrument } from './instrument.ts';
import { prof } from './prof.ts';
import { strictOrder } from './strict-order.ts';
import { tracing } from './tracing.ts';

export type { BlockStart, Instrument } from './instrument.ts';
export { budget, counting, prof, strictOrder, tracing };

/** In the order in which they stand at the start of a block, each with the word of Control that asks for it. */
const ASKED: readonly (readonly [number, Instrument])[] = [
  [Control.at.lockstep, budget],
  [Control.at.countInstructions, counting],
  [Control.at.prof, prof],
  [Control.at.trace, tracing],
  [Control.at.strictOrder, strictOrder],
];

/** All of them, by name. */
export const INSTRUMENTS: ReadonlyMap<string, Instrument> = new Map(ASKED.map(([, instrument]) => [instrument.name, instrument]));

/** Those that a machine asks for. `word`: the word of Control at an offset. */
export const instrumentsAsked = (word: (offset: number) => number): Instrument[] =>
  ASKED.filter(([offset]) => word(offset) !== 0).map(([, instrument]) => instrument);

/** Sets of instruments at the start of the interpreter's blocks, each of which has a head of its own. */
export const HEADS = {
  head: [],
  headCounting: [counting],
  headBudget: [budget, counting],
  headTracing: [tracing],
  headCountingTracing: [counting, tracing],
  headBudgetTracing: [budget, counting, tracing],
} as const satisfies Record<string, readonly Instrument[]>;
export type HeadName = keyof typeof HEADS;

/** The head of blocks for such instruments. Throws where there is none. */
export function headFor(instruments: readonly Instrument[]): HeadName {
  const wanted = instruments.filter(({ block, transfers }) => block !== undefined && !transfers);
  const has = (list: readonly Instrument[]) => list.length === wanted.length && list.every((x) => wanted.includes(x));
  const found = Object.entries(HEADS).find(([, list]) => has(list));
  if (found === undefined) throw new Error(`no head of blocks for ${wanted.map(({ name }) => name).join(' and ')}`);
  return found[0] as HeadName;
}
