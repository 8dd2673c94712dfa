// The demo page in a browser, for tests: opened, typed into, and what it shows.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';

/** With a guest, on a busy machine. */
export const PATIENCE_MS = 120_000;

export const poll = (what: () => Promise<unknown>) => expect.poll(what, { timeout: PATIENCE_MS, interval: 100 });

/** The page in a browser that has so many cores, and the errors that it threw. `before`: what is done before it is opened. `close()` is the caller's to call. */
export async function openPage(
  browser: Browser,
  url: string,
  cores: number,
  options: BrowserContextOptions = {},
  before: (page: Page) => unknown = () => {},
) {
  // So large that the form stands open.
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.addInitScript((count) => Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => count }), cores);
  await before(page);
  await page.goto(url);
  const textOf = (selector: string) => async () => (await page.locator(selector).allTextContents()).join('\n');
  const enter = async (line: string) => {
    await page.keyboard.type(line);
    await page.keyboard.press('Enter');
  };
  return {
    page,
    context,
    errors,
    /** Into what has the focus. */
    enter,
    type: async (line: string) => {
      await page.locator('.xterm-helper-textarea').focus();
      await enter(line);
    },
    /** What the terminal shows. */
    screen: poll(async () => (await page.locator('.xterm-rows > div').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ')),
    state: poll(textOf('#state')),
    stats: poll(textOf('#stats')),
    /** What went wrong, and what is to be known; '': nothing. */
    messages: poll(textOf('.error-block')),
    /** Id, or role, of what has the focus. */
    focus: poll(() =>
      page.evaluate(() => {
        const { activeElement: it } = document;
        if (it?.classList.contains('xterm-helper-textarea')) return 'terminal';
        return it?.id || it?.getAttribute('role') || it?.tagName || 'nothing';
      }),
    ),
    close: () => context.close(),
  };
}
