// The demo page of examples/browser as files for a web server, and a server for it on this machine.
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle, type Plugin } from 'esbuild';
import sirv from 'sirv';
import { SERAI } from '../guests/serai.ts';
import { ENGINE_FILES, NAME_FILES, PROF_FILES } from '../src/host/host.ts';
import { WORKERS } from './workers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const at = (path: string) => join(ROOT, path);
const PAGE = at('examples/browser/dist');

/** Each is a script of its own; a Worker is started from the file beside the one that starts it. */
const ENTRIES = ['examples/browser/page.ts', ...WORKERS];
const SHIM = './scripts/iced-shim.ts';

/** Binaryen is 15 MB: a file of its own, which a thread fetches when it is to translate, and nobody before. */
const APART = 'binaryen.js';
const apart: Plugin = {
  name: 'binaryen apart',
  setup: ({ onResolve }) => onResolve({ filter: /^binaryen$/ }, () => ({ path: `./${APART}`, external: true })),
};

/** Writes the page to PAGE; the engine must have been built. `more`: modules for a test, each as NAME.js. */
export async function buildPage(more: readonly string[] = []): Promise<void> {
  await rm(PAGE, { recursive: true, force: true });
  await mkdir(PAGE, { recursive: true });
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: [...ENTRIES, ...more],
    entryNames: '[name]',
    outdir: PAGE,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    minify: true,
    sourcemap: true,
    loader: { '.wasm': 'binary' },
    define: { __dirname: '""' },
    alias: { fs: SHIM, path: SHIM, util: SHIM },
    plugins: [apart],
    logLevel: 'warning',
  });
  await Promise.all([...ENGINE_FILES, ...NAME_FILES, ...PROF_FILES].map((name) => copyFile(at(`build/${name}`), join(PAGE, name))));
  await copyFile(at('node_modules/binaryen/index.js'), join(PAGE, APART));
  await copyFile(SERAI, join(PAGE, 'serai.elf'));
  await copyFile(at('examples/browser/index.html'), join(PAGE, 'index.html'));
}

/** Without these two a browser gives a page no shared memory. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Serves PAGE on the loopback interface. `port`: 0 takes any that is free. `isolated`: false for a page that cannot work (tests). */
export async function servePage(port: number, isolated = true): Promise<{ url: string; server: Server }> {
  const files = sirv(PAGE, {
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
