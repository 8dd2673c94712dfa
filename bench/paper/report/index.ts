// The report of a result, written to files: a page for people to open, Markdown for docs/results.md.
import { writeFile } from 'node:fs/promises';
import type { PaperResult } from '../result.ts';
import type { HistoryEntry } from './history.ts';
import { html } from './html.ts';
import { markdown } from './markdown.ts';

export { historyEntry, readHistory, writeHistory } from './history.ts';
export { tables } from './sections.ts';

export interface ReportOptions {
  /** Where the page goes; undefined: nowhere. */
  readonly html?: string;
  readonly markdown?: string;
  /** The releases so far, the oldest first: readHistory. */
  readonly history: readonly HistoryEntry[];
}

export async function writeReport(result: PaperResult, { html: page, markdown: text, history }: ReportOptions): Promise<void> {
  if (page !== undefined) await writeFile(page, await html(result, history));
  if (text !== undefined) await writeFile(text, markdown(result, history));
}
