// The documentation agrees with the tree: every source opens with what it is for, the outline is of the present ones, and links lead somewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { firstSentence, outline } from '../../../scripts/outline.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

it('the outline is of the present sources (else: npm run bless)', () => {
  expect(readFileSync(`${root}docs/outline.md`, 'utf8')).toBe(outline());
});

it.each([
  ['// One. Two.\nconst a = 1;', 'One'],
  ['#!/usr/bin/env node\n// It goes on\n// here: see below. B.', 'It goes on here: see below'],
  ['// A list (SDM vol. 3, 9.1): of things\n', 'A list (SDM vol. 3, 9.1): of things'],
  ['// Says: This and that.\n', 'Says'],
  ['// One (two)\n//\n// and three.\n', 'One (two)'],
  ["import 'x';\n// late\n", undefined],
  ['', undefined],
])('opens with: %j', (source, sentence) => {
  expect(firstSentence(source)).toBe(sentence);
});

const pages = ['.', 'docs', 'bench', 'examples', 'test', 'guests'].flatMap((folder) =>
  readdirSync(root + folder, { recursive: folder !== '.', encoding: 'utf8' })
    // The reference of the API is made, and checked by what makes it.
    .filter((name) => name.endsWith('.md') && !(folder === 'docs' && name.startsWith('api')))
    .map((name) => join(folder, name)),
);
it.each(pages)('links of %s', (page) => {
  const text = readFileSync(root + page, 'utf8').replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!).filter((link) => !/^[a-z]+:/.test(link));
  const broken = links.filter((link) => {
    const [path, anchor] = link.split('#') as [string, string?];
    const file = path === '' ? page : join(dirname(page), path);
    if (!existsSync(root + file)) return true;
    return anchor !== undefined && !headings(file).includes(anchor);
  });
  expect(broken).toEqual([]);
});

/** Headings of a page as the anchors that they make. */
function headings(page: string): string[] {
  return [...readFileSync(root + page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
