import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { usesBy } from '../support/attribution-log.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { plant } from '../support/ground-truth.ts';
import { askProxy } from '../support/proxy-request.ts';
import { bringKeyIn } from '../support/supply.ts';

let test: TestCloud;
let tenantId: string;

const issued = { provider: 'openai', source: 'platform-issued' } as const;
const customers = (provider: string, credentialId: string, environment = 'production') => ({
  ...{ credentialId, provider, environment, source: 'customer-supplied' as const },
});
const credentials = [
  { ...issued, credentialId: 'staging', environment: 'staging', dataClasses: ['internal', 'public'] },
  { ...issued, credentialId: 'chat', environment: 'production' },
  { ...issued, credentialId: 'batch', environment: 'production' },
  { ...issued, credentialId: 'research', environment: 'production' },
  { ...issued, credentialId: 'eu', environment: 'production' },
  customers('groq', 'groq-production'),
  customers('groq', 'groq-staging', 'staging'),
  customers('mistral', 'mistral-main'),
  customers('openrouter', 'openrouter-one'),
  customers('openrouter', 'openrouter-two'),
];
const openai = { provider: 'openai', environment: 'production' };
const rule = (provider: string, environment: string, use: string) => ({ match: { provider, environment }, use });
const routing = [
  rule('openai', 'staging', 'staging'),
  { match: { ...openai, useCase: 'chat' }, use: 'chat' },
  { match: { ...openai, useCase: 'batch' }, use: 'batch' },
  { match: { ...openai, team: 'research' }, use: 'research' },
  { match: { ...openai, labels: { region: 'eu', product: 'helpdesk' } }, use: 'eu' },
  rule('groq', 'production', 'groq-production'),
  rule('groq', 'staging', 'groq-staging'),
  rule('mistral', 'production', 'mistral-main'),
  rule('openrouter', 'production', 'openrouter-one'),
  rule('openrouter', 'production', 'openrouter-two'),
];

beforeAll(async () => {
  test = await testCloud();
  const { outcome, ...onboarded } = await test.onboard({ credentials, routing });
  expect(outcome.detailType).toBe('TenantProvisioned');
  ({ tenantId } = onboarded);
});

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string;
}
const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Asks for the provider's models as somebody, saying more or less about the call. */
async function models(provider: string, said: Readonly<Record<string, string>> = {}, userId = 'somebody'): Promise<Answer> {
  return call('GET', provider, 'models', said, userId);
}

async function call(method: string, provider: string, path: string, said: Readonly<Record<string, string>> = {}, userId = 'somebody') {
  const token = await test.cloud.oidc.mint({ tenantId, userId });
  const headers = Object.fromEntries(Object.entries(said).map(([name, value]) => [`x-cordon-${name}`, value]));
  const { status, text } = await askProxy(test, `${provider}/${path}`, {
    method,
    headers: { ...headers, authorization: `Bearer ${token}` },
  });
  const error = status < 400 ? undefined : errorBody.safeParse(JSON.parse(text)).data?.error;
  return { status, code: error?.code, message: error?.message ?? '' };
}

/** The credential of the last use on record. */
async function lastUsed(): Promise<string | undefined> {
  await test.settled();
  return (await usesBy(test, tenantId)).filter(({ intent }) => intent.operation === 'provider.call').at(-1)?.intent.credentialId;
}

const requestsAt = (provider: string): number => test.cloud.world.simulators[provider]?.requests().length ?? -1;
const keyShownTo = (provider: string) => test.cloud.world.simulators[provider]?.requests().at(-1)?.keyFingerprint;
const fingerprint = (key: string): string => createHash('sha256').update(key).digest('hex');

describe('G3 the credential for a call', () => {
  it.each<[string, Record<string, string>]>([
    ['staging', { environment: 'staging' }],
    ['staging', {}],
    ['chat', { environment: 'production', 'use-case': 'chat' }],
    ['batch', { environment: 'production', 'use-case': 'batch' }],
    ['research', { environment: 'production', team: 'research' }],
    ['eu', { environment: 'production', labels: 'region=eu,product=helpdesk' }],
    ['eu', { environment: 'production', labels: 'product=helpdesk, region=eu, more=1' }],
    ['chat', { environment: 'production', 'use-case': 'chat', team: 'sales', labels: 'region=eu' }],
  ])('is %s for %o', async (credentialId, said) => {
    expect(await models('openai', said)).toMatchObject({ status: 200 });
    expect(await lastUsed()).toBe(credentialId);
  });

  it.each<[string, Record<string, string>]>([
    ['openai', { environment: 'production' }],
    ['openai', { environment: 'nowhere' }],
    ['openai', { environment: 'production', 'use-case': 'CHAT' }],
    ['openai', { environment: 'production', labels: 'region=eu' }],
    ['openai', { environment: 'production', labels: 'region=us,product=helpdesk' }],
    ['cohere', {}],
  ])('does not exist at %s for %o, and the answer says what to add', async (provider, said) => {
    const asked = requestsAt(provider);
    const answer = provider === 'cohere' ? await call('POST', provider, 'v2/chat', said) : await models(provider, said);
    expect(answer).toMatchObject({ status: 404, code: 'NO_CREDENTIAL', message: expect.stringContaining('x-cordon-environment') });
    expect(requestsAt(provider)).toBe(asked);
  });

  it.each<[string, Record<string, string>, string]>([
    ['openai', { environment: 'production', 'use-case': 'chat', team: 'research' }, 'overlap'],
    ['openai', { 'use-case': 'chat' }, 'x-cordon-environment'],
    ['groq', {}, 'x-cordon-environment'],
    ['openrouter', { environment: 'production' }, 'overlap'],
  ])('is ambiguous at %s for %o, and the answer names what decides', async (provider, said, remedy) => {
    const asked = requestsAt(provider);
    const answer = await models(provider, said);
    expect(answer).toMatchObject({ status: 422, code: 'AMBIGUOUS_CREDENTIAL', message: expect.stringContaining(remedy) });
    // What there is besides is none of the caller's business.
    for (const name of ['groq-', 'openrouter-', 'research', 'chat', 'staging']) expect(answer.message).not.toContain(name);
    expect(requestsAt(provider)).toBe(asked);
  });

  it.each(['no-equals-sign', 'a=1,a=2', 'A=1', 'a=\u00e9'])('is not guessed at from labels that are not understood: %s', async (labels) => {
    expect(await models('openai', { environment: 'production', labels })).toMatchObject({ status: 400, code: 'CALL_INVALID' });
  });
});

describe('G3 a data class', () => {
  it('only goes through a credential that is cleared for it', async () => {
    expect(await models('openai', { environment: 'staging', 'data-class': 'internal' })).toMatchObject({ status: 200 });
    const asked = requestsAt('openai');
    const uncleared: Record<string, string>[] = [
      { environment: 'staging', 'data-class': 'restricted' },
      { environment: 'production', 'use-case': 'chat', 'data-class': 'internal' },
    ];
    for (const said of uncleared) expect(await models('openai', said)).toMatchObject({ status: 403, code: 'DATA_CLASS_NOT_CLEARED' });
    expect(requestsAt('openai')).toBe(asked);
  });
});

describe('G3 no credential takes another one’s place', () => {
  it('when the chosen one is awaited, and it alone is used once it came', async () => {
    const staging = await bringKeyIn(test, { tenantId, credentialId: 'groq-staging', provider: 'groq' });
    const asked = requestsAt('groq');
    expect(await models('groq', { environment: 'production' })).toMatchObject({ status: 403, code: 'CREDENTIAL_NOT_ACTIVE' });
    expect(requestsAt('groq')).toBe(asked);
    expect(await models('groq', { environment: 'staging' })).toMatchObject({ status: 200 });
    expect(keyShownTo('groq')).toBe(fingerprint(staging));
    const production = await bringKeyIn(test, { tenantId, credentialId: 'groq-production', provider: 'groq' });
    expect(await models('groq', { environment: 'production' })).toMatchObject({ status: 200 });
    expect(keyShownTo('groq')).toBe(fingerprint(production));
  });

  it('when the chosen one was revoked after it was used', async () => {
    expect(await models('openai', { environment: 'production', 'use-case': 'batch' })).toMatchObject({ status: 200 });
    await plant(test.cloud, { pk: `TENANT#${tenantId}#`, sk: 'CREDENTIAL#batch' }, { status: 'revoked' });
    const asked = requestsAt('openai');
    expect(await models('openai', { environment: 'production', 'use-case': 'batch' })).toMatchObject({
      status: 401,
      code: 'CREDENTIAL_REVOKED',
    });
    expect(requestsAt('openai')).toBe(asked);
  });
});

describe('G3 U4 a user’s own credential', () => {
  let main: string;
  let own: string;
  const credentialId = 'mistral-ana';

  beforeAll(async () => {
    const about = { version: 1, tenantId, requestedBy: 'test' };
    main = await bringKeyIn(test, { tenantId, credentialId: 'mistral-main', provider: 'mistral' });
    const { issuer } = test.cloud.oidc;
    for (const subject of ['ana', 'ben']) {
      await test.putEvents({ detailType: 'UserOnboarded', detail: { ...about, issuer, subject } });
      await test.outcome(['UserProvisioned'], userIdOf(issuer, subject));
    }
    const credential = { ...customers('mistral', credentialId), userId: userIdOf(issuer, 'ana') };
    await test.putEvents({ detailType: 'CredentialRequested', detail: { ...about, credential } });
    await test.outcome(['CredentialProvisioned'], credentialId);
  });

  it('outranks the tenant’s for this user before it is there, and nothing takes its place', async () => {
    const asked = requestsAt('mistral');
    expect(await models('mistral', {}, 'ana')).toMatchObject({ status: 403, code: 'CREDENTIAL_NOT_ACTIVE' });
    expect(requestsAt('mistral')).toBe(asked);
  });

  it('is used for this user, and the tenant’s for everybody else', async () => {
    own = await bringKeyIn(test, { tenantId, credentialId, provider: 'mistral', userId: 'ana' });
    const shown = [];
    for (const userId of ['ana', 'ben', 'ana', 'nobody-onboarded']) {
      expect(await models('mistral', { environment: 'production' }, userId)).toMatchObject({ status: 200 });
      shown.push(keyShownTo('mistral'));
    }
    expect(shown).toEqual([own, main, own, main].map(fingerprint));
  });

  it('is not replaced by the tenant’s when it is revoked', async () => {
    await plant(test.cloud, { pk: `TENANT#${tenantId}#`, sk: `CREDENTIAL#${credentialId}` }, { status: 'revoked' });
    const asked = requestsAt('mistral');
    expect(await models('mistral', {}, 'ana')).toMatchObject({ status: 401, code: 'CREDENTIAL_REVOKED' });
    expect(requestsAt('mistral')).toBe(asked);
    expect(await models('mistral', {}, 'ben')).toMatchObject({ status: 200 });
  });
});
