// Each pass over regions as text: test/ir/*.ir has before and after, which `npm run bless` writes anew.
// Cannot prove: that what a pass makes means the same; test/fuzz and the guests run it.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { blessed, cases, KNOWN } from './cases.ts';

const folder = new URL('./', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.ir'));
const texts = new Map(files.map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));

describe.each(files)('%s', (name) => {
  const { list } = cases(texts.get(name)!);
  test.each(list)('$title', ({ text, now }) => {
    expect(now.trimEnd(), 'npm run bless writes it anew').toBe(text.trimEnd());
  });
  test('is as npm run bless writes it', () => {
    expect(blessed(texts.get(name)!)).toBe(texts.get(name));
  });
});

test('there are cases for every pass and every analysis', () => {
  const met = new Set([...texts.values()].flatMap((text) => cases(text).list.flatMap(({ passes }) => passes)));
  expect([...met].sort()).toEqual([...KNOWN].sort());
});
