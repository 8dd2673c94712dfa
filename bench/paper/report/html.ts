// The report as one page that needs nothing but itself: opens from a disk, without a network, and is readable without scripts.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Goal, PaperResult } from '../result.ts';
import { day, NONE, plural } from './cells.ts';
import type { Chart } from './chart-data.ts';
import { factsOf, guestName, warningOf } from './facts.ts';
import type { HistoryEntry } from './history.ts';
import { type Section, sectionsOf } from './sections.ts';
import { headlineTable, measuredText, metText, type PaperTable } from './tables.ts';

const PAGE = fileURLToPath(new URL('page/', import.meta.url));
const CHART_JS = createRequire(import.meta.url)
  .resolve('chart.js')
  .replace(/chart\.cjs$/, 'chart.umd.min.js');

export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? '&#39;');

/** JSON that ends no script. */
export const embedJson = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** A script's text that ends none. */
const embedScript = (text: string): string => text.replaceAll(/<(?=\/script|!--)/gi, '\\x3c');

/** A script of page/ with what it imports. */
async function script(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [PAGE + name],
    bundle: true,
    format: 'iife',
    target: 'es2022',
    minify: true,
    write: false,
  });
  return embedScript(outputFiles[0]!.text);
}

/** '0.62x ±4%' as 0.62. */
const leading = (cell: string): number => Number(/^([\d.,]+)x/.exec(cell)?.[1]?.replaceAll(',', '') ?? Number.NaN);

/** Text of more characters than this may take several lines. */
const LONG = 24;
/** Tables of more columns than this are set closer. */
const WIDE = 8;

function cellClass(cell: string, isWord: boolean, lowerIsBetter: boolean): string {
  const names = isWord ? ['word', ...(cell.length > LONG ? ['long'] : [])] : [];
  if (/\bfailed\b/.test(cell) && !isWord) names.push('failed');
  else if (lowerIsBetter && leading(cell) < 0.995) names.push('better');
  else if (lowerIsBetter && leading(cell) > 1.005) names.push('worse');
  return names.length === 0 ? '' : ` class="${names.join(' ')}"`;
}

/** How much to believe a ratio is small beside it. */
const cellText = (cell: string): string => {
  const [, ratio, rest] = /^([\d.,]+x)( .+)$/.exec(cell) ?? [];
  return ratio === undefined ? escapeHtml(cell) : `${ratio}<small>${escapeHtml(rest!)}</small>`;
};

export function htmlTable({ title, head, rows, notes = [], strong = [], words = [], lowerIsBetter = false }: PaperTable): string {
  const headCell = (name: string, k: number) => `<th scope="col"${words.includes(k) ? ' class="word"' : ''}>${escapeHtml(name)}</th>`;
  const line = ([name, ...cells]: readonly string[], k: number) => {
    const rest = cells.map((cell, at) => `<td${cellClass(cell, words.includes(at + 1), lowerIsBetter)}>${cellText(cell)}</td>`);
    return `<tr${strong.includes(k) ? ' class="strong"' : ''}><th scope="row">${escapeHtml(name!)}</th>${rest.join('')}</tr>`;
  };
  const list = notes.length === 0 ? '' : `<ul class="notes">${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`;
  return `<div class="scroll" role="region" aria-label="${escapeHtml(title)}" tabindex="0"><table${head.length > WIDE ? ' class="wide"' : ''}><caption><span>${escapeHtml(title)}</span></caption>
<thead><tr>${head.map(headCell).join('')}</tr></thead>
<tbody>
${rows.map(line).join('\n')}
</tbody></table></div>${list}`;
}

/** Of a chart's canvas. */
function heightOf({ data }: Chart): number {
  return data.kind === 'lines' ? 300 : data.labels.length * (data.series.length * 8 + 9) + 100;
}

/** `within`: the heading that it stands below; `height`: of the canvas, in pixels. */
const figure = (
  chart: Chart,
  within: string,
  height: number,
): string => `<figure>${chart.title === within ? '' : `<h4>${escapeHtml(chart.title)}</h4>`}
<div class="canvas" style="height:${height}px"><canvas id="chart-${chart.id}" role="img" aria-label="${escapeHtml(`${chart.title}. ${chart.finding.join(' ')}`)}"></canvas></div>
<figcaption>${chart.finding.map((one) => `<p>${escapeHtml(one)}</p>`).join('')}</figcaption></figure>`;

function section({ id, title, intro, parts }: Section): string {
  const body = parts.map((part) => {
    const heading = part.title === '' ? '' : `<h3>${escapeHtml(part.title)}</h3>`;
    // Beside each other they have the same rows.
    const height = Math.max(0, ...part.charts.map(heightOf));
    const charts =
      part.charts.length === 0
        ? ''
        : `<div class="charts">${part.charts.map((chart) => figure(chart, part.title, height)).join('\n')}</div>`;
    // What a chart shows already need not be in the way.
    const tables = part.tables.map((table, k) =>
      part.charts.length === 0 && k === 0
        ? `<div class="plain">${htmlTable(table)}</div>`
        : `<details><summary>${escapeHtml(part.tables.length === 1 ? 'All figures' : `All figures: ${table.brief ?? table.title}`)}</summary>${htmlTable(table)}</details>`,
    );
    return `<div class="part" id="${part.id}">${heading}${charts}${tables.join('\n')}</div>`;
  });
  return `<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${escapeHtml(title)}</h2>
<p class="intro">${escapeHtml(intro)}</p>
${body.join('\n')}</section>`;
}

function goalCard(goal: Goal): string {
  const met = metText(goal);
  const mark = met === 'met' ? '✓ ' : met === 'missed' ? '✕ ' : '';
  const name = met === 'not measured' ? 'open' : met;
  return `<li class="goal ${name}"><span class="name">${escapeHtml(goal.name)}</span><span class="figure">${escapeHtml(measuredText(goal))}</span>
<span class="asked"><span>asked: ${escapeHtml(goal.asked)}</span><span class="badge">${mark}${met}</span></span></li>`;
}

function summary(result: PaperResult): string {
  const { goals } = result;
  const met = goals.filter((goal) => goal.met === true).length;
  const headline = headlineTable(result);
  const cards = goals.length === 0 ? '' : `<ul class="goals">${goals.map(goalCard).join('\n')}</ul>`;
  const open = goals.filter((goal) => metText(goal) === 'not measured').length;
  const text =
    goals.length === 0
      ? ''
      : `<p class="intro">${met} of ${plural(goals.length, 'goal')} met${open === 0 ? '' : `, ${open} not measured`}.</p>`;
  return `<section id="summary" aria-labelledby="summary-title"><h2 id="summary-title">Summary</h2>
${text}
${cards}${headline === undefined ? '' : `<div class="headline">${htmlTable(headline)}</div>`}</section>`;
}

const skipped = (lines: readonly string[]): string =>
  lines.length === 0
    ? ''
    : `<section id="skipped" aria-labelledby="skipped-title"><h2 id="skipped-title">Skipped</h2>
<p class="intro">What did not run, and why.</p><ul class="notes">${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul></section>`;

/** Sections, and the parts of those that have several. */
function contents(sections: readonly Section[], hasSkipped: boolean): string {
  const link = (id: string, title: string) => `<a href="#${id}">${escapeHtml(title)}</a>`;
  const items = sections.map(({ id, title, parts }) => {
    const below = id === 'figures' ? `<ol>${parts.map((part) => `<li>${link(part.id, part.title)}</li>`).join('')}</ol>` : '';
    return `<li>${link(id, title)}${below}</li>`;
  });
  return `<ol><li>${link('summary', 'Summary')}</li>${items.join('')}${hasSkipped ? `<li>${link('skipped', 'Skipped')}</li>` : ''}</ol>`;
}

function leadOf({ subjects, guest }: PaperResult): string {
  const others = subjects.filter(({ kind }) => kind === 'peer' || kind === 'native').map(({ name }) => name);
  const list = others.length < 2 ? others.join('') : `${others.slice(0, -1).join(', ')} and ${others.at(-1)}`;
  return `${guestName(guest)}, translated into WebAssembly block by block while it runs${list === '' ? '' : `, beside ${list}`}: what its system calls, processes, files and network cost.`;
}

/** The page. Throws where the scripts cannot be built. */
export async function html(result: PaperResult, entries: readonly HistoryEntry[]): Promise<string> {
  const sections = sectionsOf(result, entries);
  const charts = sections.flatMap(({ parts }) => parts.flatMap((part) => part.charts));
  const [template, css, chartjs, early, page] = await Promise.all([
    readFile(`${PAGE}template.html`, 'utf8'),
    readFile(`${PAGE}page.css`, 'utf8'),
    readFile(CHART_JS, 'utf8'),
    script('early.ts'),
    script('page.ts'),
  ]);
  const warning = warningOf(result);
  const heading = `Dragoman\u00a0${result.version}, measured`;
  const texts: Readonly<Record<string, string>> = {
    head: `<title>${escapeHtml(`${heading} (${day(result.date)})`)}</title><style>${css}</style><script>${early}</script>`,
    heading: `<h1>${escapeHtml(heading)}</h1>`,
    lead: escapeHtml(leadOf(result)),
    facts: factsOf(result)
      .map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value === '' ? NONE : value)}</dd></div>`)
      .join(''),
    warning: warning === undefined ? '' : `<p class="warning">${escapeHtml(warning)}</p>`,
    contents: contents(sections, result.skipped.length > 0),
    main: [summary(result), ...sections.map(section), skipped(result.skipped)].join('\n'),
    footer: escapeHtml(`Made by npm run bench -- paper from commit ${result.commit}, ${result.date}. Charts by Chart.js (MIT).`),
    scripts: [
      `<script type="application/json" id="charts">${embedJson(charts.map(({ id, data }) => ({ id, data })))}</script>`,
      `<script>${embedScript(chartjs.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'))}</script>`,
      `<script>${page}</script>`,
    ].join('\n'),
  };
  return template.replaceAll(/<!-- \{\{(\w+)\}\} -->/g, (_, name: string) => texts[name]!);
}
