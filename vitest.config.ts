import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], extra: object = {}) => ({ test: { name, include, ...extra } });

/** They take minutes, and run with `npm run faults`; whole lives, and a part of each other campaign, are in `npm test`. */
export const campaigns = [
  'test/integration/{dedicated,event,revocation}-crash-points.test.ts',
  'test/integration/revocation-{reordering,scale}.test.ts',
  'test/integration/rotation-{revoked,two-workers}.test.ts',
  'test/unit/revocation/large-offboarding.test.ts',
];

export default defineConfig({
  test: {
    // Two more than two cores: each runs an embedded cloud of its own, and a third of the time a test waits, for a stream, a retry, a provider that does not answer.
    maxWorkers: 4,
    projects: [
      // These keep nothing between files: starting each in a process of its own would take longer than running it. The time is for a machine that has much else to do.
      project('unit', ['test/unit/**/*.test.ts'], { exclude: campaigns, isolate: false, testTimeout: 20_000 }),
      project('infra', ['test/infra/**/*.test.ts'], { globalSetup: ['test/support/synthesize.ts'], isolate: false, testTimeout: 20_000 }),
      project('proofs', ['test/proofs/**/*.test.ts'], {
        globalSetup: ['test/support/synthesize.ts'],
        testTimeout: 180_000,
        hookTimeout: 60_000,
      }),
      project('contracts', ['test/contracts/**/*.test.ts'], { testTimeout: 30_000 }),
      // A cloud for each file, ended after it (`canaries.ts`); what was loaded and compiled for the first serves the next.
      project('integration', ['test/integration/**/*.test.ts'], {
        exclude: campaigns,
        globalSetup: ['test/support/synthesize.ts'],
        isolate: false,
        setupFiles: ['test/support/canaries.ts'],
        testTimeout: 60_000,
        hookTimeout: 60_000,
      }),
    ],
  },
});
