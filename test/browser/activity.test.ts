// What looks at a running guest, in a real browser: clients on CPUs that are Workers, and the panels that show what they and the machine's counters say.
import { expect, it } from 'vitest';
import { violationsInBoth } from './axe.ts';
import type { Tried } from './clients.ts';
import { describePage } from './describe-page.ts';
import { poll } from './open-page.ts';

/** Scripts beside the page's own. */
const MODULES = Object.fromEntries(['clients', 'own-client', 'page-client'].map((name) => [name, `test/browser/${name}.ts`]));

describePage('activity and clients', { more: MODULES }, (suite) => {
  it('clients come and go while two CPUs run on Workers', async () => {
    const page = await suite.browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    // A file beside the page, without the page's own machine.
    await page.goto(`${suite.url}${suite.version}/page.css`);
    const tried = (await page.evaluate("import('./clients.js').then(({ tryClients }) => tryClients())")) as Tried;
    expect(tried.end).toBe('power-off');
    for (const count of tried.instructions) expect(count).toBeGreaterThan(50_000);
    const [behind, later] = tried.detached;
    expect(behind).toBeGreaterThan(50_000);
    expect(later).toBe(behind);
    for (const blocks of (tried.own as { blocks: number[] }).blocks) expect(blocks).toBeGreaterThan(10_000);
    const { kernel } = tried.sharing;
    for (const kilobytes of [kernel.private.readWrite, kernel.shared.readOnly, kernel.shared.readWrite])
      expect(kilobytes).toBeGreaterThan(0);
    expect(tried.crossings.systemCalls).toBeGreaterThanOrEqual(1000);
    expect((tried.edges as { edges: number }).edges).toBeGreaterThan(100);
    expect(tried.flame).toMatch(/^\S+ \d+$/m);
    expect(tried.refused).toEqual({
      prof: 'BAD_OPTION',
      none: 'BAD_OPTION',
      'page alone': 'BAD_OPTION',
      file: 'NOT_SUPPORTED',
      ask: 'BAD_OPTION',
    });
    // Their threads look for primes in the kernel.
    for (const share of tried.kernelShares) expect(share).toBeGreaterThan(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  it('the panels show what the CPUs do, rates, what clients find, and the sharing of memory', async () => {
    const { page, type, screen, errors } = await suite.open('?panel=cpus');
    const tab = (title: string) => page.getByRole('tab', { name: title, exact: true }).click();
    const press = (label: string) => page.getByRole('button', { name: label, exact: true }).click();
    const textOf = (selector: string) => poll(async () => (await page.locator(selector).allInnerTexts()).join('\n'));
    /** What axe says of what is shown, in dark and in light. */
    const isFine = async () => expect(await violationsInBoth(page)).toEqual([]);
    await screen.toMatch(/\nserai> /);
    await textOf('.activity-table').toMatch(/CPU 0\s+waits in HLT\s+0xc01[0-9a-f]{5}\s(?:.|\n)*CPU 1\s+waits in HLT/);
    await type('primes 4000000');
    await textOf('.activity-table').toMatch(/CPU 0\s+in the kernel(?:.|\n)*CPU 1\s+in the kernel\s+0xc01[0-9a-f]{5}\s+[1-9]\d*%/);
    // A step of the lane, for what has been seen.
    await poll(async () => (await page.locator('.activity-lane .kernel').first().getAttribute('d'))?.length ?? 0).toBeGreaterThan(40);
    await isFine();
    await tab('Rates');
    await press('Count system calls');
    await page.getByRole('button', { name: 'Count them no more' }).waitFor();
    await screen.toMatch(/primes up to 4000000(?:.|\n)*\nserai> \s*$/);
    await type('parallel call-sysenter 100000; parallel page-fault 2000');
    await textOf('.rates .fact-table').toMatch(/Exceptions\s+[1-9]/);
    await poll(async () => (await page.locator('.live-plot figcaption').allTextContents()).join('\n')).toMatch(
      /^System calls.*at most [1-9]/m,
    );
    await isFine();
    await tab('Clients');
    await press('Attach inscount');
    await page.getByRole('button', { name: 'Detach inscount' }).waitFor();
    await type('parallel page-fault 2000');
    await textOf('.client[aria-label="inscount"]').toMatch(/CPU 1\s+[1-9]\S* of the kernel, \S+ of programs/);
    await press('Attach flame');
    await page.getByRole('button', { name: 'Detach flame' }).waitFor();
    await type('parallel page-fault 5000');
    const frames = page.locator('.flame-box');
    await poll(() => frames.count()).toBeGreaterThan(2);
    await frames.first().focus();
    await page.keyboard.press('ArrowDown');
    await poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '')).toMatch(/^(?!all)\S.*\d+% of the time/);
    const saved = page.waitForEvent('download');
    await press('Download for speedscope');
    expect((await saved).suggestedFilename()).toBe('flame.speedscope.json');
    // This one needs names that the image has not.
    await press('Attach shadow');
    await textOf('.error-block').toMatch(/heap_allocate/);
    await press('Close');
    await isFine();
    await press('Detach inscount');
    await page.getByRole('button', { name: 'Attach inscount' }).waitFor();
    await tab('Sharing');
    await press('Note who uses what');
    await page.getByRole('button', { name: 'Note it no more' }).waitFor();
    await type('parallel page-fault 100');
    await textOf('.sharing-legend').toMatch(/one CPU, written: [1-9]\d*\s+several CPUs, only read: \d+\s+several CPUs, written: [1-9]/);
    await page.getByRole('slider').focus();
    await page.keyboard.press('End');
    await textOf('.sharing-at output').toMatch(/^0x[0-9a-f]{8}: /);
    await isFine();
    // What came before is still there: more than five seconds of it.
    await tab('CPUs');
    const lane = page.locator('.activity-lane .kernel').first();
    await lane.waitFor({ state: 'attached' });
    expect((await lane.getAttribute('d'))!.match(/L/g)!.length).toBeGreaterThan(2 * 20);
    expect(errors).toEqual([]);
  });
});
