// The report's page: one file that asks for nothing else, and in a real browser, opened from the disk, its charts, colours and list of contents.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedJson, escapeHtml, html, htmlTable } from '../../../bench/paper/report/html.ts';
import { historyEntry, writeReport } from '../../../bench/paper/report/index.ts';
import { findChromium, launch } from '../../browser/chromium.ts';
import { group, result, row, wholeResult } from './paper-fixture.ts';

const chromium = findChromium();
if (chromium === undefined && process.env.CI === 'true') throw new Error('no Chromium: apt-get install chromium');
const name = chromium === undefined ? 'in a browser (skipped: no Chromium in PATH, nor in DRAGOMAN_CHROMIUM)' : 'in a browser';

const entry = historyEntry(wholeResult());
const HISTORY = [{ ...entry, version: '0.1.0', date: '2026-01-01T00:00:00Z' }, entry];
const NASTY = '</script><img src=x onerror=alert(1)>|&"\'$&';

let folder: string;
let text: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paper-page-'));
  path = join(folder, 'report.html');
  await writeReport(wholeResult(), { html: path, markdown: join(folder, 'report.md'), history: HISTORY });
  text = await readFile(path, 'utf8');
});
afterAll(() => rm(folder, { recursive: true }));

const LONG = process.env.DRAGOMAN_LONG_TESTS === '1';
it('is one file: nothing in it is asked of elsewhere', async () => {
  expect(text).toMatch(/^<!doctype html>/);
  // Scripts and styles aside, whose text only looks like markup.
  const markup = text.replaceAll(/(<(script|style)\b[^>]*>).*?<\/\2>/gs, '$1');
  expect(markup).not.toMatch(/\bsrc\s*=|https?:|url\(|@import|<iframe|<object/i);
  expect([...markup.matchAll(/\bhref="([^"]*)"/g)].map(([, to]) => to!).filter((to) => !to.startsWith('#'))).toEqual(['data:,']);
  const [, css] = /<style>(.*?)<\/style>/s.exec(text)!;
  expect(css).not.toMatch(/url\(|@import/);
  expect(text).not.toContain('sourceMappingURL');
  expect(text).not.toMatch(/<!-- \{\{/);
  expect(text).toContain('Chart.js v');
  expect(await readFile(join(folder, 'report.md'), 'utf8')).toContain('| relaxed / qemu |');
});

it('is the same for the same result', async () => {
  expect(await html(wholeResult(), HISTORY)).toBe(text);
});

it('has a link for each section, and an anchor for each link, no name twice', () => {
  const ids = [...text.replaceAll(/<script\b.*?<\/script>/gs, '').matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id!);
  expect(new Set(ids).size).toBe(ids.length);
  const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!);
  for (const link of links) expect(ids).toContain(link);
  for (const [, section] of text.matchAll(/<section id="([^"]+)"/g)) expect(links).toContain(section);
});

it('takes text for text', async () => {
  expect(escapeHtml('<a href="x">\'&amp;')).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;');
  expect(embedJson(['</script><!--'])).toBe('["\\u003c/script>\\u003c!--"]');
  expect(JSON.parse(embedJson([NASTY]))).toEqual([NASTY]);
  expect(htmlTable({ title: NASTY, head: [NASTY], rows: [[NASTY]], notes: [NASTY] })).not.toMatch(/<(script|img)/);
  const page = await html(
    result({
      commit: NASTY,
      version: NASTY,
      guest: NASTY,
      skipped: [NASTY],
      goals: [{ name: NASTY, asked: NASTY, measured: 1, met: true }],
      groups: [group([row(NASTY, { relaxed: [1], qemu: [2] })], { title: NASTY, workload: NASTY })],
    }),
    [],
  );
  expect(page).not.toContain('<img');
  expect(page.match(/<\/script>/g)).toHaveLength(text.match(/<\/script>/g)!.length);
});

it('says what failed, was missed, or was skipped', () => {
  expect(text).toContain('<td class="failed">failed: qemu</td>');
  expect(text).toContain('✕ missed');
  expect(text).toContain('firefox &lt;browser&gt;: not installed');
});

describe.skipIf(chromium === undefined)(name, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch(chromium!);
  });
  afterAll(async () => {
    await browser?.close();
  });

  /** The page, what it said on its console, and what else it asked for. */
  async function open(at: string, options: Parameters<Browser['newPage']>[0] = {}) {
    const page = await browser.newPage({ reducedMotion: 'reduce', colorScheme: 'light', ...options });
    const said: string[] = [];
    const asked: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    page.on('request', (request) => asked.push(request.url()));
    const url = pathToFileURL(at).href;
    await page.goto(url);
    return { page, said, others: () => asked.filter((one) => one !== url && !one.startsWith('data:')) };
  }

  /** Of each chart, which colours are on it, with how many pixels. */
  const coloursOf = (page: Page): Promise<Record<string, Record<string, number>>> =>
    page.evaluate(() => {
      const all: Record<string, Record<string, number>> = {};
      for (const canvas of document.querySelectorAll('canvas')) {
        // Of a copy: a canvas that is read often says so on the console.
        const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
        Object.assign(copy.canvas, { width: canvas.width, height: canvas.height });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        const counts: Record<string, number> = (all[canvas.id] = {});
        for (let at = 0; at < data.length; at += 4)
          if (data[at + 3] === 255) {
            const key = data.slice(at, at + 3).join();
            counts[key] = (counts[key] ?? 0) + 1;
          }
      }
      return all;
    });

  /** Colours of bars and lines, by page.css. */
  const BLUE = { light: '47,111,214', dark: '110,168,255' };

  it('draws each chart, in other colours when the button is pressed, without a word or a request', async () => {
    const { page, said, others } = await open(path);
    const light = await coloursOf(page);
    // Four groups with two each, relaxations, scaling, and five pairs over releases.
    expect(Object.keys(light)).toHaveLength(15);
    for (const [id, counts] of Object.entries(light)) expect(Math.max(0, ...Object.values(counts)), id).toBeGreaterThan(100);
    expect(light['chart-lmbench-warm-peers']![BLUE.light]).toBeGreaterThan(1000);
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const before = await ground();
    await page.getByRole('button', { name: 'Dark colours' }).click();
    expect(await ground()).not.toBe(before);
    const dark = await coloursOf(page);
    expect(dark['chart-lmbench-warm-peers']![BLUE.dark]).toBeGreaterThan(1000);
    expect(dark['chart-lmbench-warm-peers']![BLUE.light]).toBeUndefined();
    await page.reload();
    expect((await coloursOf(page))['chart-lmbench-warm-peers']![BLUE.dark]).toBeGreaterThan(1000);
    await page.getByRole('button', { name: 'Light colours' }).click();
    expect(await ground()).toBe(before);
    expect(said).toEqual([]);
    expect(others()).toEqual([]);
    await page.close();
  });

  it.skipIf(!LONG)('follows the system, and is light on paper with all tables open', async () => {
    const { page } = await open(path, { colorScheme: 'dark' });
    const blue = async () =>
      Object.keys((await coloursOf(page))['chart-lmbench-warm-peers']!).filter((one) => Object.values(BLUE).includes(one));
    expect(await blue()).toEqual([BLUE.dark]);
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(blue).toEqual([BLUE.light]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(blue).toEqual([BLUE.dark]);
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await blue()).toEqual([BLUE.light]);
    expect(await page.locator('details:not([open])').count()).toBe(0);
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    expect(await blue()).toEqual([BLUE.dark]);
    expect(await page.locator('details[open]').count()).toBe(0);
    await page.close();
  });

  it('tells those who see no charts what they show', async () => {
    const { page } = await open(path);
    const labels = await page
      .locator('canvas')
      .evaluateAll((all) => all.map((one) => [one.getAttribute('role'), one.getAttribute('aria-label')]));
    for (const [role, label] of labels) {
      expect(role).toBe('img');
      expect(label).toMatch(/\d/);
    }
    expect(await page.getByRole('main').count()).toBe(1);
    expect(await page.getByRole('navigation', { name: 'Contents' }).count()).toBe(1);
    await page.close();
  });

  it.skipIf(!LONG)('marks in the list of contents where the reader is', async () => {
    const { page } = await open(path);
    const marked = () => page.locator('#contents [aria-current]').allTextContents();
    expect(await marked()).toEqual(['Summary']);
    await page.getByRole('link', { name: 'Scaling' }).click();
    await expect.poll(marked).toEqual(['Scaling']);
    await page.close();
  });

  it.skipIf(!LONG)('fits a phone, and needs no script', async () => {
    const { page } = await open(path, { viewport: { width: 360, height: 740 }, javaScriptEnabled: false });
    expect(await page.locator('figure').first().isVisible()).toBe(false);
    expect(await page.locator('#theme').isVisible()).toBe(false);
    await page.locator('#lmbench-warm summary').click();
    expect(await page.locator('#lmbench-warm table').isVisible()).toBe(true);
    await page.close();
    const scripted = await open(path, { viewport: { width: 360, height: 740 } });
    expect(await scripted.page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await scripted.page.close();
  });

  it('runs nothing that a result brought along', async () => {
    const at = join(folder, 'nasty.html');
    const rows = [row(NASTY, { relaxed: [1], qemu: [2] }), row('b', { relaxed: [1], qemu: [3] })];
    await writeReport(result({ version: NASTY, groups: [group(rows, { title: NASTY })] }), { html: at, history: [] });
    const { page, said } = await open(at);
    page.on('dialog', (dialog) => said.push(dialog.message()));
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('h1').textContent()).toContain(NASTY);
    expect(Object.keys(await coloursOf(page))).toEqual(['chart-lmbench-warm-peers']);
    expect(said).toEqual([]);
    await page.close();
  });
});
