// Bundles for browsers: scripts that find the engine's files beside them. What the package exports for them (build/browser.js) has each of the Workers as a script of its own, which no other bundler need look
// into; a site of ours, the demo page (browser.ts), has modules that come when they are wanted.
import { readFileSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build as esbuild, type Loader, type Metafile, type Plugin } from 'esbuild';
import { BESIDE } from '../src/host/browser-files.ts';
import { engineHash } from '../src/host/engine-hash.ts';
import { icedModule } from './iced.ts';
import { CLIENT_SOURCES, PAGE_WORKERS, WORKERS } from './workers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Its WebAssembly is a file of the engine, which the host has compiled or is handed. `load`: as icedModule has it; `from`: what that takes of browser-engine.ts. */
const icedBy = (load: string, from: string): Plugin => ({
  name: 'iced-x86 for browsers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^iced-x86$/ }, () => ({ path: 'iced-x86', namespace: 'iced' }));
    onLoad({ filter: /./, namespace: 'iced' }, () => ({
      contents: icedModule(
        readFileSync(`${ROOT}node_modules/iced-x86/iced_x86.js`, 'utf8'),
        load,
        `import { ${from} } from './src/host/browser-engine.ts';\n`,
      ),
      resolveDir: ROOT,
    }));
  },
});
const iced = icedBy('(await WebAssembly.instantiate(await icedModule(), imports)).exports', 'icedModule');
const icedOfClients = icedBy('new WebAssembly.Instance(icedModuleNow(), imports).exports', 'icedModuleNow');

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
  // With its white space, and with it what is said to bundlers in comments (that an address which only a running program knows is none of theirs): who bundles it makes it small.
  const spaced = { minify: false, minifyIdentifiers: true, minifySyntax: true };
  await esbuild({ ...COMMON, ...spaced, entryPoints: entries, outdir, define });
  await esbuild({ ...COMMON, entryPoints: CLIENT_SOURCES, plugins: [icedOfClients], outdir, define });
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

/** What is shared by some of the parts that come later, and by others not, esbuild puts into a file for each such group of them: a page would be in some thirty. */
const MARKED = 'shared by all that comes later';
/** So each of those parts is made to need all of what `first` names for its folder (by the beginning of its path), which is one file then. */
const inFewFiles = (first: Readonly<Record<string, string>>): Plugin => ({
  name: MARKED,
  setup({ onResolve, onLoad, resolve, initialOptions }) {
    const later = new Map<string, string>();
    onResolve({ filter: /^\./ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === MARKED) return undefined;
      const found = await resolve(path, { importer, resolveDir, kind, pluginData: MARKED });
      const needs = Object.entries(first).find(([folder]) => found.path.startsWith(`${ROOT}${folder}`))?.[1];
      if (needs !== undefined) later.set(found.path, `${ROOT}${needs}`);
      return found;
    });
    // Whatever a plugin loads, tsconfig.json does not count for.
    Object.assign(initialOptions, { jsx: 'automatic', jsxImportSource: 'preact' } satisfies BuildOptions);
    onLoad({ filter: /\.tsx?$/ }, async ({ path }) => {
      const needs = later.get(path);
      if (needs === undefined) return undefined;
      const contents = `import ${JSON.stringify(needs)}; ${await readFile(path, 'utf8')}`;
      return { contents, loader: extname(path).slice(1) as Loader, resolveDir: dirname(path) };
    });
  },
});

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

/** Of a site: what the parts that come later have in common with what comes first. */
const FIRST = { 'src/': 'src/api/index.ts', 'examples/browser/': 'examples/browser/page.tsx' };

/**
 * A site's page, with its Workers. `entries`: as above. What is imported dynamically is in files that come when they are asked for. The names of the scripts that the first two of the entries import, `early` before `page`.
 */
export async function bundleSite(
  entries: Readonly<Record<string, string>>,
  outdir: string,
  plugins: readonly Plugin[] = [],
): Promise<readonly string[]> {
  const options = { ...COMMON, outdir, chunkNames: '[name]-[hash]', splitting: true, sourcemap: true, define: defined() };
  // Each by itself, with what several have in each: together they would be in some fifty pieces, and each thread would ask for twenty of them before its first instruction.
  for (const [name, path] of Object.entries(workers())) await esbuild({ ...options, entryPoints: { [name]: path } });
  await esbuild({ ...options, entryPoints: CLIENT_SOURCES, plugins: [icedOfClients] });
  const { metafile } = await esbuild({ ...options, entryPoints: entries, plugins: [...plugins, iced, inFewFiles(FIRST)], metafile: true });
  // What comes later would bring the page's styles once more.
  for (const path of Object.keys(metafile.outputs))
    if (/\.css(\.map)?$/.test(path) && !/^page\.css/.test(basename(path))) rmSync(join(ROOT, path));
  return [...new Set(['early.js', 'page.js'].flatMap((name) => importsOf(metafile, name)))];
}
