// The demo page of examples/browser as files for a web server, and a server for it on this machine.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import sirv from 'sirv';
import { SERAI, SERAI_MAP } from '../guests/serai.ts';
import { BESIDE, ICED } from '../src/host/browser-files.ts';
import { adoptedStyles } from './adopted-styles.ts';
import { bundleSite } from './bundle-browser.ts';
import { compressFolder, type Effort } from './compress.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const at = (path: string) => join(ROOT, path);
export const PAGE = at('examples/browser/dist');
/** What of the page is loaded later, or with what is. */
const LATER = /\/examples\/browser\/(?:panels|parts|tour)\//;

/** What every machine of the page needs, whatever the host is. */
const FIRST = [ICED, 'handlers.json', 'serai.elf'];

/** Hexadecimal, another one where a file of the folder is another. */
function versionOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort())
    hash.update(`${name}\0`).update(
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest(),
    );
  return hash.digest('hex').slice(0, 16);
}

/** For hosts that read it (Netlify, Cloudflare Pages). */
const headersFile = (version: string): string =>
  [
    '/*',
    ...Object.entries(ISOLATED).map(([name, value]) => `  ${name}: ${value}`),
    `/${version}/*`,
    `  Cache-Control: ${FOREVER}`,
    '',
  ].join('\n');

/**
 * Writes the page to `folder`, in the place of what is there: index.html, and all that it needs in a folder whose name is another when anything in it is (so that it can be kept for ever); the service worker and the
 * file of headers for hosts that send none by themselves. Addresses are relative. The engine must have been built. `more`: modules for a test, by the names of their scripts; `compress`: with compressed files beside the
 * others. The name of the folder inside.
 */
export async function buildPage(more: Readonly<Record<string, string>> = {}, folder = PAGE, compress?: Effort): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  const fresh = join(folder, 'fresh');
  mkdirSync(fresh, { recursive: true });
  const imports = await bundleSite({ early: 'examples/browser/early.ts', page: 'examples/browser/page.tsx', ...more }, fresh, [
    adoptedStyles(LATER),
  ]);
  for (const name of Object.keys(BESIDE)) copyFileSync(at(`build/${name}`), join(fresh, name));
  copyFileSync(SERAI, join(fresh, 'serai.elf'));
  copyFileSync(SERAI_MAP, join(fresh, 'serai.map'));
  // For addresses that say it.
  copyFileSync(SERAI, join(folder, 'serai.elf'));
  const version = versionOf(fresh);
  renameSync(fresh, join(folder, version));
  const html = readFileSync(at('examples/browser/index.html'), 'utf8');
  // All at once, where each would only be found in the one before.
  const link = (rel: string, name: string) => `    <link ${rel} href="${version}/${name}" />\n`;
  const preloads = [
    ...imports.map((name) => link('rel="modulepreload"', name)),
    ...FIRST.map((name) => link('rel="preload" as="fetch" crossorigin', name)),
  ].join('');
  const placed = html.replaceAll(/(?<=\b(?:href|src)=")(?=(?:early|page)\.)/g, `${version}/`);
  writeFileSync(join(folder, 'index.html'), placed.replace('  </head>', `${preloads}  </head>`));
  await esbuild({
    entryPoints: [at('examples/browser/service-worker.ts')],
    outfile: join(folder, 'service-worker.js'),
    bundle: true,
    format: 'iife',
    target: 'es2024',
    minify: true,
    define: { VERSION: JSON.stringify(version) },
    logLevel: 'warning',
  });
  writeFileSync(join(folder, '_headers'), headersFile(version));
  if (compress !== undefined) await compressFolder(folder, compress);
  return version;
}

/** Without these two a browser gives a page's threads no shared memory. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const FOREVER = 'public, max-age=31536000, immutable';
/** In the folder of a version. */
const VERSIONED = /\/[0-9a-f]{16}\//;

/** Serves PAGE: see serveFolder. */
export const servePage = (port: number, isolated = true): Promise<{ url: string; server: Server }> => serveFolder(PAGE, port, isolated);

/**
 * Serves the files of a folder on the loopback interface, compressed where there are compressed ones. `port`: 0 takes any that is free. `isolated`: false for hosting that does not send the headers
 * for it (tests).
 */
export async function serveFolder(folder: string, port: number, isolated = true): Promise<{ url: string; server: Server }> {
  const files = sirv(folder, {
    etag: true,
    brotli: true,
    gzip: true,
    setHeaders: (response, path) => {
      response.setHeader('Cache-Control', VERSIONED.test(path) ? FOREVER : 'no-cache');
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
