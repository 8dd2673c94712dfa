// The browser that the tests drive: Chromium, where this system has one.
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Path of a Chromium: what DRAGOMAN_CHROMIUM names, or one of the usual names in PATH. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(':');
  const candidates = [process.env.DRAGOMAN_CHROMIUM ?? '', ...NAMES.flatMap((name) => folders.map((folder) => `${folder}/${name}`))];
  return candidates.find((path) => path !== '' && existsSync(path));
}

/** The same for a suite: `name` is that of its tests, which says why they are skipped. With CI=true nothing may be. */
export function chromiumOrSkip(name: string): { chromium: string | undefined; name: string } {
  const chromium = findChromium();
  if (chromium === undefined && process.env.CI === 'true') throw new Error('no Chromium: apt-get install chromium');
  return { chromium, name: chromium === undefined ? `${name} (skipped: no Chromium in PATH, nor in DRAGOMAN_CHROMIUM)` : name };
}

/** Its sandbox wants what a container seldom gives; the page is our own. */
const ARGS = ['--no-sandbox', '--disable-dev-shm-usage'];

export const launch = (executablePath: string): Promise<Browser> => chromium.launch({ executablePath, args: ARGS });

/** With what it keeps in a folder: all that a browser keeps from visit to visit, what V8 has compiled as well. */
export const launchIn = (folder: string, executablePath: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(folder, { executablePath, args: ARGS });
