// The report as Markdown: tables that GitHub shows, whatever is in their cells.
import { expect, it } from 'vitest';
import { factsOf } from '../../../bench/paper/report/facts.ts';
import { historyEntry } from '../../../bench/paper/report/history.ts';
import { escapeMarkdown, markdown, markdownTable } from '../../../bench/paper/report/markdown.ts';
import { tables } from '../../../bench/paper/report/sections.ts';
import { result, wholeResult } from './paper-fixture.ts';

it('shows text as it is, on one line', () => {
  expect(escapeMarkdown('a | b')).toBe('a \\| b');
  expect(escapeMarkdown('<b> & &lt;')).toBe('&lt;b&gt; &amp; &amp;lt;');
  expect(escapeMarkdown('*x* _y_ `z` [l](m) \\ ~~')).toBe('\\*x\\* \\_y\\_ \\`z\\` \\[l\\](m) \\\\ \\~\\~');
  expect(escapeMarkdown('two\n  lines')).toBe('two lines');
});

it('has a table with text to the left, figures to the right and sums in bold', () => {
  const table = {
    title: 'T|',
    head: ['row', 'who', 'n'],
    rows: [
      ['a', 'b', '1'],
      ['mean', '', '2'],
    ],
    strong: [1],
    words: [1],
    notes: ['n < 3'],
  };
  expect(markdownTable(table)).toBe(
    ['**T\\|**', '', '| row | who | n |', '| --- | --- | --: |', '| a | b | 1 |', '| **mean** |  | **2** |', '', '* n &lt; 3', ''].join(
      '\n',
    ),
  );
});

it('has all tables and what was skipped, the same each time, each line with its table’s columns', () => {
  const entries = [historyEntry(wholeResult())];
  const text = markdown(wholeResult(), entries);
  expect(markdown(JSON.parse(JSON.stringify(wholeResult())), entries)).toBe(text);
  for (const { title } of tables(wholeResult(), entries)) expect(text).toContain(`**${escapeMarkdown(title)}**`);
  expect(text).toContain('* firefox &lt;browser&gt;: not installed');
  expect(text).toContain('mmap -12 &lt;no memory&gt; \\| a &amp; b');
  let columns = 0;
  for (const line of text.split('\n')) {
    const cells = line.startsWith('|') ? line.split(/(?<!\\)\|/).length : 0;
    if (columns !== 0 && cells !== 0) expect(cells, line).toBe(columns);
    columns = cells;
  }
});

it('says which kernel was the guest', () => {
  const guest = (name: string) => new Map(factsOf({ ...result(), guest: name })).get('guest');
  expect([guest('6.1.0-41-686'), guest('serai')]).toEqual(['Linux 6.1.0-41-686', 'serai']);
});

it('says first that a run was a quick one', () => {
  expect(markdown(result({ quick: true }), [])).toMatch(/^\*\*A quick run/);
  expect(markdown(result(), [])).not.toContain('quick');
});
