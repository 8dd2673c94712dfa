// What looks at a running guest, in a real browser: clients on CPUs that are Workers, and the panels that show what they and the machine's counters say.
import type { Server } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPage, servePage } from '../../scripts/browser.ts';
import { chromiumOrSkip, launch } from './chromium.ts';
import type { Tried } from './clients.ts';

const { chromium, name } = chromiumOrSkip('activity and clients');
const PATIENCE_MS = 120_000;

describe.skipIf(chromium === undefined)(name, { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let served: { readonly url: string; readonly server: Server };

  beforeAll(async () => {
    const own = { clients: 'clients', 'own-client': 'own-client', 'page-client': 'page-client' };
    await buildPage(Object.fromEntries(Object.entries(own).map(([script, file]) => [script, `test/browser/${file}.ts`])));
    browser = await launch(chromium!);
    served = await servePage(0);
  });
  afterAll(async () => {
    await browser?.close();
    served?.server.close();
  });

  it('clients come and go while two CPUs run on Workers', async () => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    // A file beside the page, without the page's own machine.
    await page.goto(`${served.url}page.css`);
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
});
