// Bundles for browsers: scripts that find the engine's files beside them, and each of the Workers as a script of its own, which no other bundler need look into. The demo page is one
// (browser.ts), and what the package exports for browsers (build/browser.js).
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build as esbuild, type Plugin } from 'esbuild';
import { CLIENT_SOURCES, PAGE_WORKERS, WORKERS } from './workers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What packages ask of Node where they run in it; Binaryen only where it sees that it does. */
const SHIM = './scripts/iced-shim.ts';

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2024',
  minify: true,
  loader: { '.wasm': 'binary' },
  alias: { fs: SHIM, path: SHIM, util: SHIM, 'node:module': SHIM },
  logLevel: 'warning',
};
const NO_NODE = { __dirname: '""', 'globalThis.process': 'undefined' };

export interface BundleOptions {
  /** Maps beside the scripts. Default: false. */
  readonly sourcemap?: boolean;
  /** What is import()ed, and what several entries share, becomes scripts of their own. Default: false. */
  readonly splitting?: boolean;
  /** For the entries, not for the Workers. */
  readonly plugins?: readonly Plugin[];
}

/** `entries`: sources by the names of their scripts. The packages of build/ must have been built. */
export async function bundleForBrowsers(
  entries: Readonly<Record<string, string>>,
  outdir: string,
  { sourcemap = false, splitting = false, plugins = [] }: BundleOptions = {},
): Promise<void> {
  const pieces = splitting ? { splitting, chunkNames: '[name]-[hash]' } : {};
  await esbuild({ ...COMMON, ...pieces, entryPoints: entries, outdir, sourcemap, define: NO_NODE, plugins: [...plugins] });
  await esbuild({ ...COMMON, entryPoints: CLIENT_SOURCES, outdir, sourcemap, define: NO_NODE });
  // Bundlers that copy a Worker's script take it for a classic one: nothing in it is to say that it is a module. What it throws ends it, as it would end a module.
  await esbuild({
    ...COMMON,
    entryPoints: Object.fromEntries([...WORKERS, ...PAGE_WORKERS].map((path) => [/([^/]+)\.ts$/.exec(path)![1]!, path])),
    outdir,
    sourcemap,
    define: { ...NO_NODE, 'import.meta.url': 'location.href' },
    banner: { js: '(async()=>{"use strict";' },
    footer: { js: '})().catch(reportError);' },
  });
}
