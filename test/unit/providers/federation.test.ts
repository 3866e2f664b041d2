import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CredentialSettings, InjectedSecret } from '../../../functions/providers/egress-adapter.ts';
import { secretTexts } from '../../../functions/providers/egress-adapter.ts';
import { egressAdapters } from '../../../functions/providers/egress-adapters.ts';
import type { EgressAnswer, EgressCall } from '../../../functions/providers/egress-request.ts';
import { createSendEgress } from '../../../functions/providers/egress-request.ts';
import { createFederatedTokens, type FederatedTokens } from '../../../functions/providers/federation.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { createClock } from '../../../local/core/clock.ts';
import { startWorld, type World } from '../../../local/world/world.ts';

const settings = {
  openai: { audience: 'https://api.openai.com/v1', identityProviderId: 'idp_1', serviceAccountId: 'svc_1' },
  anthropic: { audience: 'https://api.anthropic.com', federationRuleId: 'fdrl_1', organizationId: 'org_1', workspaceId: 'wrkspc_1' },
} as const satisfies Record<string, CredentialSettings>;
const role = 'arn:aws:iam::111122223333:role/cordon/TenantAgent-acme';

const clock = createClock();
let world: World;
let federated: FederatedTokens;
let asked: string[];

beforeEach(async () => {
  asked = [];
  world = await startWorld({ clock, takeFault: () => undefined });
  const { issuer } = world.oidc;
  world.trust('openai', { ruleId: 'idp_1', issuer, audience: settings.openai.audience, subject: role });
  world.trust('anthropic', { ruleId: 'fdrl_1', issuer, audience: settings.anthropic.audience, subject: role });
  const baseUrls = Object.fromEntries(Object.entries(world.providers).map(([name, { baseUrl }]) => [name, baseUrl]));
  federated = createFederatedTokens({ clock: clock.now, send: createSendEgress({ allowLoopback: true }), baseUrls });
});
afterEach(() => world.close());

/** An identity token as AWS would sign it for this role. */
const identityOf = (subject: string) => async (audience: string) => {
  asked.push(audience);
  return new SecretText(await world.oidc.mint({ tenantId: 'acme', claims: { sub: subject, aud: audience } }));
};

async function use(provider: 'openai' | 'anthropic', secret: InjectedSecret): Promise<number> {
  const path = 'v1/models';
  const adapter = egressAdapters[provider];
  const target = adapter.target({ method: 'GET', path, query: '' }, settings[provider], world.providers[provider]?.baseUrl);
  if (target === undefined) throw new Error('no target');
  const headers = adapter.authHeaders(secret, { method: 'GET', url: target.url, headers: {}, body: Buffer.alloc(0) }, settings[provider]);
  return (await fetch(target.url, { headers })).status;
}

describe('G8 federation', () => {
  it.each(['openai', 'anthropic'] as const)(
    'exchanges an identity of AWS for a token that %s accepts, once for all uses',
    async (provider) => {
      const get = (): Promise<InjectedSecret> =>
        federated.get('acme/main/0', { provider, settings: settings[provider], identityToken: identityOf(role) });
      const [one, other] = await Promise.all([get(), get()]);
      expect(other).toBe(one);
      expect(one.kind).toBe('bearer');
      expect(await use(provider, one)).toBe(200);
      expect(await get()).toBe(one);
      expect(asked).toEqual([settings[provider].audience]);
      clock.advance(3_600_000 - 61_000);
      expect(await get()).toBe(one);
      clock.advance(2_000);
      expect(await get()).not.toBe(one);
      clock.advance(60_000);
      expect(await use(provider, one)).toBe(401);
    },
  );

  it('finds nothing under another epoch', async () => {
    const of = { provider: 'openai', settings: settings.openai, identityToken: identityOf(role) } as const;
    const before = await federated.get('acme/main/0', of);
    expect(await federated.get('acme/main/1', of)).not.toBe(before);
  });

  it.each(['openai', 'anthropic'] as const)('is refused by %s for another role, and that is not kept', async (provider) => {
    const other = { provider, settings: settings[provider], identityToken: identityOf(`${role}-2`) };
    await expect(federated.get('k', other)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED', retryable: false });
    const right = { ...other, identityToken: identityOf(role) };
    expect((await federated.get('k', right)).kind).toBe('bearer');
  });

  it('is refused for a token that nobody signed, or is for somebody else', async () => {
    for (const spoilt of [
      { header: { alg: 'none' } },
      { header: { alg: 'HS256' } },
      { claims: { sub: role, aud: 'https://elsewhere.example' } },
      { claims: { sub: role, aud: settings.openai.audience }, expiresIn: -10 },
    ]) {
      const identityToken = async () => new SecretText(await world.oidc.mint({ tenantId: 'acme', ...spoilt }));
      await expect(federated.get('k', { provider: 'openai', settings: settings.openai, identityToken })).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
      });
    }
  });

  it('names the setting that is missing, before AWS or the provider is asked', async () => {
    const identityToken = identityOf(role);
    for (const [provider, own, name] of [
      ['openai', { ...settings.openai, serviceAccountId: undefined }, 'serviceAccountId'],
      ['openai', { ...settings.openai, audience: undefined }, 'audience'],
      ['anthropic', { ...settings.anthropic, federationRuleId: undefined }, 'federationRuleId'],
      ['anthropic', { ...settings.anthropic, organizationId: undefined }, 'organizationId'],
    ] as const)
      await expect(federated.get(name, { provider, settings: own, identityToken })).rejects.toThrow(name);
    await expect(federated.get('k', { provider: 'groq', settings: {}, identityToken })).rejects.toMatchObject({
      code: 'EGRESS_NOT_CONFIGURED',
    });
    expect(asked).toEqual([]);
  });

  it.each<[EgressAnswer, string]>([
    [{ status: 503, json: {} }, 'PROVIDER_UNAVAILABLE'],
    [{ status: 429, json: {} }, 'PROVIDER_UNAVAILABLE'],
    [{ status: 400, json: { error: 'identity-canary' } }, 'PROVIDER_REFUSED'],
    [{ status: 302, json: {} }, 'PROVIDER_REFUSED'],
    [{ status: 200, json: undefined }, 'PROVIDER_UNAVAILABLE'],
    [{ status: 200, json: { access_token: 'a\r\nb', expires_in: 10 } }, 'PROVIDER_UNAVAILABLE'],
    [{ status: 200, json: { access_token: 'a', expires_in: 'soon' } }, 'PROVIDER_UNAVAILABLE'],
    [{ status: 200, json: { access_token: 'a', expires_in: 10, token_type: 'mac' } }, 'PROVIDER_UNAVAILABLE'],
  ])('takes %j for %s and repeats nothing of it', async (answer, code) => {
    const calls: EgressCall[] = [];
    const send = async (call: EgressCall): Promise<EgressAnswer> => {
      calls.push(call);
      return answer;
    };
    const tokens = createFederatedTokens({ clock: clock.now, send, baseUrls: {} });
    const identityToken = async () => new SecretText('identity-canary');
    const failed = await tokens.get('k', { provider: 'openai', settings: settings.openai, identityToken }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code });
    expect(String(failed)).not.toContain('canary');
    expect(calls.map(({ url, hosts }) => [url.href, hosts])).toEqual([['https://auth.openai.com/oauth/token', ['auth.openai.com']]]);
  });

  it('sends Anthropic what it documents', async () => {
    const calls: EgressCall[] = [];
    const send = async (call: EgressCall): Promise<EgressAnswer> => {
      calls.push(call);
      return { status: 200, json: { access_token: 'sk-ant-oat01-x', token_type: 'bearer', expires_in: 3600 } };
    };
    const tokens = createFederatedTokens({ clock: clock.now, send, baseUrls: {} });
    const secret = await tokens.get('k', {
      provider: 'anthropic',
      settings: settings.anthropic,
      identityToken: async () => new SecretText('jwt'),
    });
    expect(secretTexts(secret)).toEqual(['sk-ant-oat01-x']);
    expect(calls[0]?.url.href).toBe('https://api.anthropic.com/v1/oauth/token');
    expect(calls[0]?.headers['anthropic-beta']).toBe('oauth-2025-04-20,oidc-federation-2026-04-01');
    expect(JSON.parse(Buffer.from(calls[0]?.body ?? []).toString())).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: 'jwt',
      federation_rule_id: 'fdrl_1',
      organization_id: 'org_1',
      workspace_id: 'wrkspc_1',
    });
  });
});
