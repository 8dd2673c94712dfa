// Where flags matter at the start of blocks.
import { expect, test } from 'vitest';
import type { Op } from '../../src/ir/operations.ts';
import { type FlagsBlock, liveFlags } from '../../src/passes/flag-liveness.ts';
import { structure } from '../../src/passes/structure.ts';

const set: Op = { kind: 'flags', flag: 'sub', width: 32, a: 0, b: 0, r: 0 };
const inc: Op = { kind: 'flags', flag: 'inc', width: 32, a: 0, b: 0, r: 0 };
const load: Op = { kind: 'load', type: 'i32', bytes: 4, signed: false, address: 0, rmw: false };
const cond = (cc: 'e' | 'b'): Op => ({ kind: 'cond', type: 'i32', cc });
const nothing: Op = { kind: 'const', type: 'i32', value: 0 };

/** Blocks 1, 2, ...: operations, where they lead to, and whether they may leave. The live ones. */
function live(...list: readonly (readonly [ops: Op[], next: number[], leaves?: boolean, unchecked?: number[]])[]): number[] {
  const blocks = new Map(
    list.map(([ops, next, leaves = false, unchecked = []], i): [number, FlagsBlock] => [
      i + 1,
      { ops, next, leaves, unchecked: new Map(unchecked.map((at) => [at, 0])) },
    ]),
  );
  const flow = structure(1, new Map([...blocks].map(([n, { next }]) => [n, next])));
  return [...liveFlags(flow, blocks)].sort();
}

test('flags that are set before anybody looks do not matter', () => {
  expect(live([[set, load], [], true])).toEqual([]);
  expect(live([[load, set], [], true])).toEqual([1]);
  expect(live([[cond('e'), set], [], true])).toEqual([1]);
});

test('an access without a check shows nothing', () => {
  expect(live([[load, set], [], true, [0]])).toEqual([]);
});

test('INC keeps CF alone', () => {
  expect(live([[inc, cond('e'), set], [], true])).toEqual([]);
  expect(live([[inc, cond('b'), set], [], true])).toEqual([1]);
  expect(live([[inc, load, set], [], true])).toEqual([1]);
  expect(live([[inc], [], true])).toEqual([1]);
});

test('what follows decides where a block says nothing; outside, somebody looks', () => {
  expect(live([[nothing], [2, 3]], [[set], [], true], [[set], [], true])).toEqual([]);
  expect(live([[nothing], [2, 3]], [[set], [], true], [[cond('e')], [], true])).toEqual([1, 3]);
  expect(live([[nothing], [2], true], [[set], [], true])).toEqual([1]);
});

test('the end of a pass through a loop may be interrupted', () => {
  expect(live([[set], [2]], [[nothing], [1, 3]], [[set], [], true])).toEqual([2]);
});

test('a helper that stores or raises shows them', () => {
  const helper = (effects: object): Op => ({ kind: 'helper', type: undefined, name: 'h', args: [], effects });
  expect(live([[helper({ stores: true }), set], [], true])).toEqual([1]);
  expect(live([[helper({ mayFault: true }), set], [], true])).toEqual([1]);
  expect(live([[helper({}), set], [], true])).toEqual([]);
  expect(live([[helper({ flags: 'w' })], [], true])).toEqual([]);
});
