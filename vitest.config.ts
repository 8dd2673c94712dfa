// How the tests run. Boots of a kernel and recorded vectors take their time: the limits are for a busy machine with two cores.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Each thread of a machine loads the sources anew: with their types stripped and their code compiled by whoever was first, the threads and commands of the tests take a quarter less of the processor.
// One file for each of ours, replaced when it changes.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('.cache/compiled', import.meta.url));

/** Tests of functions and of single CPUs: they leave nothing behind, so their files share a process and what it has loaded, which else takes a third of their time. */
const SHARING = [
  ...[
    'devices',
    'emit',
    'guests',
    'inspect',
    'instrument',
    'layout',
    'lift',
    'loaders',
    'net',
    'passes',
    'runtime',
    'share',
    'translate',
  ].map((name) => `test/unit/${name}/**/*.test.ts`),
  ...['conformance', 'ir', 'ledger', 'vectors'].map((name) => `test/${name}/**/*.test.ts`),
];

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'parts', include: SHARING, isolate: false } },
      { extends: true, test: { name: 'whole', include: ['test/**/*.test.ts'], exclude: SHARING } },
    ],
    globalSetup: 'test/build-once.ts',
    pool: 'forks',
    // No test is to depend on what others have left.
    env: { DRAGOMAN_CODE_CACHE: 'off' },
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});
