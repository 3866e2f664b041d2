/**
 * Federated credentials: no key is stored anywhere. The tenant's own role gets a signed identity token from AWS (`sts:GetWebIdentityToken`), and the provider gives an access
 * token of its own for it. Sources: OpenAI API reference, "Workload identity federation" (RFC 8693, token exchange); Claude docs, "Workload identity federation"
 * (RFC 7523, jwt-bearer); AWS STS API Reference, GetWebIdentityToken.
 */
import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import { createExpiringCache } from '../shared/expiring-cache.ts';
import { SecretText } from '../shared/secret-text.ts';
import type { CredentialSettings, InjectedSecret } from './egress-adapter.ts';
import type { EgressAnswer, EgressCall, SendEgress } from './egress-request.ts';
import type { ProviderName } from './provider-name.ts';

/** Gets an identity token for `audience` in a session of the tenant's role. Throws what STS's refusal is turned into. */
export type IdentityToken = (audience: string) => Promise<SecretText>;

export interface FederatedTokens {
  /**
   * A token to inject, from memory until shortly before it ends. Concurrent asks share one exchange; a failed one is not kept.
   *
   * @param key names tenant, credential and the epochs it is used under: a token obtained before a revocation is not found after it
   * @throws CordonError EGRESS_NOT_CONFIGURED (no federation with this provider, or a setting is missing), PROVIDER_REFUSED (it does not accept the
   *   identity), PROVIDER_UNAVAILABLE (retryable), and what `identityToken` throws
   */
  get(
    key: string,
    of: { readonly provider: ProviderName; readonly settings: CredentialSettings; readonly identityToken: IdentityToken },
  ): Promise<InjectedSecret>;
}

interface Exchange {
  /** Where tokens are given out; in development the same path at the simulator. */
  readonly url: string;
  readonly developmentPath: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly needs: readonly (keyof CredentialSettings)[];
  body(identity: SecretText, settings: CredentialSettings): object;
}

const exchanges: Readonly<Partial<Record<ProviderName, Exchange>>> = {
  openai: {
    url: 'https://auth.openai.com/oauth/token',
    // The base URL of development ends in `/v1`, where the provider's API is.
    developmentPath: '/oauth/token',
    headers: {},
    needs: ['audience', 'identityProviderId', 'serviceAccountId'],
    body: (identity, settings) => ({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: identity.reveal(),
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      identity_provider_id: settings.identityProviderId,
      service_account_id: settings.serviceAccountId,
    }),
  },
  anthropic: {
    url: 'https://api.anthropic.com/v1/oauth/token',
    developmentPath: '/v1/oauth/token',
    headers: { 'anthropic-beta': 'oauth-2025-04-20,oidc-federation-2026-04-01' },
    needs: ['audience', 'federationRuleId', 'organizationId'],
    body: (identity, settings) => ({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: identity.reveal(),
      federation_rule_id: settings.federationRuleId,
      organization_id: settings.organizationId,
      ...(settings.serviceAccountId !== undefined && { service_account_id: settings.serviceAccountId }),
      ...(settings.workspaceId !== undefined && { workspace_id: settings.workspaceId }),
    }),
  },
};

/** A token is replaced this long before it ends: longer than a call may take to begin. */
const marginMs = 60_000;
/** What a provider says of a token's life is believed up to a day. */
const maxLifeSeconds = 86_400;

/** @param baseUrls of development: `{provider: url}` */
export function createFederatedTokens(deps: {
  readonly clock: Clock;
  readonly send: SendEgress;
  readonly baseUrls: Readonly<Record<string, string>>;
}): FederatedTokens {
  const cache = createExpiringCache<InjectedSecret>({ clock: deps.clock, capacity: 100, marginMs });
  return {
    get: (key, { provider, settings, identityToken }) =>
      cache.get(key, async () => {
        const exchange = exchanges[provider];
        if (exchange === undefined)
          throw new CordonError('EGRESS_NOT_CONFIGURED', `${provider} gives out no tokens for an identity of AWS`);
        for (const name of exchange.needs) {
          if (settings[name] === undefined || settings[name] === '')
            throw new CordonError('EGRESS_NOT_CONFIGURED', `the federated credential for ${provider} needs the setting ${name}`);
        }
        const identity = await identityToken(settings.audience ?? '');
        const askedAt = deps.clock();
        const call = callOf(exchange, deps.baseUrls[provider], exchange.body(identity, settings));
        const { token, lifeSeconds } = tokenIn(provider, await deps.send(call));
        return { value: { kind: 'bearer', token }, expiresAt: askedAt + lifeSeconds * 1000 };
      }),
  };
}

function callOf(exchange: Exchange, baseUrl: string | undefined, body: object): EgressCall {
  const real = new URL(exchange.url);
  const url = baseUrl === undefined ? real : new URL(`${baseUrl.replace(/\/+$/, '')}${exchange.developmentPath}`);
  return {
    method: 'POST',
    url,
    hosts: [real.host],
    headers: { 'content-type': 'application/json', ...exchange.headers },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** Source: RFC 6749, section 5.1. The answer is never quoted: what is wrong with it may be that it repeats the assertion. */
function tokenIn(provider: ProviderName, { status, json }: EgressAnswer): { token: SecretText; lifeSeconds: number } {
  if (status === 408 || status === 429 || status >= 500) {
    throw new CordonError('PROVIDER_UNAVAILABLE', `${provider} could not exchange the identity token (HTTP ${status})`, {
      retryable: true,
    });
  }
  if (status < 200 || status > 299)
    throw new CordonError('PROVIDER_REFUSED', `${provider} does not accept the tenant's identity (HTTP ${status})`);
  const members: Readonly<Record<string, unknown>> = typeof json === 'object' && json !== null ? { ...json } : {};
  const { access_token: token, token_type: type = 'Bearer', expires_in: life } = members;
  const isBearer = typeof type === 'string' && type.toLowerCase() === 'bearer';
  // Printable ASCII without spaces (RFC 6750, section 2.1): it becomes a header.
  if (!isBearer || typeof token !== 'string' || !/^[!-~]{1,16384}$/.test(token) || typeof life !== 'number' || !(life > 0)) {
    throw new CordonError('PROVIDER_UNAVAILABLE', `${provider} answered the token exchange in a form that is not known`, {
      retryable: true,
    });
  }
  return { token: new SecretText(token), lifeSeconds: Math.min(life, maxLifeSeconds) };
}
