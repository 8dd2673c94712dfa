// node scripts/with-node.mjs scripts/screenshots.ts [FOLDER]: pictures of the demo page on a desktop and on a phone, dark and light, into docs/page, as WebP; into a FOLDER as PNG, and of all panels, to be looked at.
// The engine must have been built, and there must be a Chromium.
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { PANELS } from '../examples/browser/app/panels.ts';
import { findChromium, launch } from '../test/browser/chromium.ts';
import { buildPage, serveFolder } from './browser.ts';

const folder = process.argv[2];
const OUT = folder ?? fileURLToPath(new URL('../docs/page/', import.meta.url));
const QUALITY = 60;
const DEVICES: Readonly<Record<string, BrowserContextOptions>> = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};
const SCHEMES = ['dark', 'light'] as const;

/** A page with serai at its prompt. */
class Visit {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  get isPhone(): boolean {
    return this.page.viewportSize()!.width < 768;
  }

  /** What the terminal is to show. */
  shows(text: string): Promise<void> {
    return this.page.locator('.xterm-rows').getByText(text).last().waitFor();
  }

  async type(line: string): Promise<void> {
    await this.page.locator('.xterm-helper-textarea').focus();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
  }

  async open(panel: string): Promise<void> {
    await this.page.locator(`#tab-${panel}`).click();
    // Loaded, and not at a place where the terminal is all that a phone shows.
    await this.page.locator('[role="tabpanel"] :not(.muted)').first().waitFor();
    await this.page.locator(this.isPhone ? '#panels' : '.page').evaluate((part) => part.scrollIntoView());
  }

  press(button: string | RegExp): Promise<void> {
    return this.page.getByRole('button', { name: button }).first().click();
  }

  /** `name`: '' for the page as one finds it. */
  async take(name: string, device: string): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    for (const colorScheme of SCHEMES) {
      await this.page.emulateMedia({ colorScheme });
      await this.page.waitForTimeout(700);
      const path = join(OUT, [name, device, colorScheme].filter(Boolean).join('-'));
      const format = folder === undefined ? ({ format: 'webp', quality: QUALITY } as const) : ({ format: 'png' } as const);
      const { data } = await session.send('Page.captureScreenshot', format);
      await writeFile(`${path}.${format.format}`, Buffer.from(data, 'base64'));
    }
    await session.detach();
  }
}

/** What is shown, in this order; each picture's name, and what leads to it. */
const SCENES: Readonly<Record<string, (visit: Visit) => Promise<void>>> = {
  async ''(visit) {
    for (const command of ['cpus', 'stress 2', 'primes 100000']) await visit.type(command);
    await visit.shows('primes up to 100000');
    await visit.page.locator('[role="tabpanel"] table').first().waitFor();
  },
  async region(visit) {
    await visit.page.locator('.region-table tbody button').first().click();
    await visit.open('region');
    if (!visit.isPhone) await visit.press('Wide panels');
    await visit.page
      .locator('.code-pane')
      .first()
      .evaluate((part) => part.scrollIntoView());
    await visit.page.locator('.code-pane li').first().hover();
  },
  async cpus(visit) {
    if (!visit.isPhone) await visit.press('Wide panels');
    await visit.open('cpus');
    await visit.type('stress 6');
    await visit.shows('stress: ok');
    await visit.type('primes 3000000');
    await visit.shows('primes up to 3000000');
    await visit.open('cpus');
  },
  async sharing(visit) {
    await visit.open('sharing');
    await visit.press('Note who uses what');
    await visit.page.getByRole('button', { name: 'Note it no more' }).waitFor();
    await visit.type('parallel page-fault 3000');
    await visit.shows('page-fault: 3000');
    await visit.page.waitForTimeout(1500);
    await visit.open('sharing');
  },
  async tour(visit) {
    await visit.press('Note it no more');
    await visit.page.locator('#tour-open').click();
    await visit.page.locator('#tour-next').click();
    await visit.page.locator('#tour-do').click();
    await visit.page.locator('.tour .happened').waitFor();
    await visit.page.locator('#tour').evaluate((part) => part.scrollIntoView());
  },
  async debug(visit) {
    await visit.press('Leave the tour');
    await visit.open('debug');
    await visit.page.locator('#break-at').fill('command_cpus');
    await visit.page.keyboard.press('Enter');
    await visit.page.locator('.points li').waitFor();
    await visit.type('cpus');
    await visit.page.locator('.code-listing [aria-current="step"]').waitFor();
    await visit.open('debug');
  },
  async time(visit) {
    await visit.open('time');
    await visit.page.locator('#start-lockstep').click();
    await visit.page.locator('#time-at').waitFor();
    await visit.shows('serai>');
    await visit.type('cpus');
    await visit.shows('CPUs online');
    await visit.page.getByRole('tabpanel').getByRole('button', { name: 'Pause' }).click();
    await visit.page.locator('.where', { hasText: 'In the present' }).waitFor();
    await visit.page.locator('#time-at').evaluate((slider: HTMLInputElement) => {
      slider.value = `${Number(slider.max) * 0.6}`;
      for (const name of ['input', 'change']) slider.dispatchEvent(new Event(name, { bubbles: true }));
    });
    await visit.page.locator('caption', { hasText: 'Next instructions' }).waitFor();
    await visit.open('time');
  },
};

const chromium = findChromium();
if (chromium === undefined) throw new Error('no Chromium in PATH, nor in DRAGOMAN_CHROMIUM');
await mkdir(OUT, { recursive: true });
const site = join(tmpdir(), `dragoman-page-${process.pid}`);
await buildPage({}, site);
const { url, server } = await serveFolder(site, 0);
const browser = await launch(chromium);
try {
  for (const [device, options] of Object.entries(DEVICES)) {
    const page = await (await browser.newContext(options)).newPage();
    await page.goto(`${url}?cpus=4`);
    const visit = new Visit(page);
    await visit.shows('serai>');
    for (const [name, lead] of Object.entries(SCENES)) {
      await lead(visit);
      await visit.take(name, device);
    }
    if (folder !== undefined)
      for (const { id } of PANELS.filter((panel) => !(panel.id in SCENES))) {
        await visit.open(id);
        await visit.take(id, device);
      }
    await page.context().close();
  }
} finally {
  await browser.close();
  server.close();
}
