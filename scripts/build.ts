// npm run build: build/ (the runtime and the interpreter, compiled, and what is run of packages) and dist/ (the sources as JavaScript, with types, and in few files for Node: dist/node). What is
// up to date is left as it is; several processes may ask at the same time. The command makes what the package exports for browsers as well (into build/). `--wasm-only` leaves that and dist/ out, `--force` makes all anew.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild, type Plugin } from 'esbuild';
import { statesOf } from '../bin/find-main.mjs';
import { OLDEST } from '../bin/find-node.mjs';
import { bundlePackage } from './bundle-browser.ts';
import { locked } from './lock.ts';
import { CLIENT_SOURCES, PAGE_WORKERS, WORKERS } from './workers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Part {
  readonly name: string;
  /** Files and folders that it is made from, and those that it makes. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  make(): Promise<void>;
}

/** What decides about the decoder, the lifts and the code that they become. */
const SEMANTICS = ['src/layout', 'src/decode', 'src/lift', 'src/ir', 'src/passes', 'src/emit', 'src/runtime'];

const runtime: Part = {
  name: 'runtime',
  inputs: [
    ...['wasm', 'src/layout', 'src/runtime/host.ts'],
    ...['scripts/build-runtime.ts', 'scripts/gen-layout.ts', 'scripts/gen-host.ts', 'package-lock.json'],
  ],
  outputs: ['build/runtime.wasm', 'build/runtime-strict.wasm', 'build/runtime.names', 'build/runtime-strict.names', 'wasm/gen'],
  make: async () => (await import('./build-runtime.ts')).buildRuntime(),
};

const handlers: Part = {
  name: 'handlers',
  inputs: [
    ...SEMANTICS,
    'src/instrument',
    'src/translate',
    'scripts/build-handlers.ts',
    'scripts/build-book.ts',
    'scripts/check-abi.ts',
    'scripts/check-regions.ts',
    'package-lock.json',
    'build/runtime.wasm',
    'build/runtime-strict.wasm',
  ],
  outputs: [
    ...['build/handlers.wasm', 'build/handlers-strict.wasm', 'build/handlers-prof.wasm', 'build/handlers-strict-prof.wasm'],
    'build/handlers.json',
    'build/patterns.txt',
  ],
  make: async () => void (await import('./build-handlers.ts')).buildHandlers(),
};

const packages: Part = {
  name: 'packages',
  inputs: ['scripts/build-packages.ts', 'scripts/iced.ts', 'package-lock.json'],
  outputs: [
    ...['build/binaryen.js', 'build/binaryen.wasm', 'build/iced-x86.js', 'build/iced_x86_bg.wasm'],
    ...['build/packages.json', 'build/LICENSES.txt'],
  ],
  make: async () => (await import('./build-packages.ts')).buildPackages(),
};

/** What Node runs; a Worker is started from the file beside the one that starts it. */
const ENTRIES = ['src/api/index.ts', 'src/cli/main.ts', 'src/host/check-node.ts', ...WORKERS];

/** Beside the engine's files (build-packages.ts). */
const iced: Plugin = {
  name: 'iced-x86 of build/',
  setup: ({ onResolve }) => onResolve({ filter: /^iced-x86$/ }, () => ({ path: '../../build/iced-x86.js', external: true })),
};

/** The sources in few files: each thread would load some hundred small ones before its first instruction. With what they were made from, so that who finds them in a checkout sees whether they are of its sources (bin/find-main.mjs). */
async function bundle(outdir: string): Promise<void> {
  const sources = statesOf(join(ROOT, 'src'));
  await esbuild({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: `node${OLDEST}`,
    packages: 'external',
    plugins: [iced],
    logLevel: 'warning',
  });
  // What the package exports. Written as it is: a bundle would put what it shares with others before the check.
  writeFileSync(join(outdir, 'package.js'), "import './check-node.js';\nexport * from './index.js';\n");
  writeFileSync(join(outdir, 'sources.json'), JSON.stringify(sources));
}

/** Where build-demo.ts puts its site. Whoever makes dist/ anew leaves it. */
export const DEMO = 'dist/demo/';

const dist: Part = {
  name: 'dist',
  inputs: [
    'src',
    'scripts/build.ts',
    'scripts/workers.ts',
    'bin/find-main.mjs',
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
  ],
  outputs: ['dist'],
  async make() {
    const fresh = `dist.${process.pid}`;
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh];
    try {
      const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
      if (status !== 0) throw new Error('the sources do not compile');
      await bundle(join(ROOT, fresh, 'node'));
      if (existsSync(join(ROOT, DEMO))) renameSync(join(ROOT, DEMO), join(ROOT, fresh, 'demo'));
      rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
      renameSync(join(ROOT, fresh), join(ROOT, 'dist'));
    } finally {
      rmSync(join(ROOT, fresh), { recursive: true, force: true });
    }
  },
};

/** What the package exports for browsers, and for both (serai, clients), beside the engine's files: build/ is all that a page needs. */
const SCRIPTS = {
  browser: 'src/api/index.ts',
  clients: 'src/api/exports/clients.ts',
  serai: 'src/api/exports/serai.ts',
};
const SERAI = 'examples/serai/serai.elf';

const browser: Part = {
  name: 'browser',
  inputs: [
    'src',
    'scripts/build.ts',
    'scripts/bundle-browser.ts',
    'scripts/iced.ts',
    'scripts/node-shim.ts',
    'scripts/workers.ts',
    'package-lock.json',
    'build/binaryen.js',
    // Their hash and sizes are in the scripts.
    ...runtime.outputs.filter((path) => path.startsWith('build/')),
    ...handlers.outputs,
    'build/packages.json',
    SERAI,
  ],
  outputs: [
    ...[...Object.keys({ ...SCRIPTS, ...CLIENT_SOURCES }), ...[...WORKERS, ...PAGE_WORKERS].map((path) => basename(path, '.ts'))].map(
      (name) => `build/${name}.js`,
    ),
    'build/serai.elf',
  ],
  async make() {
    await bundlePackage(SCRIPTS, join(ROOT, 'build'));
    copyFileSync(join(ROOT, SERAI), join(ROOT, 'build/serai.elf'));
  },
};

/** Files under `path`, sorted, but those of DEMO; none where it does not exist. */
function filesIn(path: string): string[] {
  const full = join(ROOT, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .filter((name) => !name.startsWith(DEMO))
    .sort();
}

/** Changes when any of these files does. Generated files are no inputs. */
function hashOf(paths: readonly string[], isOutput: boolean): string {
  const hash = createHash('sha256');
  for (const path of paths) {
    const files = filesIn(path).filter((file) => isOutput || !file.startsWith('wasm/gen/'));
    if (files.length === 0) return 'missing';
    for (const file of files)
      hash.update(`${file}\0`).update(
        createHash('sha256')
          .update(readFileSync(join(ROOT, file)))
          .digest(),
      );
  }
  return hash.digest('hex');
}

const stampPath = (part: Part) => join(ROOT, `build/${part.name}.stamp`);
const stampOf = (inputs: string, part: Part) => `${inputs}\n${hashOf(part.outputs, true)}\n`;

function isCurrent(part: Part): boolean {
  const path = stampPath(part);
  return existsSync(path) && readFileSync(path, 'utf8') === stampOf(hashOf(part.inputs, false), part);
}

async function bring(part: Part, force: boolean): Promise<void> {
  if (!force && isCurrent(part)) return;
  const started = performance.now();
  // Taken before: a file that changes meanwhile makes the next build do it again.
  const inputs = hashOf(part.inputs, false);
  await part.make();
  writeFileSync(stampPath(part), stampOf(inputs, part));
  process.stderr.write(`dragoman: built ${part.name} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
}

/** Brings everything up to date, with `forBrowsers` what the package exports for browsers as well. Throws where something does not compile. */
export async function build({ wasmOnly = false, forBrowsers = false, force = false } = {}): Promise<void> {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  await locked(join(ROOT, 'build/lock'), async () => {
    const parts = [runtime, handlers, packages, ...(wasmOnly ? [] : [dist]), ...(forBrowsers ? [browser] : [])];
    for (const part of parts) await bring(part, force);
  });
}

if (import.meta.main) {
  try {
    const wasmOnly = process.argv.includes('--wasm-only');
    await build({ wasmOnly, forBrowsers: !wasmOnly, force: process.argv.includes('--force') });
  } catch (error) {
    process.stderr.write(`dragoman: the build failed: ${(error as Error).message}\n`);
    process.exit(1);
  }
}
