import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AdministeredWorld, type Asked, bearer, fingerprint, send, startAdministeredWorld, textAt } from './administrations.ts';

const adminSecret = z.strictObject({
  tenantId: z.uuid(),
  clientId: z.uuid(),
  clientSecret: z.string(),
  subscriptionId: z.uuid(),
  resourceGroup: z.string(),
});
let given: AdministeredWorld;
let secret: z.infer<typeof adminSecret>;
let group: string;
beforeEach(async () => {
  given = await startAdministeredWorld();
  secret = adminSecret.parse(JSON.parse(given.simulator('azure-openai').adminSecret ?? ''));
  group = `/subscriptions/${secret.subscriptionId}/resourceGroups/${secret.resourceGroup}/providers/Microsoft.CognitiveServices/accounts`;
});
afterEach(() => given.world.close());

const version = '?api-version=2025-09-01';
const tokenWith = (over: Record<string, string> = {}, tenant = secret.tenantId) =>
  send(`${given.world.tokenUrls['azure-openai']}/${tenant}/oauth2/v2.0/token`, 'POST', {
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: secret.clientId,
      client_secret: secret.clientSecret,
      scope: 'https://management.azure.com/.default',
      ...over,
    }),
  });
const newToken = async () => textAt((await tokenWith()).json, 'access_token');
const arm = async (method: string, path: string, body?: Asked['body'], token?: string) =>
  given.admin('azure-openai', method, path, { headers: bearer(token ?? (await newToken())), ...(body && { body }) });
const models = async (key: string) =>
  (await given.use('azure-openai', 'GET', '/openai/models?api-version=2024-10-21', { headers: { 'api-key': key } })).status;
const listKeys = async (name: string) => {
  const { json } = await arm('POST', `${group}/${name}/listKeys${version}`);
  return { key1: textAt(json, 'key1'), key2: textAt(json, 'key2') };
};
const regenerate = async (name: string, keyName: string) => {
  const { json } = await arm('POST', `${group}/${name}/regenerateKey${version}`, { keyName });
  return { key1: textAt(json, 'key1'), key2: textAt(json, 'key2') };
};

describe('the simulator of Microsoft Entra ID', () => {
  it('gives a client a token for its secret', async () => {
    expect((await tokenWith()).json).toMatchObject({ token_type: 'Bearer', expires_in: 3599, access_token: expect.any(String) });
    const token = await newToken();
    expect((await arm('GET', `${group}${version}`, undefined, token)).status).toBe(200);
    given.clock.advance(3_600_000);
    expect(await arm('GET', `${group}${version}`, undefined, token)).toMatchObject({
      status: 401,
      json: { error: { code: 'InvalidAuthenticationToken' } },
    });
    expect(given.world.plantedSecrets()).toEqual(expect.arrayContaining([secret.clientSecret, token]));
  });

  it.each([
    ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client'],
    ['an unknown client', { client_id: 'nobody' }, 400, 'unauthorized_client'],
    ['another scope', { scope: 'https://graph.microsoft.com/.default' }, 400, 'invalid_scope'],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('refuses %s', async (_, over, status, error) => {
    expect(await tokenWith(over)).toMatchObject({ status, json: { error } });
  });

  it('refuses another tenant', async () => {
    expect(await tokenWith({}, 'nowhere')).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
  });

  it('does not count as a request to the management', async () => {
    given.world.misbehave('azure-openai', { adminPerMinute: 0 });
    expect((await tokenWith()).status).toBe(200);
    const refused = await arm('GET', `${group}${version}`);
    expect(refused).toMatchObject({ status: 429, json: { error: { code: 'TooManyRequests' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('the Azure OpenAI simulator, management', () => {
  beforeEach(() => given.simulator('azure-openai').makeAccount('cordon-acme'));

  it('accepts exactly the current values of the two slots', async () => {
    const before = await listKeys('cordon-acme');
    expect(before.key1).not.toBe(before.key2);
    for (const key of Object.values(before)) expect(await models(key)).toBe(200);
    const after = await regenerate('cordon-acme', 'Key2');
    expect(after.key1).toBe(before.key1);
    expect(after).toEqual(await listKeys('cordon-acme'));
    expect(await Promise.all([before.key1, after.key2, before.key2].map(models))).toEqual([200, 200, 401]);
    const last = await regenerate('cordon-acme', 'Key1');
    expect(await Promise.all([last.key1, last.key2, before.key1].map(models))).toEqual([200, 200, 401]);
    expect(given.simulator('azure-openai').liveKeys('cordon-acme/')).toEqual(
      expect.arrayContaining([
        { name: 'cordon-acme/Key1', fingerprint: fingerprint(last.key1) },
        { name: 'cordon-acme/Key2', fingerprint: fingerprint(last.key2) },
      ]),
    );
    expect(given.simulator('azure-openai').liveKeys()).toHaveLength(2);
  });

  it('regenerates each resource by itself, and only slots that there are', async () => {
    given.simulator('azure-openai').makeAccount('cordon-globex');
    const globex = await listKeys('cordon-globex');
    await regenerate('cordon-acme', 'Key1');
    expect(await listKeys('cordon-globex')).toEqual(globex);
    expect((await arm('POST', `${group}/cordon-acme/regenerateKey${version}`, { keyName: 'Key3' })).status).toBe(400);
    expect((await arm('POST', `${group}/nobody/regenerateKey${version}`, { keyName: 'Key1' })).status).toBe(404);
  });

  it('accepts a replaced key for a while when told to', async () => {
    given.world.misbehave('azure-openai', { deletionDelayMs: 10_000 });
    const { key1 } = await listKeys('cordon-acme');
    await regenerate('cordon-acme', 'Key1');
    expect(await models(key1)).toBe(200);
    expect(given.simulator('azure-openai').liveKeys('cordon-acme/Key1')).toHaveLength(2);
    given.clock.advance(10_001);
    expect(await models(key1)).toBe(401);
  });

  it('replaces a key although its answer is lost', async () => {
    const before = await listKeys('cordon-acme');
    const action =
      'POST /management/subscriptions/{id}/resourceGroups/{id}/providers/Microsoft.CognitiveServices/accounts/{id}/regenerateKey';
    given.faults.add({ service: 'azure-openai', action, nth: 1, mode: 'after' });
    await expect(regenerate('cordon-acme', 'Key2')).rejects.toThrow();
    expect((await listKeys('cordon-acme')).key2).not.toBe(before.key2);
    expect(await models(before.key2)).toBe(401);
  });

  it('demands a version, this subscription, this group, and a token', async () => {
    expect(await arm('GET', group)).toMatchObject({ status: 400, json: { error: { code: 'MissingApiVersionParameter' } } });
    const other = group.replace(secret.subscriptionId, secret.clientId);
    expect(await arm('GET', `${other}${version}`)).toMatchObject({ status: 404, json: { error: { code: 'SubscriptionNotFound' } } });
    const elsewhere = group.replace('/cordon/', '/elsewhere/');
    expect(await arm('GET', `${elsewhere}${version}`)).toMatchObject({ status: 404, json: { error: { code: 'ResourceGroupNotFound' } } });
    const { key1 } = await listKeys('cordon-acme');
    expect((await arm('GET', `${group}${version}`, undefined, key1)).status).toBe(401);
    expect(await models(await newToken())).toBe(401);
  });

  it('shows and tags a resource, which keeps its keys', async () => {
    const before = await listKeys('cordon-acme');
    await arm('PATCH', `${group}/cordon-acme${version}`, { tags: { credential: 'main' } });
    expect((await arm('GET', `${group}/cordon-acme${version}`)).json).toMatchObject({
      id: `${group}/cordon-acme`,
      name: 'cordon-acme',
      kind: 'OpenAI',
      tags: { credential: 'main' },
      properties: { provisioningState: 'Succeeded', endpoint: 'https://cordon-acme.openai.azure.com/' },
    });
    expect(await listKeys('cordon-acme')).toEqual(before);
  });

  it('makes a resource in the background, and gives its keys when it is there', async () => {
    given.world.misbehave('azure-openai', { pendingPolls: 1 });
    const body = { kind: 'OpenAI', location: 'swedencentral', sku: { name: 'S0' }, properties: { customSubDomainName: 'cordon-new' } };
    const path = `${group}/cordon-new${version}`;
    expect(await arm('PUT', path, body)).toMatchObject({ status: 201, json: { properties: { provisioningState: 'Creating' } } });
    expect(await arm('POST', `${group}/cordon-new/listKeys${version}`)).toMatchObject({
      status: 409,
      json: { error: { code: 'AccountProvisioningStateInvalid' } },
    });
    await arm('GET', path);
    expect((await arm('GET', path)).json).toMatchObject({ properties: { provisioningState: 'Succeeded' } });
    const { key1 } = await listKeys('cordon-new');
    expect((await arm('PUT', path, body)).status).toBe(200);
    expect((await arm('GET', `${group}${version}`)).json).toMatchObject({ value: [{ name: 'cordon-acme' }, { name: 'cordon-new' }] });
    expect((await arm('DELETE', path)).status).toBe(200);
    expect(await models(key1)).toBe(401);
    expect((await arm('PUT', path, { ...body, kind: 'Face' })).status).toBe(400);
  });
});
