/** The onboarding whose calls are interrupted one by one, and how it ends. */
import type { Flow } from './interrupted-flows.ts';
import { openAiMain } from './provider-run.ts';

const awaited = { credentialId: 'anthropic-own', provider: 'anthropic', source: 'customer-supplied', environment: 'production' };

/** `TenantOnboarded` with a credential that Cordon makes and one that the customer brings. */
export function onboarding(tier: 'pool' | 'dedicated'): Flow {
  return {
    before: () => [],
    event: (tenantId) => ({
      detailType: 'TenantOnboarded',
      detail: { version: 1, tenantId, displayName: 'Crash Test', tier, requestedBy: 'test', credentials: [openAiMain, awaited] },
    }),
  };
}

/** What must hold of the state in the end, to match. */
export const onboarded = {
  registry: {
    TENANT: { status: 'active', announced: true, leaseUntil: 0 },
    'CREDENTIAL#openai-main': { status: 'active', leaseUntil: 0 },
    'CREDENTIAL#anthropic-own': { status: 'awaiting' },
  },
  credentials: { 'CREDENTIAL#openai-main': { vaultedKeyIsLive: true, registryNamesIt: true, registryNamesItsVersion: true } },
  projects: 1,
  liveKeys: ['{tenant}.openai-main'],
  published: ['TenantProvisioned'],
  failures: [],
};
