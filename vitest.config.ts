import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], extra: object = {}) => ({ test: { name, include, ...extra } });

export default defineConfig({
  test: {
    // Two at most: one embedded cloud per worker, on two cores.
    maxWorkers: 2,
    projects: [
      project('unit', ['test/unit/**/*.test.ts']),
      project('infra', ['test/infra/**/*.test.ts'], { globalSetup: ['test/support/synthesize.ts'] }),
      project('contracts', ['test/contracts/**/*.test.ts'], { testTimeout: 30_000 }),
      project('integration', ['test/integration/**/*.test.ts'], {
        globalSetup: ['test/support/synthesize.ts'],
        setupFiles: ['test/support/canaries.ts'],
        testTimeout: 60_000,
        hookTimeout: 60_000,
      }),
    ],
  },
});
