import { describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { testCloud } from '../support/cloud.ts';
import { type Flow, itEndsTheSame, recordFlow } from '../support/interrupted-flows.ts';

const test = await testCloud();
const { issuer } = test.cloud.oidc;
const anaId = userIdOf(issuer, 'ana');

const tenant = (tenantId: string, credentials: readonly object[]) => ({
  detailType: 'TenantOnboarded',
  detail: { version: 1, tenantId, displayName: 'Crash Test', tier: 'pool', requestedBy: 'test', credentials },
});
const ana = (tenantId: string) => ({
  detailType: 'UserOnboarded',
  detail: { version: 1, tenantId, issuer, subject: 'ana', requestedBy: 'test' },
});
const awaited = { credentialId: 'anthropic-own', provider: 'anthropic', source: 'customer-supplied', environment: 'production' };
const anasOwn = { credentialId: 'ana-own', provider: 'openai', source: 'platform-issued', environment: 'production', userId: anaId };

const onboardUser: Flow = { before: (tenantId) => [tenant(tenantId, [])], event: ana };

const requestCredential: Flow = {
  before: (tenantId) => [tenant(tenantId, []), ana(tenantId)],
  event: (tenantId) => ({ detailType: 'CredentialRequested', detail: { version: 1, tenantId, requestedBy: 'test', credential: anasOwn } }),
  subjects: { [anaId]: 'ana' },
};

const changeRules: Flow = {
  before: (tenantId) => [tenant(tenantId, [awaited])],
  event: (tenantId) => ({
    detailType: 'RoutingRulesChanged',
    detail: {
      version: 1,
      tenantId,
      requestedBy: 'test',
      rules: [{ match: { provider: 'anthropic', environment: 'production' }, use: 'anthropic-own' }],
    },
  }),
};

const [user, credential, rules] = [
  await recordFlow(test, onboardUser, true),
  await recordFlow(test, requestCredential, true),
  await recordFlow(test, changeRules, true),
];

describe('idempotent provisioning, U1: UserOnboarded', async () => {
  it('makes the user once and says so', () => {
    expect(user.points.length).toBeGreaterThan(4);
    expect(user.clean).toMatchObject({
      registry: { [`USER#${anaId}`]: { status: 'active', announced: true } },
      published: ['TenantProvisioned', 'UserProvisioned'],
      failures: [],
    });
  });
  await itEndsTheSame(test, user);
});

describe("idempotent provisioning, U1: CredentialRequested for a user's own", async () => {
  it('makes one key, vaults that very key as the user’s and says so', () => {
    expect(credential.points.length).toBeGreaterThan(12);
    expect(credential.clean).toMatchObject({
      registry: {
        TENANT: { status: 'active', leaseUntil: 0 },
        'CREDENTIAL#ana-own': { status: 'active', announced: true, leaseUntil: 0, userId: anaId },
      },
      credentials: {
        'CREDENTIAL#ana-own': { tags: { UserId: anaId }, vaultedKeyIsLive: true, registryNamesIt: true, registryNamesItsVersion: true },
      },
      projects: 1,
      liveKeys: ['{tenant}.ana-own'],
      published: ['CredentialProvisioned', 'TenantProvisioned', 'UserProvisioned'],
      failures: [],
    });
  });
  await itEndsTheSame(test, credential);
});

describe('idempotent provisioning: RoutingRulesChanged', async () => {
  it('puts the rules in force as one new version and says so', () => {
    expect(rules.points.length).toBeGreaterThan(4);
    expect(rules.clean).toMatchObject({
      registry: { TENANT: { rulesVersion: 1, rulesAnnounced: true, rules: [{ use: 'anthropic-own' }] } },
      published: ['RoutingRulesApplied', 'TenantProvisioned'],
      failures: [],
    });
  });
  await itEndsTheSame(test, rules);
});
