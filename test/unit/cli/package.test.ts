// What npm packs: all that a machine loads while it runs is in it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ENGINE_FILES, NAME_FILES, PACKAGE_FILES, PROF_FILES } from '../../../src/host/host.ts';
import { path } from './process.ts';

it('has the files of the engine, what is run and what is imported, and no sources', async () => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: path('.') });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const packed = files.map((file) => file.path);
  const wanted = [...ENGINE_FILES, ...NAME_FILES, ...PROF_FILES, ...PACKAGE_FILES].map((name) => `build/${name}`);
  expect(packed).toEqual(
    expect.arrayContaining([
      ...wanted,
      'bin/dragoman.mjs',
      'dist/api/index.js',
      'dist/api/index.d.ts',
      'dist/node/index.js',
      'dist/node/main.js',
      'README.md',
    ]),
  );
  expect(packed.filter((name) => /^(src|wasm|test|\.cache)\//.test(name))).toEqual([]);
});
