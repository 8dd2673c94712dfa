// The panels "Code map" and "Region" in a real browser: serai's regions are drawn, found by keys and by pointer, and shown as x86, IR and WebAssembly with what belongs together.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { violations } from './axe.ts';
import { describePage } from './describe-page.ts';
import { poll } from './open-page.ts';

/** How many colours the map has now. */
const colours = (page: Page) =>
  page.locator('.code-canvas canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });

/** Axe would look at each line of code. */
const WITHOUT_MOST_LINES = { exclude: [['.code-pane li:nth-child(n + 12)']] };

describePage('code map', {}, ({ open }) => {
  it('shows the code of serai, to eyes, pointers and keys', async () => {
    const { page, type, screen, errors } = await open('?panel=code-map&mode=transparent', { viewport: { width: 1280, height: 900 } });
    await screen.toMatch(/\nserai> /);
    await type('primes 1000000');
    await screen.toMatch(/primes up to 1000000/);
    const count = page.locator('.code-count');
    await poll(() => count.innerText()).toMatch(/^\d{2,} regions on \d+ pages/);
    await poll(() => colours(page)).toBeGreaterThan(4);
    // Where the CPUs are, and what is hot, as text.
    await poll(() => page.locator('.code-tables').innerText()).toMatch(/Where the CPUs are\s+CPU 0\s(?:.|\n)*CPU 1\s/);
    await poll(() => page.locator('.region-table tbody tr').count()).toBeGreaterThan(3);
    // By keys: from region to region, and into one.
    const canvas = page.locator('.code-canvas canvas');
    await canvas.focus();
    await page.keyboard.press('Home');
    const said = page.locator('.code-canvas [role="status"]');
    await poll(() => said.innerText()).toMatch(/bytes of x86, \d+ of WebAssembly/);
    const first = await said.innerText();
    await page.keyboard.press('ArrowRight');
    await poll(() => said.innerText()).not.toBe(first);
    await poll(() => page.locator('.chosen-region').innerText()).toMatch(/Chained to/);
    await page.keyboard.press('Enter');
    const panes = page.locator('.code-pane');
    await poll(() => panes.count()).toBe(3);
    // By pointer: the same that the tables say.
    await page.locator('.region-table tbody button').first().click();
    const hottest = await page.locator('.region-table tbody tr.chosen button').innerText();
    await page.getByRole('button', { name: 'Show its code' }).click();
    await poll(() => page.locator('.region-code h2').innerText()).toBe(hottest);
    const lit = (pane: number) => panes.nth(pane).locator('.together').count();
    await panes.nth(0).locator('li').first().hover();
    expect([await lit(0), (await lit(1)) > 0]).toEqual([1, true]);
    await panes.nth(0).locator('ol').focus();
    for (let n = 0; n < 2; n++) await page.keyboard.press('ArrowDown');
    await poll(() => page.locator('.region-code [role="status"]').innerText()).toMatch(/: \d+ lines of IR, \d+ of WebAssembly$/);
    expect([await lit(0), (await lit(1)) > 0]).toEqual([1, true]);
    // What a relaxation changes is marked, and nothing is where none is missing.
    expect(await page.locator('.code-pane .changed').count()).toBe(0);
    const rows = page.locator('.code-effects tbody tr', { hasText: 'without' }).filter({ hasText: /[+−]\d/ });
    const changes = page.locator('.code-changes');
    await rows.first().locator('input').check();
    await poll(() => changes.innerText()).toMatch(/^Marked are (?!0 .* has 0 )[\d,]+ lines .* it has [\d,]+ others/);
    const marked = Number((await changes.innerText()).match(/[\d,]+/)![0].replaceAll(',', ''));
    expect(await page.locator('.code-pane .changed').count()).toBe(marked);
    expect(await violations(page, WITHOUT_MOST_LINES)).toEqual([]);
    // The other panel, with the same region; another is found by its name.
    await page.locator('#tab-region').click();
    await poll(() => page.locator('[role="tabpanel"]').innerText()).toMatch(/What it relies on/);
    await poll(() => page.locator('.region-code h2').innerText()).toBe(hottest);
    await page.locator('#region-name').fill('0x001');
    const option = await page.locator('#region-id option').nth(2).getAttribute('value');
    await page.locator('#region-id').selectOption(option);
    await poll(() => page.locator('.region-code h2').innerText()).not.toBe(hottest);
    await poll(() => panes.nth(2).locator('li').count()).toBeGreaterThan(10);
    // On a phone, without motion.
    await page.emulateMedia({ reducedMotion: 'reduce', colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(await violations(page, WITHOUT_MOST_LINES)).toEqual([]);
    await page.locator('#tab-code-map').click();
    await poll(() => colours(page)).toBeGreaterThan(4);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(errors).toEqual([]);
  });
});
