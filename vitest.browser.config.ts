import { defineConfig } from 'vitest/config';

/** The page in a real browser. Apart from `npm test`, which needs none. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/support/synthesize.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
