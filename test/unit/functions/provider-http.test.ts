import { describe, expect, it } from 'vitest';
import { createOpenAi } from '../../../functions/providers/admin/openai.ts';
import { createAdminKey } from '../../../functions/providers/admin-key.ts';
import { attemptOf, keyName } from '../../../functions/providers/provider.ts';
import { createProviderHttp } from '../../../functions/providers/provider-http.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const adminKey = async (): Promise<SecretText> => new SecretText('sk-admin-canary');

/** An OpenAI whose every answer is this one. */
function answering(
  status: number,
  body: unknown = { error: { message: 'Incorrect API key provided: sk-admin-canary' } },
  headers: Record<string, string> = {},
) {
  const sent: { url: string; init: RequestInit | undefined }[] = [];
  const fetchUrl: typeof fetch = async (url, init) => {
    sent.push({ url: String(url), init });
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
  };
  return { provider: createOpenAi({ baseUrl: 'https://api.openai.com/v1/', adminKey, fetchUrl }), sent };
}

describe('an answer of the provider', () => {
  it.each([
    [400, 'PROVIDER_REFUSED', false],
    [401, 'PROVIDER_REFUSED', false],
    [403, 'PROVIDER_REFUSED', false],
    [404, 'PROVIDER_REFUSED', false],
    [302, 'PROVIDER_REFUSED', false],
    [408, 'PROVIDER_UNAVAILABLE', true],
    [429, 'PROVIDER_UNAVAILABLE', true],
    [500, 'PROVIDER_UNAVAILABLE', true],
    [503, 'PROVIDER_UNAVAILABLE', true],
  ])('with status %s is %s, and its body is not repeated', async (status, code, retryable) => {
    const failed = await answering(status)
      .provider.ensureAccount(acme, false)
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code, retryable });
    expect(String(failed)).not.toContain('canary');
  });

  it('says when to come again', async () => {
    const { provider } = answering(429, {}, { 'retry-after': '17' });
    await expect(provider.ensureAccount(acme, false)).rejects.toMatchObject({ retryAfterSeconds: 17 });
    await expect(answering(429, {}, { 'retry-after': 'soon' }).provider.ensureAccount(acme, false)).rejects.toMatchObject({
      retryAfterSeconds: undefined,
    });
  });

  it.each([['<html>'], [{}], [{ id: '../../keys', name: 'x' }]])('that is a success of another form is none: %j', async (body) => {
    await expect(answering(200, body).provider.ensureAccount(acme, false)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      retryable: true,
    });
  });

  it('that never comes is no answer', async () => {
    const fetchUrl: typeof fetch = () => Promise.reject(new TypeError('fetch failed'));
    const provider = createOpenAi({ baseUrl: 'https://api.openai.com/v1', adminKey, fetchUrl });
    await expect(provider.ensureAccount(acme, false)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      retryable: true,
      message: 'openai did not answer',
    });
  });
});

describe('a key', () => {
  it.each([
    [200, 'valid'],
    [403, 'valid'],
    [429, 'valid'],
    [401, 'refused'],
  ])('is by status %s of the list of models %s', async (status, validity) => {
    const { provider } = answering(status);
    expect(await provider.validateKey(new SecretText('sk-1'))).toBe(validity);
    expect(await provider.confirmRevoked(new SecretText('sk-1'))).toBe(validity === 'refused');
  });

  it('is neither by a status that says nothing of it', async () => {
    await expect(answering(500).provider.confirmRevoked(new SecretText('sk-1'))).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  });

  it.each([200, 404])('is revoked when its deletion answers %s', async (status) => {
    await expect(answering(status, {}).provider.revokeKey({ accountId: 'proj_1' }, 'key_1')).resolves.toBeUndefined();
  });

  it('is not revoked by a 403', async () => {
    await expect(answering(403).provider.revokeKey({ accountId: 'proj_1' }, 'key_1')).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });

  it('has a name from which its attempt can be read, and no other credential’s', () => {
    expect(keyName(acme, main, 12)).toBe('acme.main.12');
    expect(attemptOf('acme.main.12', acme, main)).toBe(12);
    for (const name of [
      'acme.main',
      'acme.main.',
      'acme.main.0',
      'acme.main.1x',
      'acme-2.main.1',
      'acme.main-2.1',
      'acme.main.1.2',
      'Acme.main.1',
    ])
      expect(attemptOf(name, acme, main)).toBeUndefined();
  });
});

describe('a request to the provider', () => {
  it('goes to the base URL, follows no redirect and carries the key in its header only', async () => {
    const { provider, sent } = answering(200, { id: 'proj_1', name: 'cordon.acme' });
    await provider.ensureAccount(acme, false);
    expect(sent).toMatchObject([
      {
        url: 'https://api.openai.com/v1/organization/projects',
        init: { method: 'POST', redirect: 'manual', headers: { authorization: 'Bearer sk-admin-canary' }, body: '{"name":"cordon.acme"}' },
      },
    ]);
    expect(sent[0]?.init?.signal).toBeInstanceOf(AbortSignal);
  });

  it('takes no archived project for the tenant’s', async () => {
    const archived = { id: 'proj_1', name: 'cordon.acme', status: 'archived' };
    expect(await answering(200, { data: [archived], has_more: false }).provider.findAccount(acme)).toBeUndefined();
    expect(
      await answering(200, { data: [archived, { ...archived, id: 'proj_2', status: 'active' }], has_more: false }).provider.findAccount(
        acme,
      ),
    ).toEqual({ accountId: 'proj_2' });
  });

  it('is never made over plain http to another machine', () => {
    expect(() => createProviderHttp('openai', 'http://api.openai.com/v1')).toThrow(expect.objectContaining({ code: 'PROVIDER_REFUSED' }));
  });
});

describe('an admin key', () => {
  it('is read once and again after five minutes', async () => {
    let now = 0;
    let reads = 0;
    const key = createAdminKey({ clock: () => now, read: async () => new SecretText(`k${++reads}`) });
    expect((await Promise.all([key(), key()])).map((text) => text.reveal())).toEqual(['k1', 'k1']);
    now = 299_999;
    expect((await key()).reveal()).toBe('k1');
    now = 300_000;
    expect((await key()).reveal()).toBe('k2');
  });
});
