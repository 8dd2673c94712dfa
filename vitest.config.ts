// How the tests run. Boots of a kernel and recorded vectors take their time: the limits are for a busy machine with two cores.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
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
