// node scripts/with-node.mjs scripts/screenshots.ts: pictures of the demo page on a desktop and on a phone, dark and light, in docs/page. The engine must have been built, and there must be a Chromium.
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { findChromium, launch } from '../test/browser/chromium.ts';
import { buildPage, serveFolder } from './browser.ts';

const OUT = fileURLToPath(new URL('../docs/page/', import.meta.url));
const DEVICES: Readonly<Record<string, BrowserContextOptions>> = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};
/** What is typed at serai's prompt before the picture is taken. */
const COMMANDS = ['cpus', 'stress 2', 'primes 100000'];

async function take(browser: Browser, url: string, device: string, colorScheme: 'dark' | 'light'): Promise<void> {
  const context = await browser.newContext({ ...DEVICES[device], colorScheme });
  const page = await context.newPage();
  await page.goto(url);
  const screen = page.locator('.xterm-rows');
  await screen.getByText('serai>').first().waitFor();
  await page.locator('.xterm-helper-textarea').focus();
  for (const command of COMMANDS) {
    await page.keyboard.type(command);
    await page.keyboard.press('Enter');
  }
  await screen.getByText('primes up to 100000').waitFor();
  await page.locator('[role="tabpanel"] table').first().waitFor();
  await page.waitForTimeout(1000);
  await page.screenshot({ path: `${OUT}${device}-${colorScheme}.png` });
  await context.close();
}

const chromium = findChromium();
if (chromium === undefined) throw new Error('no Chromium in PATH, nor in DRAGOMAN_CHROMIUM');
await mkdir(OUT, { recursive: true });
const folder = join(tmpdir(), `dragoman-page-${process.pid}`);
await buildPage({}, folder);
const { url, server } = await serveFolder(folder, 0);
const browser = await launch(chromium);
try {
  for (const device of Object.keys(DEVICES)) for (const scheme of ['dark', 'light'] as const) await take(browser, url, device, scheme);
} finally {
  await browser.close();
  server.close();
}
