import { beforeAll, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { itemsOf, publishedSince } from '../support/ground-truth.ts';
import { askDoorKey, bringKeyIn, type DoorAnswer, postSecret, sealKey, supplierToken, supplyKey } from '../support/supply.ts';

const providers = ['anthropic', 'mistral', 'openai'] as const;
type Provider = (typeof providers)[number];
const tiers = ['pool', 'dedicated'] as const;

let test: TestCloud;
let tenants: Record<(typeof tiers)[number] | 'neighbour', string>;

const supplied = (credentialId: string, provider: string, environment: string) =>
  ({ credentialId, provider, environment, source: 'customer-supplied' }) as const;
const own = (provider: string) => supplied(`${provider}-own`, provider, 'production');
const rule = (provider: string) => ({ match: { provider, environment: 'production' }, use: `${provider}-own` });
const spare = supplied('anthropic-spare', 'anthropic', 'staging');

beforeAll(async () => {
  test = await testCloud();
  const onboard = async (tier: string, prefix: string): Promise<string> => {
    const credentials = [...providers.map(own), spare];
    const { tenantId, outcome } = await test.onboard({
      tenantId: test.freshTenantId(prefix),
      tier,
      credentials,
      routing: providers.map(rule),
    });
    expect(outcome.detailType).toBe('TenantProvisioned');
    return tenantId;
  };
  tenants = {
    pool: await onboard('pool', 'pool'),
    dedicated: await onboard('dedicated', 'dedi'),
    neighbour: await onboard('pool', 'next'),
  };
});

const calls: Readonly<Record<Provider, { path: string; body: object }>> = {
  anthropic: { path: 'anthropic/v1/messages', body: { model: 'claude-sonnet-4-5', max_tokens: 16 } },
  mistral: { path: 'mistral/v1/chat/completions', body: { model: 'mistral-large-latest' } },
  openai: { path: 'openai/v1/chat/completions', body: { model: 'gpt-5' } },
};

/** One call through the broker: its status, and the fingerprint of the key that the provider was shown. */
async function use(tenantId: string, provider: Provider, subject = 'agent'): Promise<{ status: number; shown: string | undefined }> {
  const { path, body } = calls[provider];
  const before = test.cloud.world.simulators[provider]?.requests().length ?? 0;
  const token = await test.cloud.oidc.mint({ tenantId, userId: subject });
  const response = await fetch(`${test.cloud.brokerUrl}/v1/proxy/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, messages: [{ role: 'user', content: 'hello' }] }),
  });
  await response.text();
  return { status: response.status, shown: test.cloud.world.simulators[provider]?.requests()[before]?.keyFingerprint };
}

async function statusOf(tenantId: string, credentialId: string): Promise<unknown> {
  const items = await itemsOf(test.cloud, 'RegistryTable');
  return items.find(({ pk, sk }) => pk.S === `TENANT#${tenantId}#` && sk.S === `CREDENTIAL#${credentialId}`)?.['status'];
}

async function expectNothingStored(tenantId: string, credentialId = spare.credentialId): Promise<void> {
  expect((await test.secretsOf(tenantId)).map(({ name }) => name)).not.toContain(`cordon/${tenantId}/${credentialId}`);
  expect(await statusOf(tenantId, credentialId)).toEqual({ S: 'awaiting' });
}

describe.each(tiers)('B4 B7 a key of a %s tenant', (tier) => {
  it.each(providers)('for %s comes in sealed, is active at once, and is what the broker uses', async (provider) => {
    const tenantId = tenants[tier];
    const credentialId = `${provider}-own`;
    const since = test.cloud.clock.now();
    expect(await statusOf(tenantId, credentialId)).toEqual({ S: 'awaiting' });
    const apiKey = await bringKeyIn(test, { tenantId, credentialId, provider });
    expect(await statusOf(tenantId, credentialId)).toEqual({ S: 'active' });
    expect(await use(tenantId, provider)).toEqual({ status: 200, shown: fingerprintOf(apiKey) });
    await test.settled();
    const announced = (await publishedSince(test.cloud, since)).filter(({ detail }) => detail['tenantId'] === tenantId);
    expect(announced).toMatchObject([{ detailType: 'CredentialProvisioned', detail: { credential: { credentialId, status: 'active' } } }]);
  });

  it('gives way to a second one at the next call', async () => {
    const key = { tenantId: tenants[tier], credentialId: 'mistral-own', provider: 'mistral' };
    const first = await bringKeyIn(test, key);
    expect(await use(key.tenantId, 'mistral')).toEqual({ status: 200, shown: fingerprintOf(first) });
    const second = await bringKeyIn(test, key);
    expect(await use(key.tenantId, 'mistral')).toEqual({ status: 200, shown: fingerprintOf(second) });
    expect((await test.secretsOf(key.tenantId)).filter(({ name }) => name.endsWith('/mistral-own'))).toHaveLength(1);
  });

  it('that the provider does not know is refused, and nothing is stored', async () => {
    const apiKey = `sk-ant-api03-${'wrong-key-of-somebody'.repeat(2)}`;
    const answer = await supplyKey(test, { tenantId: tenants[tier], credentialId: spare.credentialId, apiKey });
    expect(answer).toMatchObject({ status: 422, code: 'KEY_REFUSED' });
    expect(answer.text).not.toContain(apiKey.slice(13, 30));
    await expectNothingStored(tenants[tier]);
  });

  it('waits when the provider is down, and the very same supply works afterwards', async () => {
    const tenantId = tenants[tier];
    const credentialId = spare.credentialId;
    const apiKey = test.cloud.world.issueKey('anthropic');
    const token = await supplierToken(test, tenantId);
    const jwe = await sealKey(test, await askDoorKey(test, token), { tenantId, credentialId, apiKey });
    test.cloud.faults.add({ service: 'anthropic', action: 'GET /v1/models', nth: 1, mode: 'before' });
    expect(await postSecret(test, token, credentialId, { jwe })).toMatchObject({ status: 503, code: 'PROVIDER_UNAVAILABLE' });
    await expectNothingStored(tenantId);
    expect(await postSecret(test, token, credentialId, { jwe })).toMatchObject({ status: 200 });
    expect(await statusOf(tenantId, credentialId)).toEqual({ S: 'active' });
  });
});

describe('B4 a user’s own credential', () => {
  const credentialId = 'anthropic-ana';
  const [ana, ben] = ['ana of the door', 'ben of the door'];

  it('is supplied by that user alone, whatever anybody’s role, and used for nobody else', async () => {
    const tenantId = tenants.pool;
    const { issuer } = test.cloud.oidc;
    const credential = { ...supplied(credentialId, 'anthropic', 'production'), userId: userIdOf(issuer, ana) };
    const about = { version: 1, tenantId, requestedBy: 'test' };
    await test.putEvents({ detailType: 'UserOnboarded', detail: { ...about, issuer, subject: ana } });
    await test.settled();
    await test.putEvents({ detailType: 'CredentialRequested', detail: { ...about, credential } });
    await test.settled();
    expect(await statusOf(tenantId, credentialId)).toEqual({ S: 'awaiting' });

    const apiKey = test.cloud.world.issueKey('anthropic');
    const key = { tenantId, credentialId, apiKey };
    expect(await supplyKey(test, { ...key, userId: ben, role: 'admin' })).toMatchObject({ status: 404, code: 'CREDENTIAL_UNKNOWN' });
    expect(await supplyKey(test, { ...key, userId: ben, role: 'member' })).toMatchObject({ status: 403, code: 'SUPPLIER_NOT_ALLOWED' });
    await expectNothingStored(tenantId, credentialId);
    expect(await supplyKey(test, { ...key, userId: ana, role: 'member' })).toMatchObject({ status: 200 });
    // The broker of a pool tenant learns of a new credential within a minute.
    test.cloud.clock.advance(61_000);
    expect(await use(tenantId, 'anthropic', ana)).toEqual({ status: 200, shown: fingerprintOf(apiKey) });
    const { status, shown } = await use(tenantId, 'anthropic', ben);
    expect({ status, other: shown !== fingerprintOf(apiKey) }).toEqual({ status: 200, other: true });
  });
});

describe('B4 no key enters in the clear', () => {
  it.each([
    ['the key as plain JSON', (apiKey: string) => ({ apiKey })],
    ['the key where the ciphertext belongs', (apiKey: string) => ({ jwe: apiKey })],
    ['the key beside a ciphertext', (apiKey: string) => ({ jwe: 'a.b.c.d.e', apiKey })],
    ['the bare key', (apiKey: string) => apiKey],
  ])('%s is refused and not repeated', async (_, bodyOf) => {
    const apiKey = test.cloud.world.issueKey('anthropic');
    const answer: DoorAnswer = await postSecret(test, await supplierToken(test, tenants.neighbour), spare.credentialId, bodyOf(apiKey));
    expect(answer.status).toBe(400);
    for (const piece of [apiKey.slice(0, 24), apiKey.slice(-16)]) expect(answer.text).not.toContain(piece);
    await expectNothingStored(tenants.neighbour);
  });
});
