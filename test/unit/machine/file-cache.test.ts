// The folder of the code cache: files come whole or not at all, whatever cannot be done is as if nothing were there, and its size is bounded.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { DragomanError } from '../../../src/api/errors.ts';
import { FileCache } from '../../../src/host/file-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
let folders = 0;

function cache(most?: number, at = join(folder, `cache ${folders++}`, 'deep')) {
  const errors: unknown[] = [];
  return { at, errors, files: new FileCache(at, (error) => errors.push(error), most) };
}
const bytes = (...list: number[]) => Uint8Array.from(list);
/** So many seconds ago the file was used. */
const age = (path: string, seconds: number) => utimesSync(path, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);

it('what is written is read, from a folder that nobody else may write to', () => {
  const { at, files, errors } = cache();
  expect([files.read('a.pack'), files.stamp('a.pack')]).toEqual([undefined, undefined]);
  files.write('a.pack', [bytes(1, 2), bytes(), bytes(3)]);
  expect([...files.read('a.pack')!]).toEqual([1, 2, 3]);
  const stamp = files.stamp('a.pack');
  // More pieces than go into one call.
  files.write(
    'a.pack',
    Array.from({ length: 3000 }, (_, k) => bytes(k & 255)),
  );
  expect(files.read('a.pack')!.length).toBe(3000);
  expect(files.stamp('a.pack')).not.toBe(stamp);
  expect(readdirSync(at)).toEqual(['a.pack']);
  expect([statSync(at).mode & 0o777, statSync(join(at, 'a.pack')).mode & 0o777]).toEqual([0o700, 0o600]);
  expect(errors).toEqual([]);
});

it('what was used longest ago goes when there is too much; other files stay, and those that somebody is making', () => {
  const { at, files } = cache(10);
  for (const [name, seconds] of [
    ['a.pack', 20],
    ['b.pack', 100],
    ['c.pack', 50],
  ] as const) {
    files.write(name, [bytes(1, 2, 3)]);
    age(join(at, name), seconds);
  }
  writeFileSync(join(at, 'notes'), 'a text of more than ten bytes');
  writeFileSync(join(at, 'x.pack.1.making'), 'somebody makes it');
  writeFileSync(join(at, 'y.pack.2.making'), 'who made it is gone');
  age(join(at, 'y.pack.2.making'), 4000);
  files.touch('b.pack');
  files.write('d.pack', [bytes(1, 2, 3)]);
  expect(readdirSync(at).sort()).toEqual(['a.pack', 'b.pack', 'd.pack', 'notes', 'x.pack.1.making']);
  // What was just written stays, however large it is.
  files.write('e.pack', [new Uint8Array(20)]);
  expect(readdirSync(at).sort()).toEqual(['e.pack', 'notes', 'x.pack.1.making']);
});

it.each([
  [
    'its place is a file',
    (at: string) => {
      mkdirSync(join(at, '..'));
      writeFileSync(at, '');
    },
  ],
  ['a folder has the name of a file', (at: string) => mkdirSync(join(at, 'a.pack', 'b'), { recursive: true })],
])('where nothing can be kept (%s), that is told, and nothing is there', (_name, spoil) => {
  const { at, files, errors } = cache();
  spoil(at);
  files.write('a.pack', [bytes(1)]);
  files.touch('a.pack');
  expect(files.read('a.pack')).toBe(undefined);
  expect(errors.length).toBe(1);
  if (statSync(at).isDirectory()) expect(readdirSync(at)).toEqual(['a.pack']);
});

it.skipIf(process.getuid?.() === 0)('the same of a folder that may not be written to (root may write anywhere)', () => {
  const { at, files, errors } = cache();
  mkdirSync(at, { recursive: true });
  chmodSync(at, 0o500);
  files.write('a.pack', [bytes(1)]);
  expect([errors.length, existsSync(join(at, 'a.pack'))]).toEqual([1, false]);
});

it('a browser without files of its origin has none, and says so', async () => {
  // It takes itself for a Worker of one here, which is never started.
  vi.stubGlobal('addEventListener', () => {});
  vi.stubGlobal('ENGINE_HASH', 'of a bundle');
  const { host: browser } = await import('../../../src/host/browser.ts');
  expect(browser.checkKeeping).toThrow(DragomanError);
  expect(browser.checkKeeping).toThrow('not supported: a code cache in a browser without files of its origin');
});
