import { describe, expect, it } from 'vitest';
import { createAnthropic } from '../../../functions/providers/admin/anthropic.ts';
import { createAzureOpenAi } from '../../../functions/providers/admin/azure-openai.ts';
import { createGemini } from '../../../functions/providers/admin/gemini.ts';
import { createMistral } from '../../../functions/providers/admin/mistral.ts';
import { createOpenRouter } from '../../../functions/providers/admin/openrouter.ts';
import { idleSlot } from '../../../functions/providers/provider.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const key = { tenantId: acme, credentialId: main, attempt: 1, mayExist: false };
const { privateKey } = await crypto.subtle
  .generateKey({ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, [
    'sign',
    'verify',
  ])
  .then(async (pair) => ({ privateKey: Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey)).toString('base64') }));
const pem = `-----BEGIN PRIVATE KEY-----\n${privateKey}\n-----END PRIVATE KEY-----\n`;
const google = { projectNumber: '123', clientEmail: 'admin@example.com', privateKey: pem };
const uuid = '00000000-0000-4000-8000-000000000000';
const azure = { tenantId: uuid, clientId: uuid, clientSecret: 'canary', subscriptionId: uuid, resourceGroup: 'cordon' };

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers by the first matching `METHOD url-part`; an unexpected request fails. Answers that are a list are given one after the other. */
function answering(answers: Readonly<Record<string, object | readonly object[]>>) {
  const sent: Sent[] = [];
  const used = new Map<string, number>();
  const fetchUrl: typeof fetch = async (url, init) => {
    const method = init?.method ?? 'GET';
    sent.push({ method, url: String(url), headers: Object.fromEntries(new Headers(init?.headers)), body: String(init?.body ?? '') });
    const found = Object.entries(answers).find(([asked]) => {
      const [verb, part = ''] = asked.split(' ');
      return verb === method && String(url).includes(part);
    });
    if (!found) throw new Error(`nothing answers ${method} ${String(url)}`);
    const [asked, answer] = found;
    const count = used.get(asked) ?? 0;
    used.set(asked, count + 1);
    return Response.json(Array.isArray(answer) ? answer[Math.min(count, answer.length - 1)] : answer);
  };
  return { sent, fetchUrl };
}

const text = (value: string | object) => async () => new SecretText(typeof value === 'string' ? value : JSON.stringify(value));

describe('R4 an administration', () => {
  it('is asked at the documented hosts, with the provider’s own header, when nothing else is configured', async () => {
    const { sent, fetchUrl } = answering({
      'POST console.mistral.ai/api/admin/api-keys': { key_id: 'k1', key: 'made' },
      'POST openrouter.ai/api/v1/keys': { key: 'made', data: { hash: 'h1', name: 'acme.main.1' } },
      'GET api.anthropic.com/v1/organizations/api_keys': { data: [], has_more: false },
    });
    const deps = { adminKey: text('sk-admin'), fetchUrl };
    await createMistral(deps).createKey({ accountId: 'w1' }, key);
    await createOpenRouter(deps).createKey({ accountId: 'openrouter' }, key);
    await createAnthropic(deps).listKeys({ accountId: 'anthropic' }, acme, main);
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST https://console.mistral.ai/api/admin/api-keys',
      'POST https://openrouter.ai/api/v1/keys',
      'GET https://api.anthropic.com/v1/organizations/api_keys?limit=1000&status=active',
    ]);
    expect(sent.map(({ headers }) => headers['x-api-key'] ?? headers['authorization'])).toEqual([
      'sk-admin',
      'Bearer sk-admin',
      'sk-admin',
    ]);
    expect(sent[0]?.body).toBe('{"name":"acme.main.1","workspace_uuid":"w1"}');
  });

  it('does not follow an ID out of its place in the path', async () => {
    const { fetchUrl } = answering({ 'POST /api-keys': { key_id: '../workspaces/x', key: 'made' } });
    await expect(createMistral({ adminKey: text('k'), fetchUrl }).createKey({ accountId: 'w1' }, key)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
  });
});

describe('R4 Gemini', () => {
  const open = (answers: Parameters<typeof answering>[0], secret: object = google, waits: number[] = []) => {
    const { sent, fetchUrl } = answering({ 'POST oauth2.googleapis.com/token': { access_token: 't', expires_in: 3599 }, ...answers });
    const wait = async (ms: number) => waits.push(ms);
    return { sent, provider: createGemini({ adminKey: text(secret), clock: () => now, fetchUrl, wait }) };
  };
  let now = Date.UTC(2026, 0, 1);
  const pending = { name: 'operations/o1' };

  it('asks for a token by a signed assertion, once for as long as it lasts', async () => {
    const { sent, provider } = open({ 'GET apikeys.googleapis.com': {} });
    for (const later of [0, 3_500_000, 3_600_000]) {
      now = Date.UTC(2026, 0, 1) + later;
      await provider.listKeys({ accountId: '123' }, acme, main);
    }
    const tokens = sent.filter(({ url }) => url === 'https://oauth2.googleapis.com/token');
    expect(tokens).toHaveLength(2);
    const claims = new URLSearchParams(tokens[0]?.body).get('assertion')?.split('.')[1] ?? '';
    const at = Date.UTC(2026, 0, 1) / 1000;
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
      iss: 'admin@example.com',
      aud: 'https://oauth2.googleapis.com/token',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      iat: at,
      exp: at + 3600,
    });
  });

  it('waits for a key in growing steps, and not for longer than a run lasts', async () => {
    const waits: number[] = [];
    const { provider } = open({ 'GET operations/o1': pending, 'POST /keys?keyId=': pending }, google, waits);
    await expect(provider.createKey({ accountId: '123' }, key)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
    expect(waits.slice(0, 4)).toEqual([200, 400, 800, 1600]);
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(50_000);
  });

  it.each([
    [7, 'PROVIDER_REFUSED', false],
    [14, 'PROVIDER_UNAVAILABLE', true],
  ])('says what an operation that ends with code %s means', async (code, expected, retryable) => {
    const { provider } = open({ 'POST /keys?keyId=': { ...pending, done: true, error: { code, message: 'canary' } } });
    await expect(provider.createKey({ accountId: '123' }, key)).rejects.toMatchObject({
      code: expected,
      retryable,
      message: expect.not.stringContaining('canary'),
    });
  });

  it('restricts a key to the Gemini API and reads its value apart', async () => {
    const { sent, provider } = open({ 'POST /keys?keyId=': { ...pending, done: true }, 'GET /keyString': { keyString: 'AIza' } });
    const made = await provider.createKey({ accountId: '123' }, key);
    expect(made.apiKey.reveal()).toBe('AIza');
    const asked = sent.find(({ url }) => url.includes('?keyId='));
    expect(asked?.url).toBe(`https://apikeys.googleapis.com/v2/projects/123/locations/global/keys?keyId=${made.keyId}`);
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({
      annotations: { 'cordon-key': 'acme.main.1' },
      restrictions: { apiTargets: [{ service: 'generativelanguage.googleapis.com' }] },
    });
  });

  it('goes on to the next page of a list, also after an empty one', async () => {
    const listed = (id: string, name: string) => ({
      name: `projects/123/locations/global/keys/${id}`,
      annotations: { 'cordon-key': name },
    });
    const pages = [
      { keys: [listed('k1', 'acme.main.1'), listed('k2', 'beta.main.1')], nextPageToken: 'a b' },
      { nextPageToken: 'c' },
      { keys: [listed('k3', 'acme.main.2')] },
    ];
    const { sent, provider } = open({ 'GET /keys?': pages });
    expect(await provider.listKeys({ accountId: '123' }, acme, main)).toEqual([
      { keyId: 'k1', name: 'acme.main.1' },
      { keyId: 'k3', name: 'acme.main.2' },
    ]);
    expect(sent.filter(({ method }) => method === 'GET').map(({ url }) => new URL(url).searchParams.get('pageToken'))).toEqual([
      null,
      'a b',
      'c',
    ]);
  });
});

describe('R4 Azure OpenAI', () => {
  const resource = (tags?: Record<string, string>) => ({ name: 'cordon-acme', ...(tags && { tags }) });
  const open = (answers: Parameters<typeof answering>[0], secret: object = azure) => {
    const { sent, fetchUrl } = answering({ 'POST login.microsoftonline.com/': { access_token: 't', expires_in: 3599 }, ...answers });
    return { sent, provider: createAzureOpenAi({ adminKey: text(secret), clock: () => 0, fetchUrl }) };
  };

  it('tags the resource before it renews a slot, and leaves the platform’s own tags', async () => {
    const { sent, provider } = open({
      'POST /regenerateKey': { key1: 'one', key2: 'two' },
      'GET /accounts/cordon-acme': resource({ team: 'a' }),
      'PATCH /accounts/cordon-acme': resource(),
    });
    const made = await provider.regenerateSlot?.({ accountId: 'cordon-acme' }, 'Key2', { ...key, attempt: 4 });
    expect(made?.apiKey.reveal()).toBe('two');
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'GET', 'PATCH', 'POST']);
    expect(JSON.parse(sent[2]?.body ?? '')).toEqual({ tags: { team: 'a', 'cordon-key': 'acme.main.4' } });
    expect(sent[3]).toMatchObject({ body: '{"keyName":"Key2"}', headers: { authorization: 'Bearer t' } });
    expect(sent[3]?.url).toBe(
      `https://management.azure.com/subscriptions/${uuid}/resourceGroups/cordon/providers/Microsoft.CognitiveServices/accounts/cordon-acme/regenerateKey?api-version=2025-09-01`,
    );
  });

  it('takes the other key only where there is one that is live', () => {
    expect([idleSlot('Key1'), idleSlot('Key2'), idleSlot(undefined)]).toEqual(['Key2', 'Key1', 'Key1']);
  });

  it('renews no slot that is none', async () => {
    await expect(open({}).provider.revokeKey({ accountId: 'cordon-acme' }, 'key_1')).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });

  it('tries a key at the tenant’s own resource, and nowhere when none is named', async () => {
    const { sent, provider } = open({ 'GET openai.azure.com': {} });
    expect(await provider.validateKey(new SecretText('k'), { accountId: 'cordon-acme' })).toBe('valid');
    expect(sent[0]?.url).toBe('https://cordon-acme.openai.azure.com/openai/models?api-version=2024-10-21');
    await expect(provider.validateKey(new SecretText('k'))).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });
});
