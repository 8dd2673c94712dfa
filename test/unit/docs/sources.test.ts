// Files of the engine and of its runtime know each other in one direction, by types as well: whoever reads one need read only what it imports.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** `import .. from`, `export .. from`, `import './file.ts'`, `import('./file.ts')`. */
const IMPORT = /^(?:import|export)\b[^;]*?\sfrom '(\.[^']+)'|^import '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm;

/** Folders of src/ of which each imports only those before it. */
const PIPELINE = ['layout', 'ir', 'runtime', 'lift', 'instrument', 'passes', 'translate', 'emit', 'cache'];

const sourcesOf = (folder: string): string[] =>
  readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts'));

/** What a file of `folder` imports, of its `sources`. */
function importsOf(folder: string, sources: readonly string[], file: string): string[] {
  const paths = [...readFileSync(join(ROOT, folder, file), 'utf8').matchAll(IMPORT)].map((found) =>
    normalize(join(dirname(file), found.slice(1).find((path) => path !== undefined)!)).replaceAll('\\', '/'),
  );
  // What is built is no source.
  const sourcePaths = paths.filter((path) => !path.startsWith('../build/') && !path.startsWith('../bin/'));
  return sourcePaths.map((at) => {
    return [at, `${at}.ts`, `${at}/index.ts`].find((name) => sources.includes(name)) ?? `${at} (imported by ${file})`;
  });
}

test.each(['src', 'wasm'])('no file of %s/ imports itself through others', (folder) => {
  const sources = sourcesOf(folder);
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' > '));
    if (done.has(file) || path.includes(file)) return;
    for (const next of importsOf(folder, sources, file)) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of sources) walk(file, []);
  expect(done.size).toBe(sources.length);
  expect(circles).toEqual([]);
});

test('folders of the pipeline import only those before them', () => {
  const sources = sourcesOf('src');
  const place = (file: string) => PIPELINE.indexOf(file.split('/')[0]!);
  expect(PIPELINE.filter((_, at) => !sources.some((file) => place(file) === at))).toEqual([]);
  const upward = sources
    .filter((file) => place(file) >= 0)
    .flatMap((file) =>
      importsOf('src', sources, file)
        .filter((to) => place(to) > place(file))
        .map((to) => `${file} > ${to}`),
    );
  expect(upward).toEqual([]);
});
