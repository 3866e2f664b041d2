import { defineConfig } from 'vitest/config';
import { campaigns } from './vitest.config.ts';

/** Campaigns that take minutes and hours: not part of `npm test`. `SEED=… COUNT=… npm run faults`; whole lives only: `npm run faults -- lives` (`docs/faults.md`). */
export default defineConfig({
  test: {
    include: [
      'test/faults/**/*.test.ts',
      'test/integration/{crash-points,provider-faults,rotation-crash-points}.test.ts',
      ...campaigns,
      'test/proofs/removed-denies.test.ts',
    ],
    env: { FAULTS: 'all' },
    globalSetup: ['test/support/synthesize.ts'],
    setupFiles: ['test/support/canaries.ts'],
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
