// The report's tables as GitHub's Markdown, for docs/results.md: the same text for the same result.
import type { PaperResult } from '../result.ts';
import { factsOf, warningOf } from './facts.ts';
import type { HistoryEntry } from './history.ts';
import { sectionsOf, summaryTables } from './sections.ts';
import type { PaperTable } from './tables.ts';

/** Text that Markdown shows as it is, on one line. */
export const escapeMarkdown = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~]/g, '\\$&')
    .replaceAll(/\s*[\r\n]+\s*/g, ' ');

/** A table: its title in bold, rows, notes as a list. */
export function markdownTable({ title, head, rows, notes = [], strong = [], words = [] }: PaperTable): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const cells = (row: readonly string[], isStrong: boolean) =>
    row.map((cell) => (isStrong && cell !== '' ? `**${escapeMarkdown(cell)}**` : escapeMarkdown(cell)));
  const out = [
    `**${escapeMarkdown(title)}**`,
    '',
    line(head.map(escapeMarkdown)),
    line(head.map((_, k) => (k === 0 || words.includes(k) ? '---' : '--:'))),
    ...rows.map((row, k) => line(cells(row, strong.includes(k)))),
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `* ${escapeMarkdown(note)}`)]),
  ];
  return `${out.join('\n')}\n`;
}

export function markdown(result: PaperResult, entries: readonly HistoryEntry[]): string {
  const facts = factsOf(result).map(([name, value]) => `${name}: ${value}`);
  const warning = warningOf(result);
  const out = [
    ...(warning === undefined ? [] : [`**${escapeMarkdown(warning)}**\n`]),
    `${escapeMarkdown(facts.join('; '))}.\n`,
    ...summaryTables(result).map(markdownTable),
    ...sectionsOf(result, entries).flatMap(({ title, intro, parts }) => [
      `## ${escapeMarkdown(title)}\n\n${escapeMarkdown(intro)}\n`,
      ...parts.flatMap((part) => part.tables.map(markdownTable)),
    ]),
    ...(result.skipped.length === 0 ? [] : [`## Skipped\n\n${result.skipped.map((line) => `* ${escapeMarkdown(line)}\n`).join('')}`]),
  ];
  return out.join('\n');
}
