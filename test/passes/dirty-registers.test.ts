import { expect, test } from 'vitest';
import type { Op } from '../../src/ir/operations.ts';
import { dirtyRegisters } from '../../src/passes/dirty-registers.ts';
import { structure } from '../../src/passes/structure.ts';

const set = (reg: number): Op => ({ kind: 'set', reg, value: 0 });
const helper = (reads: 'all' | readonly number[]): Op => ({
  kind: 'helper',
  type: undefined,
  name: 'h',
  args: [],
  effects: { reads, writes: 'all' },
});

function dirty(blocks: Record<number, { readonly ops: readonly Op[]; readonly next: readonly number[] }>): Record<number, number> {
  const map = new Map(Object.entries(blocks).map(([n, block]) => [Number(n), block]));
  const flow = structure(1, new Map([...map].map(([n, { next }]) => [n, next])));
  return Object.fromEntries(dirtyRegisters(flow, map));
}

test('what was set on any way is dirty', () => {
  const blocks = {
    1: { ops: [set(0)], next: [2, 3] },
    2: { ops: [set(1)], next: [4] },
    3: { ops: [], next: [4] },
    4: { ops: [set(2)], next: [] },
  };
  expect(dirty(blocks)).toEqual({ 1: 0, 2: 1, 3: 1, 4: 3 });
});

test('a loop brings what it sets back to its head', () => {
  const blocks = { 1: { ops: [], next: [2] }, 2: { ops: [], next: [3, 4] }, 3: { ops: [set(5)], next: [2] }, 4: { ops: [], next: [] } };
  expect(dirty(blocks)).toEqual({ 1: 0, 2: 32, 3: 32, 4: 32 });
});

test('behind a helper that is given all registers and may change all, none is dirty', () => {
  const blocks = {
    1: { ops: [set(0), helper('all'), set(3)], next: [2] },
    2: { ops: [set(1), helper([1])], next: [3] },
    3: { ops: [], next: [] },
  };
  expect(dirty(blocks)).toEqual({ 1: 0, 2: 8, 3: 10 });
});
