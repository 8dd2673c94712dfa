// The guided tour in a real browser: all eight steps by the keyboard, each of which sees that it happened; it is left, and gone on with.
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPage, serveFolder } from '../../scripts/browser.ts';
import { chromiumOrSkip, launch } from './chromium.ts';
import { openPage, PATIENCE_MS, poll } from './open-page.ts';

const { chromium, name } = chromiumOrSkip('guided tour');

/** What each step says that was seen. */
const SEEN = [
  /serai has started 2 CPUs, and waits at its prompt/,
  /78,498 primes in .*\. There are \d+ regions now/,
  /\d+ of \d+ regions know where they go on: \d+ chains/,
  /A system call takes [\d.,]+ nanoseconds/,
  /\d+ interrupts? came since this step began/,
  /Of 6,000,000 additions [\d,]+ counted, and [\d,]+ were lost; with atomic ones, none/,
  /A page fault took [\d.,]+ nanoseconds before the switch, and [\d.,]+ behind it/,
  /inscount counts since then/,
];

describe.skipIf(chromium === undefined)(name, { timeout: 2 * PATIENCE_MS }, () => {
  let folder: string;
  let browser: Browser;
  let server: Server;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dragoman-tour-'));
    await buildPage({}, folder);
    ({ url, server } = await serveFolder(folder, 0));
    browser = await launch(chromium!);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('leads through eight steps by the keyboard', async () => {
    const { page, screen, focus, errors, close } = await openPage(browser, `${url}?cpus=2&tour=1`, 2);
    const press = (key: string) => page.keyboard.press(key);
    const said = () => page.locator('.tour [role="status"]').innerText();
    const status = poll(said);
    const heading = poll(() => page.locator('#tour-title').innerText());
    await screen.toMatch(/\nserai> /);
    await heading.toMatch(/^1 of 8/);
    for (const [n, seen] of SEEN.entries()) {
      await heading.toMatch(new RegExp(`^${n + 1} of 8`));
      expect(new URL(page.url()).searchParams.get('tour')).toBe(`${n + 1}`);
      // Nothing is claimed that nobody has done; the first boot was.
      if (n > 0) expect(await page.locator('.tour .happened').count()).toBe(0);
      await page.locator('#tour-do').focus();
      // A race is not won each time.
      for (let tries = 0; ; tries++) {
        await press('Enter');
        // A poll of its own: `not` stays with it.
        await poll(said).not.toMatch(/^$|It is being done/);
        if (!/race is not won/.test(await said()) || tries === 5) break;
      }
      await status.toMatch(seen);
      if (n === 3) {
        // Left, and gone on with.
        await page.getByRole('button', { name: 'Leave the tour' }).click();
        expect(new URL(page.url()).searchParams.get('tour')).toBe(null);
        await page.locator('#tour-open').click();
        await status.toMatch(seen);
      }
      if (n === SEEN.length - 1) break;
      await page.locator('#tour-next').focus();
      await press('Enter');
      await focus.toBe('tour-title');
    }
    expect(await page.locator('#panels').innerText()).toMatch(/inscount/);
    expect(errors).toEqual([]);
    // In the next visit it is where it was.
    await page.reload();
    await screen.toMatch(/\nserai> /);
    expect(await page.locator('#tour').count()).toBe(1);
    await heading.toMatch(/^8 of 8/);
    await close();
  });
});
