// What a thread holds of the packages once it has loaded them: no texts that nobody reads again, and no second copy of their WebAssembly.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
// Node keeps what it has compiled in memory until it has written it to its cache, which these are not about.
const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };

/** MiB that a thread holds more once it has loaded a module, and called a function of it. */
const held = (module: string, ...call: string[]) =>
  Number(
    execFileSync(process.execPath, ['--expose-gc', path('test/unit/host/held.mjs'), pathToFileURL(path(module)).href, ...call], { env }),
  );

it('holds of Binaryen its interface', { timeout: 60_000 }, () => {
  const load = 'src/emit/module/load.ts';
  // Its text is 15 MB, what that says 10 MB, and so are the bytes that are made of it.
  expect(held(load, 'loadEncoder', 'binaryen') - held(load, 'loadEncoder', 'direct')).toBeLessThan(6);
});

it('holds of iced-x86 what its text says', { timeout: 60_000 }, () => {
  // With comments, and in two bytes a letter, it is 5.6.
  expect(held('build/iced-x86.js')).toBeLessThan(4);
});

it('loads iced-x86 from there in what Node runs', () => {
  const files = readdirSync(path('dist/node')).filter((name) => name.endsWith('.js'));
  const texts = files.map((name) => readFileSync(path(`dist/node/${name}`), 'utf8'));
  const imported = texts.flatMap((text) => [...text.matchAll(/(?:from|import) *\(?"([^"]*iced-x86[^"]*)"/g)].map(([, name]) => name));
  expect(new Set(imported)).toEqual(new Set(['../../build/iced-x86.js']));
});

it("gives back what a thread's garbage held", { timeout: 60_000 }, () => {
  const text = execFileSync(process.execPath, ['--no-warnings', path('test/unit/host/collect.mjs')], { encoding: 'utf8', env });
  const { before, after, gc } = JSON.parse(text) as { before: number; after: number; gc: string };
  expect(before).toBeGreaterThan(20);
  expect(after).toBeLessThan(12);
  // Nobody else is given the function.
  expect(gc).toBe('undefined');
});
