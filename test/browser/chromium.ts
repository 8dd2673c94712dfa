// The browser that the tests drive: Chromium, where this system has one.
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Path of a Chromium: what DRAGOMAN_CHROMIUM names, or one of the usual names in PATH. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(':');
  const candidates = [process.env.DRAGOMAN_CHROMIUM ?? '', ...NAMES.flatMap((name) => folders.map((folder) => `${folder}/${name}`))];
  return candidates.find((path) => path !== '' && existsSync(path));
}

export function launch(executablePath: string): Promise<Browser> {
  // Its sandbox wants what a container seldom gives; the page is our own.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
