import { describe, expect, it } from 'vitest';
import { testCloud } from '../support/cloud.ts';
import { type Flow, itEndsTheSame, recordFlow } from '../support/interrupted-flows.ts';

const test = await testCloud();

const issued = { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' };
const awaited = { credentialId: 'anthropic-own', provider: 'anthropic', source: 'customer-supplied', environment: 'production' };

function onboarding(tier: string): Flow {
  return {
    name: `TenantOnboarded of tier ${tier}`,
    before: () => [],
    event: (tenantId) => ({
      detailType: 'TenantOnboarded',
      detail: { version: 1, tenantId, displayName: 'Crash Test', tier, requestedBy: 'test', credentials: [issued, awaited] },
    }),
  };
}

describe.each([await recordFlow(test, onboarding('pool')), await recordFlow(test, onboarding('dedicated'))])(
  'idempotent provisioning, I1, I4: $flow.name',
  async (recorded) => {
    it('makes one key, vaults that very key and says so', () => {
      expect(recorded.points.length).toBeGreaterThan(15);
      expect(recorded.clean).toMatchObject({
        registry: {
          TENANT: { status: 'active', announced: true, leaseUntil: 0 },
          'CREDENTIAL#openai-main': { status: 'active', leaseUntil: 0 },
          'CREDENTIAL#anthropic-own': { status: 'awaiting' },
        },
        credentials: {
          'CREDENTIAL#openai-main': { vaultedKeyIsLive: true, registryNamesIt: true, registryNamesItsVersion: true },
        },
        projects: 1,
        liveKeys: ['{tenant}.openai-main'],
        published: ['TenantProvisioned'],
        failures: [],
      });
    });

    await itEndsTheSame(test, recorded);
  },
);
