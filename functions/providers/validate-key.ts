/** Asks a provider whether it knows a key, with a call that costs nothing and changes nothing. What its answer says stands in `key-verdict.ts`. */
import { CordonError } from '../shared/errors.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { CredentialSettings, EgressAdapter, InjectedSecret } from './egress-adapter.ts';
import { egressAdapterOf } from './egress-adapters.ts';
import { createSendEgress, type EgressAnswer, type SendEgress } from './egress-request.ts';
import { bedrockVerdict, cohereVerdict, geminiVerdict, type KeyVerdict, verdictOf } from './key-verdict.ts';
import type { ProviderName } from './provider-name.ts';

export type { KeyVerdict } from './key-verdict.ts';

/**
 * @param secret a key that the provider takes as it is; for Vertex an access token
 * @throws CordonError PROVIDER_UNAVAILABLE (retryable) when the provider could not be asked or is in trouble; EGRESS_NOT_CONFIGURED for settings that
 *   do not say where; EGRESS_REFUSED for a host that may not be called; CREDENTIAL_NOT_SUPPLIED for a provider that takes no key
 */
export type ValidateKey = (provider: ProviderName, settings: CredentialSettings, secret: SecretText) => Promise<KeyVerdict>;

interface Probe {
  readonly method: 'GET' | 'POST';
  /** Path and query on the provider's host. */
  readonly path: string | ((settings: CredentialSettings) => string);
  readonly body?: object;
  /** The server may answer whoever asks: then it is asked once more, without the key. */
  readonly mayBeOpen?: boolean;
  readonly verdict?: (answer: EgressAnswer) => KeyVerdict | undefined;
}

const probes: Readonly<Partial<Record<ProviderName, Probe>>> = {
  openai: { method: 'GET', path: '/v1/models' },
  anthropic: { method: 'GET', path: '/v1/models?limit=1' },
  'azure-openai': { method: 'GET', path: '/openai/models?api-version=2024-10-21' },
  // The runtime lists nothing. Converse with an empty conversation is refused as invalid, but only after the key was looked at.
  bedrock: { method: 'POST', path: '/model/amazon.nova-micro-v1%3A0/converse', body: { messages: [] }, verdict: bedrockVerdict },
  gemini: { method: 'GET', path: '/v1beta/models?pageSize=1', verdict: geminiVerdict },
  vertex: {
    method: 'POST',
    path: ({ project, location }) => `/v1/projects/${project}/locations/${location}/publishers/google/models/gemini-2.5-flash:countTokens`,
    body: { contents: [{ role: 'user', parts: [{ text: 'a' }] }] },
    // Who asks is looked at before what is asked for.
    verdict: ({ status }) => (status === 400 || status === 404 ? 'valid' : undefined),
  },
  mistral: { method: 'GET', path: '/v1/models' },
  cohere: { method: 'POST', path: '/v1/check-api-key', body: {}, verdict: cohereVerdict },
  groq: { method: 'GET', path: '/openai/v1/models' },
  // The list of models is public there; this is the key's own page.
  openrouter: { method: 'GET', path: '/api/v1/key' },
  'self-hosted': { method: 'GET', path: '/v1/models', mayBeOpen: true },
};

/**
 * @param baseUrls of development, as the broker's: `{provider: url}`
 * @param allowLoopback development only
 */
export function createValidateKey(options: {
  baseUrls: Readonly<Record<string, string>>;
  allowLoopback: boolean;
  send?: SendEgress;
}): ValidateKey {
  const { baseUrls, send = createSendEgress({ allowLoopback: options.allowLoopback }) } = options;
  return async (provider, settings, secret) => {
    const probe = probes[provider];
    const adapter = egressAdapterOf(provider);
    if (probe === undefined || adapter === undefined) throw new CordonError('CREDENTIAL_NOT_SUPPLIED', `${provider} takes no key`);
    // Also checks the settings that become part of the path.
    const hosts = adapter.hosts(settings);
    const url = urlOf(adapter, probe, settings, hosts[0] ?? '', baseUrls[provider]);
    const body = probe.body === undefined ? undefined : Buffer.from(JSON.stringify(probe.body));
    const ask = (injected: InjectedSecret | undefined): Promise<EgressAnswer> => {
      const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
      const outgoing = { method: probe.method, url, headers, body: body ?? Buffer.alloc(0) };
      const auth = injected === undefined ? {} : adapter.authHeaders(injected, outgoing, settings);
      return send({ method: probe.method, url, hosts, headers: { ...headers, ...auth }, ...(body && { body }) });
    };
    const answer = await ask({ kind: 'api-key', apiKey: secret });
    const verdict = probe.verdict?.(answer) ?? verdictOf(answer);
    if (verdict === undefined) throw unavailable(provider, answer.status);
    // A server that answers everybody has not looked at the key.
    if (verdict === 'valid' && probe.mayBeOpen === true && (await ask(undefined)).status < 300) return 'unknown';
    return verdict;
  };
}

function urlOf(adapter: EgressAdapter, probe: Probe, settings: CredentialSettings, host: string, baseUrl: string | undefined): URL {
  const path = typeof probe.path === 'string' ? probe.path : probe.path(settings);
  if (baseUrl === undefined) return new URL(`https://${host}${path}`);
  const rest = path.startsWith(`${adapter.basePath}/`) ? path.slice(adapter.basePath.length) : path;
  return new URL(`${baseUrl.replace(/\/+$/, '')}${rest}`);
}

function unavailable(provider: string, status: number): CordonError {
  return new CordonError('PROVIDER_UNAVAILABLE', `${provider} could not say whether it knows the key (HTTP ${status})`, {
    retryable: true,
  });
}
