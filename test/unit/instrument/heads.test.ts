// Which head the interpreter's blocks have for the instruments that a machine asks for.
// Cannot prove: that the heads do what they should; test/unit/machine/trace.test.ts and test/machine's lockstep run them.
import { expect, test } from 'vitest';
import { pseudoIndex } from '../../../src/emit/interpreter/table.ts';
import {
  budget,
  counting,
  HEADS,
  headFor,
  INSTRUMENTS,
  instrumentsAsked,
  prof,
  strictOrder,
  tracing,
} from '../../../src/instrument/index.ts';
import { Control } from '../../../src/layout/memory.ts';

/** What machines ask for; lockstep counts in any case. */
const ASKED = [
  [],
  ['countInstructions'],
  ['countInstructions', 'lockstep'],
  ['trace'],
  ['trace', 'countInstructions'],
  ['trace', 'countInstructions', 'lockstep'],
] as const;

test('each set of instruments has a head of its own, in the table', () => {
  const heads = ASKED.map((words) => headFor(instrumentsAsked((offset) => (words.some((word) => Control.at[word] === offset) ? 1 : 0))));
  expect(new Set(heads)).toEqual(new Set(Object.keys(HEADS)));
  expect(new Set(heads.map(pseudoIndex)).size).toBe(ASKED.length);
});

test('what adds nothing to blocks needs no head', () => {
  expect(headFor([strictOrder])).toBe('head');
  expect(headFor([strictOrder, counting])).toBe('headCounting');
});

test('what has handlers of its own is in all of their heads', () => {
  expect(headFor([prof])).toBe('head');
  expect(headFor([budget, counting, prof])).toBe('headBudget');
});

test('a set without a head is an error that names it', () => {
  expect(() => headFor([budget, tracing])).toThrow('budget and tracing');
});

test('each instrument has a name of its own and does something', () => {
  expect([...INSTRUMENTS.keys()]).toEqual([...INSTRUMENTS.values()].map(({ name }) => name));
  for (const { block, operation } of INSTRUMENTS.values()) expect(block ?? operation).toBeDefined();
});
