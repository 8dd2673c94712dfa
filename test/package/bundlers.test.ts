// The package in a page: bundlers take it as it is, with its Workers and the engine's files, and what they make runs in a browser.
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { build as esbuild } from 'esbuild';
import type { Browser } from 'playwright-core';
import { createLogger, build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveFolder } from '../../scripts/browser.ts';
import { build } from '../../scripts/build.ts';
import { chromiumOrSkip, launch } from '../browser/chromium.ts';
import { HTML, MAIN, type Outcome } from './page.ts';
import { emptyProject, install, type Project, pack } from './project.ts';

const { chromium, name } = chromiumOrSkip('bundlers');
const PATIENCE_MS = 120_000;
/** To build, pack and install, on a host that does much else. */
const INSTALL_MS = 5 * PATIENCE_MS;

describe.skipIf(chromium === undefined || process.env.DRAGOMAN_LONG_TESTS !== '1')(
  `${name} (DRAGOMAN_LONG_TESTS=1)`,
  { timeout: 2 * PATIENCE_MS },
  () => {
    let browser: Browser;
    let project: Project;

    beforeAll(async () => {
      await build({ forBrowsers: true });
      project = emptyProject();
      const { filename } = await pack(project.folder, false);
      await install(project.folder, `./${filename}`);
      project.write({ 'index.html': HTML, 'main.js': MAIN });
      browser = await launch(chromium!);
    }, INSTALL_MS);
    afterAll(async () => {
      await browser?.close();
      project?.remove();
    });

    /** What comes of the page in `folder`, and what its console was told of warnings and errors. */
    async function visit(folder: string): Promise<Outcome & { readonly said: readonly string[] }> {
      const { url, server } = await serveFolder(folder, 0);
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        const said: string[] = [];
        page.on('pageerror', ({ message }) => said.push(message));
        page.on('console', (message) => {
          // A page without an icon is asked for one.
          if (['warning', 'error'].includes(message.type()) && !message.location().url.endsWith('/favicon.ico')) said.push(message.text());
        });
        await page.goto(url);
        await page.waitForFunction(() => 'outcome' in globalThis, undefined, { timeout: PATIENCE_MS });
        return { ...((await page.evaluate(() => (globalThis as { outcome?: Outcome }).outcome)) as Outcome), said };
      } finally {
        await context.close();
        server.close();
      }
    }

    const works = { answer: '78498 primes up to 1000000, on 2 CPUs', end: 'power-off', encoder: 'binaryen', counted: true, said: [] };

    it('Vite bundles it as it is', async () => {
      const warnings: string[] = [];
      const customLogger = {
        ...createLogger('silent'),
        warn: (text: string) => warnings.push(text),
        warnOnce: (text: string) => warnings.push(text),
      };
      await vite({ root: project.folder, configFile: false, customLogger });
      // The page's script is as large as it is, and the host as slow.
      expect(warnings.filter((text) => !/chunks are larger than|PLUGIN_TIMINGS/.test(text))).toEqual([]);
      expect(await visit(join(project.folder, 'dist'))).toEqual(works);
    });

    it.each(['cpu', 'timer', 'translator'])(
      'the script of the Worker %s says nowhere that it is a module: webpack minifies it as a classic one',
      (worker) => {
        const text = readFileSync(join(project.folder, `node_modules/dragoman/build/${worker}-worker.js`), 'utf8');
        expect(() => new Script(text)).not.toThrow();
      },
    );

    it('esbuild bundles it as it is, where the files of build/ are laid beside', async () => {
      const outdir = join(project.folder, 'esbuild');
      const { warnings } = await esbuild({
        ...{ absWorkingDir: project.folder, entryPoints: ['main.js'], outdir },
        ...{ bundle: true, format: 'esm', logLevel: 'silent' },
      });
      expect(warnings).toEqual([]);
      cpSync(join(project.folder, 'node_modules/dragoman/build'), outdir, { recursive: true });
      cpSync(join(project.folder, 'index.html'), join(outdir, 'index.html'));
      expect(await visit(outdir)).toEqual(works);
    });
  },
);
