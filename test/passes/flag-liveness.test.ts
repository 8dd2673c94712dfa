// Where flags matter at the start of blocks.
import { expect, test } from 'vitest';
import { liveFlags } from '../../src/passes/flag-liveness.ts';
import { readRegion } from '../../src/translate/text.ts';

const SET = 'flags sub32 0, 0 -> 0';
const INC = 'flags inc32 0, 1 -> 1';
const LOAD = '%9 = load32 0';
const cond = (cc: 'e' | 'b') => `%${cc === 'e' ? 8 : 7} = cond ${cc}`;

/** Blocks 1, 2, ...: operations. The live ones. */
function live(...blocks: readonly string[][]): number[] {
  const text = blocks.map((ops, i) => `0x${i + 1}:\n${ops.join('\n')}\n`).join('');
  return [...liveFlags(readRegion(text))].sort();
}

test('flags that are set before anybody looks do not matter', () => {
  expect(live([SET, LOAD, 'leave'])).toEqual([]);
  expect(live([LOAD, SET, 'leave'])).toEqual([1]);
  expect(live([cond('e'), SET, 'leave'])).toEqual([1]);
});

test('an access without a check shows nothing', () => {
  expect(live([`${LOAD} unchecked 0`, SET, 'leave'])).toEqual([]);
});

test('INC keeps CF alone', () => {
  expect(live([INC, cond('e'), SET, 'leave'])).toEqual([]);
  expect(live([INC, cond('b'), SET, 'leave'])).toEqual([1]);
  expect(live([INC, LOAD, SET, 'leave'])).toEqual([1]);
  expect(live([INC, 'leave'])).toEqual([1]);
});

test('what follows decides where a block says nothing; outside, somebody looks', () => {
  const both = 'branch if 1 to 0x2, else 0x3';
  expect(live([both], [SET, 'leave'], [SET, 'leave'])).toEqual([]);
  expect(live([both], [SET, 'leave'], [cond('e'), 'leave'])).toEqual([1, 3]);
  expect(live([both], [SET, 'leave'])).toEqual([1]);
  expect(live(['ret 0 to 0x2'], [SET, 'leave'])).toEqual([1]);
});

test('the end of a pass through a loop may be interrupted', () => {
  expect(live([SET, 'jump 0x2'], ['branch if 1 to 0x1, else 0x3'], [SET, 'leave'])).toEqual([2]);
});

test('a helper that stores or raises shows them, as a call does', () => {
  expect(live(['helper h() [stores]', SET, 'leave'])).toEqual([1]);
  expect(live(['helper h() [faults]', SET, 'leave'])).toEqual([1]);
  expect(live(['helper h()', SET, 'leave'])).toEqual([]);
  expect(live(['helper h() [flags w]', 'leave'])).toEqual([]);
  expect(live(['call 0x9, back 0x5', SET, 'leave'])).toEqual([1]);
});
