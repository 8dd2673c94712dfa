// The runtime's files know each other in one direction: whoever reads one need read only what it imports.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const WASM = fileURLToPath(new URL('../../../wasm/', import.meta.url));

const sources = readdirSync(WASM, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function importsOf(file: string): string[] {
  const text = readFileSync(join(WASM, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*?\sfrom '(\.[^']+)'/gm)].map(([, path]) => {
    const at = normalize(join(dirname(file), path!));
    return [`${at}.ts`, join(at, 'index.ts')].find((name) => sources.includes(name)) ?? `${at} (imported by ${file})`;
  });
}

test('no file of wasm/ imports itself through others', () => {
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
