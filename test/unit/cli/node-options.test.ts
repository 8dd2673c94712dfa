// Options of Node that the launchers start Dragoman with.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { nodeOptions } from '../../../bin/find-node.mjs';

test('V8 has a thread less than the host has cores, and at least one', () => {
  expect([1, 2, 3, 4].map((cores) => nodeOptions(cores, {}))).toEqual([1, 1, 2, 3].map((threads) => [`--v8-pool-size=${threads}`]));
});

test('a host with many cores is left as Node has it', () => {
  expect(nodeOptions(5, {})).toEqual([]);
  expect(nodeOptions(64, {})).toEqual([]);
});

test('what the user says of them holds', () => {
  expect(nodeOptions(2, { NODE_OPTIONS: '--no-warnings --v8-pool-size=3' })).toEqual([]);
});

test('Node takes them', () => {
  for (const cores of [1, 2, 4]) expect(spawnSync(process.execPath, [...nodeOptions(cores, {}), '-e', '0']).status).toBe(0);
});
