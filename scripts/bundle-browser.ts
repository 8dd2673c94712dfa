// Bundles for browsers: scripts that find the engine's files beside them. What the package exports for them (build/browser.js) has each of the Workers as a script of its own, which no other bundler need look
// into; a site of ours, the demo page (browser.ts), has modules that come when they are wanted.
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build as esbuild, type Metafile, type Plugin } from 'esbuild';
import { BESIDE } from '../src/host/browser-files.ts';
import { engineHash } from '../src/host/engine-hash.ts';
import { icedModule } from './iced.ts';
import { CLIENT_SOURCES, PAGE_WORKERS, WORKERS } from './workers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Its WebAssembly is a file of the engine, which the host has compiled or is handed. */
const iced: Plugin = {
  name: 'iced-x86 for browsers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^iced-x86$/ }, () => ({ path: 'iced-x86', namespace: 'iced' }));
    onLoad({ filter: /./, namespace: 'iced' }, () => ({
      contents: icedModule(
        readFileSync(`${ROOT}node_modules/iced-x86/iced_x86.js`, 'utf8'),
        '(await WebAssembly.instantiate(await icedModule(), imports)).exports',
        "import { icedModule } from './src/host/browser-engine.ts';\n",
      ),
      resolveDir: ROOT,
    }));
  },
};

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2024',
  minify: true,
  alias: { 'node:module': './scripts/node-shim.ts' },
  plugins: [iced],
  logLevel: 'warning',
};

/** What sources for browsers are told of the engine, which must have been built (src/host/built.d.ts). */
function defined(): Record<string, string> {
  const sizes = Object.fromEntries(Object.keys(BESIDE).map((name) => [name, statSync(`${ROOT}build/${name}`).size]));
  return { 'globalThis.process': 'undefined', ENGINE_HASH: JSON.stringify(engineHash()), ENGINE_BYTES: JSON.stringify(sizes) };
}

const workers = () => Object.fromEntries([...WORKERS, ...PAGE_WORKERS].map((path) => [/([^/]+)\.ts$/.exec(path)![1]!, path]));

/** What the package exports. `entries`: sources by the names of their scripts. */
export async function bundlePackage(entries: Readonly<Record<string, string>>, outdir: string): Promise<void> {
  const define = defined();
  await esbuild({ ...COMMON, entryPoints: entries, outdir, define });
  await esbuild({ ...COMMON, entryPoints: CLIENT_SOURCES, outdir, define });
  // Bundlers that copy a Worker's script take it for a classic one: nothing in it is to say that it is a module. What it throws ends it, as it would end a module.
  await esbuild({
    ...COMMON,
    entryPoints: workers(),
    outdir,
    define: { ...define, 'import.meta.url': 'location.href' },
    banner: { js: '(async()=>{"use strict";' },
    footer: { js: '})().catch(reportError);' },
  });
}

/** The scripts that an output imports before it runs, and they do, by their names. */
function importsOf({ outputs }: Metafile, name: string): string[] {
  const found = new Set<string>();
  const visit = (path: string) => {
    for (const { path: next, kind } of outputs[path]!.imports) {
      if (kind !== 'import-statement' || found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(Object.keys(outputs).find((path) => basename(path) === name)!);
  return Array.from(found, (path) => basename(path));
}

/**
 * A site's page, with its Workers. `entries`: as above. What is imported dynamically is in files that come when they are asked for. The names of the scripts that the entry `page` imports.
 */
export async function bundleSite(
  entries: Readonly<Record<string, string>>,
  outdir: string,
  plugins: readonly Plugin[] = [],
): Promise<readonly string[]> {
  const options = { ...COMMON, outdir, chunkNames: '[name]-[hash]', splitting: true, sourcemap: true, define: defined() };
  // Each by itself, with what several have in each: together they would be in some fifty pieces, and each thread would ask for twenty of them before its first instruction.
  for (const [name, path] of Object.entries(workers())) await esbuild({ ...options, entryPoints: { [name]: path } });
  await esbuild({ ...options, entryPoints: CLIENT_SOURCES });
  const { metafile } = await esbuild({ ...options, entryPoints: entries, plugins: [...plugins, iced], metafile: true });
  return importsOf(metafile, 'page.js');
}
