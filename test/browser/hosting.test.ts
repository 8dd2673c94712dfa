// The demo page on three kinds of hosting: with the headers that isolate it, without them but with its service worker, and with neither; and what it fetches before serai's prompt.
import type { RequestListener } from 'node:http';
import { basename } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describePage } from './describe-page.ts';
import { PATIENCE_MS } from './open-page.ts';

/** Of all that is fetched before the prompt, compressed. */
const LIGHT_BYTES = 1_200_000;

/** In the page: notes what the line says that shows how far it is. */
function listen(): void {
  const said: string[] = [];
  Object.assign(globalThis, { said });
  new MutationObserver(() => said.push(document.getElementById('stats')?.textContent ?? '')).observe(document, {
    childList: true,
    characterData: true,
    subtree: true,
  });
}

/** Under a path, as GitHub Pages has it. */
const PATH = 'somebody/demo/';

describePage(
  'hosting of the demo page',
  { more: { 'not-isolated': 'test/browser/not-isolated.ts' }, path: PATH, compressed: true },
  (suite) => {
    /** The page on a host that sends the headers or not, what was served (paths, and bytes of what the answers carried), and what its state line has said. `late`: paths of files that let wait until `free` is called. */
    async function open(isolated: boolean, serviceWorkers: 'allow' | 'block', late = /^$/) {
      const { url, server } = await suite.serve(isolated);
      const free = Promise.withResolvers<void>();
      const answer = server.listeners('request')[0] as RequestListener;
      server.off('request', answer);
      server.on('request', (request, response) => {
        if (late.test(request.url!)) void free.promise.then(() => answer(request, response));
        else answer(request, response);
      });
      const answers: { readonly path: string; readonly bytes: number }[] = [];
      server.on('request', ({ url: path }, response) => {
        response.once('finish', () => answers.push({ path: path!, bytes: Number(response.getHeader('content-length') ?? 0) }));
      });
      const opened = await suite.open('', { serviceWorkers }, { url, before: (page) => page.addInitScript(listen) });
      const { page, errors, screen, messages } = opened;
      return { page, errors, answers, messages, free: free.resolve, atPrompt: () => screen.toMatch(/serai: 2 CPUs(?:.|\n)*\nserai> /) };
    }

    const saidOf = (page: Page) => page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
    const names = (answers: readonly { readonly path: string }[]) => answers.map(({ path }) => basename(path));

    it('is light: before the prompt one engine, iced-x86 once and no Binaryen, which comes later', async () => {
      const { page, errors, answers, free, atPrompt } = await open(true, 'block', /\/runtime[^/]*$/);
      const loading = expect.stringMatching(/^loading the engine: \d\.\d of [1-9]\.\d MB \(\d+%\)$/);
      await expect.poll(() => saidOf(page), { timeout: PATIENCE_MS }).toContainEqual(loading);
      free();
      await atPrompt();
      const before = [...answers];
      const files = names(before);
      expect(before.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(LIGHT_BYTES);
      expect(files.filter((file) => file.endsWith('.wasm')).sort()).toEqual([
        expect.stringMatching(/^handlers(-strict)?\.wasm$/),
        'iced_x86_bg.wasm',
        expect.stringMatching(/^runtime(-strict)?\.wasm$/),
      ]);
      expect(files.filter((file, n) => files.indexOf(file) !== n)).toEqual([]);
      await expect.poll(() => names(answers), { timeout: PATIENCE_MS }).toContain('binaryen.wasm');
      expect(errors).toEqual([]);
    });

    it('has threads where its service worker isolates it, which keeps its files', async () => {
      const { page, errors, answers, atPrompt } = await open(false, 'allow');
      await atPrompt();
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      const pages = () => answers.filter(({ path }) => path === `/${PATH}`).length;
      expect(pages()).toBe(2);
      // All that comes behind the prompt is there.
      await page.locator('[role="tabpanel"] table').first().waitFor();
      const served = answers.length;
      await page.reload();
      await atPrompt();
      expect(answers.slice(served).filter(({ path }) => path.includes(suite.version))).toEqual([]);
      expect(errors).toEqual([]);
    });

    it('runs in lockstep where nobody isolates it, and says so', async () => {
      const { page, errors, answers, atPrompt, messages } = await open(false, 'block');
      await atPrompt();
      await messages.toMatch(
        /^Without threads.*not isolated from other origins \(.+\), so the CPUs take turns on one thread, in lockstep/s,
      );
      expect(answers.filter(({ path }) => path === `/${PATH}`).length).toBe(1);
      // As text: what runs in the page is no module of this test's.
      expect(await page.evaluate(`import('./${suite.version}/not-isolated.js').then(({ tryThreads }) => tryThreads())`)).toEqual([
        'NO_ISOLATION',
        expect.stringMatching(/not isolated from other origins.*Cross-Origin-Opener-Policy: same-origin/),
      ]);
      expect(errors).toEqual([]);
    });
  },
);
