// Files of the engine and of its runtime know each other in one direction, by types as well: whoever reads one need read only what it imports.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** `import .. from`, `export .. from`, `import './file.ts'`, `import('./file.ts')`. */
const IMPORT = /^(?:import|export)\b[^;]*?\sfrom '(\.[^']+)'|^import '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm;

test.each(['src', 'wasm'])('no file of %s/ imports itself through others', (folder) => {
  const sources = readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const importsOf = (file: string): string[] =>
    [...readFileSync(join(ROOT, folder, file), 'utf8').matchAll(IMPORT)].map((found) => {
      const at = normalize(join(dirname(file), found.slice(1).find((path) => path !== undefined)!));
      return [at, `${at}.ts`, join(at, 'index.ts')].find((name) => sources.includes(name)) ?? `${at} (imported by ${file})`;
    });
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' > '));
    if (done.has(file) || path.includes(file)) return;
    for (const next of importsOf(file)) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of sources) walk(file, []);
  expect(done.size).toBe(sources.length);
  expect(circles).toEqual([]);
});
