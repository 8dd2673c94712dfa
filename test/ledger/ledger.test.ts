// The ledger is what the translator makes now: a change of code quality is a diff of test/ledger/*.txt to read, then `npm run bless`.
// Cannot prove: that the code is right, or fast; only that it did not change unseen.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ledger } from './ledger.ts';

const folder = new URL('./', import.meta.url);
const files = ledger();

test('there is a text for each family and function, and no other', () => {
  expect(
    readdirSync(folder)
      .filter((name) => name.endsWith('.txt'))
      .sort(),
  ).toEqual([...files.keys()].sort());
});

test.each([...files.keys()])('%s is as it was blessed', (name) => {
  expect(files.get(name), 'npm run bless writes the ledger anew').toBe(readFileSync(new URL(name, folder), 'utf8'));
});
