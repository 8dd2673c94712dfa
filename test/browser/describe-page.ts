// Tests of the demo page in a browser: what each suite of them begins with, and leaves nothing of.
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { buildPage, serveFolder } from '../../scripts/browser.ts';
import { chromiumOrSkip, launch } from './chromium.ts';
import { openPage, PATIENCE_MS } from './open-page.ts';

type Opened = Awaited<ReturnType<typeof openPage>>;

interface PageOptions {
  /** Modules beside the page's own, for the test, by the names of their scripts. */
  readonly more?: Readonly<Record<string, string>>;
  /** Where on its server the page is, as some hosts have it: 'somebody/demo/'. Default: at its root. */
  readonly path?: string;
  /** With compressed files. */
  readonly compressed?: boolean;
}

/** Of a suite, while its tests run. */
export interface PageSuite {
  readonly browser: Browser;
  /** Of the page, on a server that isolates it. */
  readonly url: string;
  /** The folder of its scripts, there. */
  readonly version: string;
  /** Serves the same otherwise until the test ends: the page's address, and the server. */
  serve(isolated: boolean): Promise<{ readonly url: string; readonly server: Server }>;
  /**
   * Opens the page until the test ends. `search`: of its address; `more.cores`: that the browser has, default 2; `more.url`: of another server; `more.before`: what is done before.
   */
  open(
    search?: string,
    options?: BrowserContextOptions,
    more?: { readonly cores?: number; readonly url?: string; readonly before?: (page: Page) => unknown },
  ): Promise<Opened>;
}

/** A suite of tests of the page: skipped where there is no Chromium. */
export function describePage(
  title: string,
  { more = {}, path = '', compressed = false }: PageOptions,
  tests: (suite: PageSuite) => void,
): void {
  const { chromium, name } = chromiumOrSkip(title);
  describe.skipIf(chromium === undefined)(name, { timeout: 2 * PATIENCE_MS }, () => {
    let folder: string;
    let browser: Browser;
    let server: Server;
    let url: string;
    let version: string;
    const open: Opened[] = [];
    const servers: Server[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'dragoman-page-'));
      version = await buildPage(more, join(folder, path), compressed ? 'fast' : undefined);
      ({ url, server } = await serveFolder(folder, 0));
      browser = await launch(chromium!);
    });
    afterEach(async () => {
      for (const one of open.splice(0)) await one.close();
      for (const one of servers.splice(0)) one.close();
    });
    afterAll(async () => {
      await browser?.close();
      server?.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    tests({
      get browser() {
        return browser;
      },
      get url() {
        return url + path;
      },
      get version() {
        return version;
      },
      async serve(isolated) {
        const served = await serveFolder(folder, 0, isolated);
        servers.push(served.server);
        return { url: served.url + path, server: served.server };
      },
      async open(search = '', options = {}, { cores = 2, url: at = url + path, before } = {}) {
        const opened = await openPage(browser, at + search, cores, options, before);
        open.push(opened);
        return opened;
      },
    });
  });
}
