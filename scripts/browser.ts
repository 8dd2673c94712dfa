// The demo page of examples/browser as files for a web server, and a server for it on this machine.
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';
import { SERAI, SERAI_MAP } from '../guests/serai.ts';
import { BESIDE } from '../src/host/browser-files.ts';
import { adoptedStyles } from './adopted-styles.ts';
import { bundleForBrowsers } from './bundle-browser.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const at = (path: string) => join(ROOT, path);
export const PAGE = at('examples/browser/dist');
/** What of the page is loaded later, or with what is. */
const LATER = /\/examples\/browser\/(?:panels|parts)\//;

/** Writes the page to a folder, whatever is there; the engine must have been built. `more`: modules for a test, by the names of their scripts. */
export async function buildPage(more: Readonly<Record<string, string>> = {}, folder = PAGE): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await bundleForBrowsers({ page: 'examples/browser/page.tsx', ...more }, folder, {
    sourcemap: true,
    splitting: true,
    plugins: [adoptedStyles(LATER)],
  });
  await Promise.all(Object.keys(BESIDE).map((name) => copyFile(at(`build/${name}`), join(folder, name))));
  await copyFile(SERAI, join(folder, 'serai.elf'));
  await copyFile(SERAI_MAP, join(folder, 'serai.map'));
  await copyFile(at('examples/browser/index.html'), join(folder, 'index.html'));
}

/** Without these two a browser gives a page no shared memory. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Serves PAGE: see serveFolder. */
export const servePage = (port: number, isolated = true): Promise<{ url: string; server: Server }> => serveFolder(PAGE, port, isolated);

/** Serves the files of a folder on the loopback interface. `port`: 0 takes any that is free. `isolated`: false for pages that cannot work (tests). */
export async function serveFolder(folder: string, port: number, isolated = true): Promise<{ url: string; server: Server }> {
  const files = sirv(folder, {
    etag: true,
    setHeaders: (response) => {
      for (const [name, value] of Object.entries(isolated ? ISOLATED : {})) response.setHeader(name, value);
    },
  });
  const server = createServer(files);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
