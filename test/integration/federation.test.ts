import { beforeAll, describe, expect, it } from 'vitest';
import { endedUses, plantItem, refusalOf } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';

let test: TestCloud;
/** Dedicated, and trusted by both providers. */
let tenantId: string;
/** Dedicated, with the same settings; no provider trusts it. */
let stranger: string;

const settings = {
  openai: { audience: 'https://api.openai.com/v1', identityProviderId: 'idp_cordon', serviceAccountId: 'user-agents' },
  anthropic: {
    audience: 'https://api.anthropic.com',
    federationRuleId: 'fdrl_cordon',
    organizationId: 'org-1',
    serviceAccountId: 'svac_1',
  },
} as const;
const providers = ['openai', 'anthropic'] as const;
type Federated = (typeof providers)[number];

const credentials = providers.map((provider) => ({
  ...{ credentialId: `${provider}-federated`, provider, source: 'federated', environment: 'production' },
  settings: settings[provider],
}));
const routing = credentials.map(({ provider, credentialId }) => ({ match: { provider, environment: 'production' }, use: credentialId }));

beforeAll(async () => {
  test = await testCloud();
  for (const name of ['fed', 'other']) {
    const onboarded = await test.onboard({ tenantId: test.freshTenantId(name), tier: 'dedicated', credentials, routing });
    expect(onboarded.outcome.detailType).toBe('TenantProvisioned');
    if (name === 'fed') tenantId = onboarded.tenantId;
    else stranger = onboarded.tenantId;
  }
  const { webIdentity, accountId, world } = test.cloud;
  const issuer = webIdentity.issuerOf(accountId);
  const subject = `arn:aws:iam::${accountId}:role/cordon/TenantAgent-${tenantId}`;
  world.trust('openai', { ruleId: settings.openai.identityProviderId, issuer, audience: settings.openai.audience, subject });
  world.trust('anthropic', { ruleId: settings.anthropic.federationRuleId, issuer, audience: settings.anthropic.audience, subject });
});

async function ask(provider: Federated, of: string): Promise<Response> {
  const token = await test.cloud.oidc.mint({ tenantId: of, userId: 'ana', agentId: 'agent-1', sessionId: 'session-1' });
  const messages = [{ role: 'user', content: 'one two' }];
  const path = { openai: 'openai/chat/completions', anthropic: 'anthropic/v1/messages' }[provider];
  const body = { openai: { model: 'gpt-5', messages }, anthropic: { model: 'claude-sonnet-5-5', max_tokens: 50, messages } }[provider];
  return fetch(`${test.cloud.brokerUrl}/v1/proxy/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
}

describe.each(providers)('G8 keyless use of %s by a dedicated tenant', (provider) => {
  it('works with nothing stored, and is on record as such', async () => {
    expect((await ask(provider, tenantId)).status).toBe(200);
    const uses = await endedUses(test, tenantId, 1);
    const [use] = uses.filter(({ intent }) => intent.provider === provider);
    expect(use).toMatchObject({ intent: { credentialId: `${provider}-federated` }, outcome: { result: 'succeeded', statusCode: 200 } });
    expect(await test.secretsOf(tenantId)).toEqual([]);
  });

  it('exchanges the identity once for many uses', async () => {
    await ask(provider, tenantId);
    await test.settled();
    const since = test.cloud.journal.lastSeq;
    expect((await ask(provider, tenantId)).status).toBe(200);
    await test.settled();
    const calls = test.cloud.journal.since(since).map(({ action }) => action);
    expect(calls).toContain('dynamodb:BatchGetItem');
    expect(calls).not.toContain('sts:GetWebIdentityToken');
  });

  it('is refused to a tenant whose role the provider does not trust, whatever its settings say', async () => {
    expect(await refusalOf(await ask(provider, stranger))).toMatchObject({ code: 'PROVIDER_REFUSED' });
    const uses = await endedUses(test, stranger, 1);
    expect(uses.filter(({ intent }) => intent.provider === provider).map(({ outcome }) => outcome)).toContainEqual(
      expect.objectContaining({ result: 'refused', code: 'PROVIDER_REFUSED' }),
    );
  });

  it('ends with the revocation of the credential, although the provider’s token still lives', async () => {
    expect((await ask(provider, tenantId)).status).toBe(200);
    await plantItem(test, tenantId, `CREDENTIAL#${provider}-federated`, { status: 'revoked', epoch: 1 });
    expect(await refusalOf(await ask(provider, tenantId))).toMatchObject({ code: 'CREDENTIAL_REVOKED' });
  });
});
