import { describe, expect, it } from 'vitest';
import type { CredentialSettings, EgressAdapter, InjectedSecret, OutgoingRequest } from '../../../functions/providers/egress-adapter.ts';
import { egressAdapterOf, egressAdapters } from '../../../functions/providers/egress-adapters.ts';
import { upstreamHeaders } from '../../../functions/providers/egress-headers.ts';
import { type EgressProvider, providerName } from '../../../functions/providers/provider-name.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

const settings: Readonly<Partial<Record<EgressProvider, CredentialSettings>>> = {
  'azure-openai': { resource: 'acme-prod' },
  bedrock: { region: 'eu-central-1' },
  vertex: { project: 'acme-123456', location: 'europe-west4' },
  'self-hosted': { host: 'llm.acme.com', port: 8443 },
  aws: { regions: ['eu-central-1', 'us-east-1'], services: ['bedrock', 'dynamodb', 's3', 'sqs'] },
};
/** A database is no place that calls are forwarded to. */
const forwarded = providerName.exclude(['postgres']);

function target(provider: EgressProvider, method: string, path: string, query = '', own = settings[provider] ?? {}): string | undefined {
  return egressAdapters[provider].target({ method, path, query }, own)?.url.href;
}

const key: InjectedSecret = { kind: 'api-key', apiKey: new SecretText('k-1') };
const token: InjectedSecret = { kind: 'bearer', token: new SecretText('t-1') };
const session: InjectedSecret = {
  kind: 'aws-session',
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: new SecretText('s-1'),
  sessionToken: new SecretText('st-1'),
};

function auth(adapter: EgressAdapter, secret: InjectedSecret, headers: Record<string, string> = {}): Record<string, string> {
  const own = settings[adapter.provider] ?? {};
  const request: OutgoingRequest = { method: 'POST', url: new URL('https://example.com/x'), headers, body: Buffer.from('{}') };
  return adapter.authHeaders(secret, request, own);
}

describe('E1 egress: the URL a use becomes', () => {
  it('is there for every provider that a credential may be for', () => {
    expect(Object.keys(egressAdapters).sort()).toEqual([...forwarded.options].sort());
    for (const [name, adapter] of Object.entries(egressAdapters)) expect(adapter.provider).toBe(name);
  });

  it.each<[EgressProvider, string, string, string, string]>([
    ['openai', 'POST', 'v1/chat/completions', '', 'https://api.openai.com/v1/chat/completions'],
    ['openai', 'POST', 'chat/completions', '', 'https://api.openai.com/v1/chat/completions'],
    ['openai', 'GET', 'v1/models/ft:gpt-4o:acme::x1', '', 'https://api.openai.com/v1/models/ft:gpt-4o:acme::x1'],
    ['anthropic', 'POST', 'v1/messages', 'beta=true', 'https://api.anthropic.com/v1/messages?beta=true'],
    [
      'azure-openai',
      'POST',
      'openai/deployments/gpt-5/chat/completions',
      'api-version=2024-10-21',
      'https://acme-prod.openai.azure.com/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21',
    ],
    ['azure-openai', 'POST', 'openai/v1/responses', '', 'https://acme-prod.openai.azure.com/openai/v1/responses'],
    [
      'bedrock',
      'POST',
      'model/eu.anthropic.claude-sonnet-4-5-20250929-v1:0/converse-stream',
      '',
      'https://bedrock-runtime.eu-central-1.amazonaws.com/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream',
    ],
    [
      'gemini',
      'POST',
      'v1beta/models/gemini-2.5-flash:streamGenerateContent',
      'alt=sse',
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    ],
    [
      'vertex',
      'POST',
      'v1/projects/acme-123456/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict',
      '',
      'https://europe-west4-aiplatform.googleapis.com/v1/projects/acme-123456/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict',
    ],
    ['mistral', 'POST', 'v1/chat/completions', '', 'https://api.mistral.ai/v1/chat/completions'],
    ['cohere', 'POST', 'v2/chat', '', 'https://api.cohere.com/v2/chat'],
    ['groq', 'POST', 'openai/v1/chat/completions', '', 'https://api.groq.com/openai/v1/chat/completions'],
    ['groq', 'GET', 'models/openai/gpt-oss-20b', '', 'https://api.groq.com/openai/v1/models/openai/gpt-oss-20b'],
    ['openrouter', 'POST', 'api/v1/chat/completions', '', 'https://openrouter.ai/api/v1/chat/completions'],
    ['self-hosted', 'POST', 'v1/chat/completions', '', 'https://llm.acme.com:8443/v1/chat/completions'],
  ])('%s %s %s', (provider, method, path, query, expected) => {
    expect(target(provider, method, path, query)).toBe(expected);
    expect(egressAdapters[provider].hosts(settings[provider] ?? {})).toContain(new URL(expected).host);
  });

  it('writes an encoded colon as the plain one, so that rules and provider see the same path', () => {
    expect(target('bedrock', 'POST', 'model/amazon.nova-lite-v1%3A0/converse')).toBe(
      target('bedrock', 'POST', 'model/amazon.nova-lite-v1:0/converse'),
    );
    expect(target('gemini', 'POST', 'v1beta/models/gemini-2.5-flash%3AgenerateContent')).toMatch(/gemini-2\.5-flash:generateContent$/);
  });

  it('goes to the base URL of development when there is one', () => {
    const urlOf = (provider: EgressProvider, path: string, baseUrl: string): string | undefined =>
      egressAdapters[provider].target({ method: 'POST', path, query: '' }, settings[provider] ?? {}, baseUrl)?.url.href;
    expect(urlOf('openai', 'v1/embeddings', 'http://127.0.0.1:4/openai/v1')).toBe('http://127.0.0.1:4/openai/v1/embeddings');
    expect(urlOf('groq', 'chat/completions', 'http://127.0.0.1:4/groq/openai/v1/')).toBe(
      'http://127.0.0.1:4/groq/openai/v1/chat/completions',
    );
    expect(urlOf('anthropic', 'v1/messages', 'http://127.0.0.1:4/anthropic')).toBe('http://127.0.0.1:4/anthropic/v1/messages');
    expect(urlOf('bedrock', 'model/m:0/invoke', 'http://127.0.0.1:4/bedrock')).toBe('http://127.0.0.1:4/bedrock/model/m%3A0/invoke');
    expect(urlOf('openai', 'v1/organization/projects', 'http://127.0.0.1:4/openai/v1')).toBeUndefined();
  });

  it.each<[EgressProvider, string, string]>([
    ['openai', 'GET', 'v1/organization/projects'],
    ['openai', 'POST', 'organization/admin_api_keys'],
    ['openai', 'GET', 'v1/files'],
    ['openai', 'DELETE', 'v1/models/gpt-5'],
    ['openai', 'GET', 'v1/chat/completions'],
    ['openai', 'GET', 'v1/responses/resp_1'],
    ['openai', 'POST', 'oauth/token'],
    ['anthropic', 'GET', 'v1/organizations/api_keys'],
    ['anthropic', 'POST', 'v1/oauth/token'],
    ['anthropic', 'GET', 'v1/messages/batches'],
    ['azure-openai', 'GET', 'openai/files'],
    ['azure-openai', 'POST', 'openai/deployments'],
    ['bedrock', 'GET', 'guardrails'],
    ['bedrock', 'POST', 'async-invoke'],
    ['bedrock', 'POST', 'model/m:0/converse/extra'],
    ['gemini', 'POST', 'v1beta/cachedContents'],
    ['gemini', 'DELETE', 'v1beta/models/gemini-2.5-flash'],
    ['gemini', 'GET', 'v1beta/models/gemini-2.5-flash:generateContent'],
    ['gemini', 'POST', 'v1beta/models/gemini:transferOwnership'],
    ['gemini', 'POST', 'upload/v1beta/files'],
    ['vertex', 'POST', 'v1/projects/other-123456/locations/europe-west4/publishers/google/models/g:generateContent'],
    ['vertex', 'POST', 'v1/projects/acme-123456/locations/us-central1/publishers/google/models/g:generateContent'],
    ['vertex', 'POST', 'v1/projects/acme-123456/locations/europe-west4/endpoints/e:setIamPolicy'],
    ['mistral', 'POST', 'v1/files'],
    ['mistral', 'DELETE', 'v1/models/m'],
    ['cohere', 'POST', 'v1/check-api-key'],
    ['cohere', 'GET', 'v1/datasets'],
    ['groq', 'POST', 'openai/v1/batches'],
    ['openrouter', 'GET', 'api/v1/keys'],
    ['openrouter', 'GET', 'api/v1/key'],
    ['openrouter', 'GET', 'api/v1/credits'],
    ['self-hosted', 'GET', 'metrics'],
    ['self-hosted', 'POST', 'v1/load_lora_adapter'],
  ])('does not exist for %s %s %s', (provider, method, path) => {
    expect(target(provider, method, path)).toBeUndefined();
  });

  it.each([
    'v1/models/..',
    'v1/../v1/models',
    'v1/models/%2e%2e',
    'v1/models/.%2e',
    'v1/models/%2E./x',
    'v1/models/...',
    'v1/models/a%2fb',
    'v1/models/a%2Fb',
    'v1/models/a%5cb',
    'v1/models/a\\b',
    'v1/models/a%252fb',
    'v1/models/%25',
    'v1//models',
    '/v1/models',
    '//evil.example/v1/models',
    'https://evil.example/v1/models',
    'v1/models/',
    'v1/models?x=1',
    'v1/models#x',
    'v1/models/a%00',
    'v1/models/a%0d%0a',
    'v1/models/a b',
    'v1/models/mödel',
    'v1/models/%c3%b6',
    'v1/models/%u002e',
    'v1/models/a;b=c',
    `v1/models/${'a'.repeat(257)}`,
    '',
  ])('does not exist for a path that is not plainly one: %j', (path) => {
    for (const provider of forwarded.options) expect(target(provider, 'GET', path)).toBeUndefined();
  });

  it('is not changed by user info in a segment', () => {
    expect(target('openai', 'GET', 'v1/models/user:pass@evil.example')).toBe('https://api.openai.com/v1/models/user:pass@evil.example');
  });

  it.each(['key=jwt', 'api-version=1&api-version=2', 'access_token=x', 'alt=sse#x', '%61pi-version=1&key=2', '__proto__=1'])(
    'does not exist with a query that is not the provider’s: %s',
    (query) => {
      for (const provider of ['openai', 'gemini', 'azure-openai'] as const)
        expect(target(provider, 'GET', 'v1beta/models', query)).toBeUndefined();
      expect(target('azure-openai', 'GET', 'openai/models', query)).toBeUndefined();
    },
  );

  it.each<[EgressProvider, CredentialSettings]>([
    ['azure-openai', {}],
    ['azure-openai', { resource: 'evil.example/' }],
    ['azure-openai', { resource: 'a.b' }],
    ['bedrock', { region: 'us-east-1.evil.example/' }],
    ['bedrock', {}],
    ['vertex', { project: 'acme-123456' }],
    ['vertex', { project: '../../x', location: 'global' }],
    ['vertex', { project: 'acme-123456', location: 'evil.example/' }],
    ['self-hosted', {}],
    ['self-hosted', { host: '127.0.0.1' }],
    ['self-hosted', { host: '2130706433' }],
    ['self-hosted', { host: 'localhost' }],
    ['self-hosted', { host: 'db.internal' }],
    ['self-hosted', { host: 'llm.acme.com.' }],
    ['self-hosted', { host: 'user@llm.acme.com' }],
    ['self-hosted', { host: 'llm.acme.com', port: 0 }],
  ])('cannot be made for %s with settings %j', (provider, own) => {
    expect(() => egressAdapters[provider].hosts(own)).toThrow(expect.objectContaining({ code: 'EGRESS_NOT_CONFIGURED' }));
  });

  it('knows adapters by their names only', () => {
    expect(egressAdapterOf('groq')?.provider).toBe('groq');
    for (const name of ['constructor', '__proto__', 'OpenAI', '']) expect(egressAdapterOf(name)).toBeUndefined();
  });
});

describe('E1 egress: the headers a use gets', () => {
  it.each<[EgressProvider, InjectedSecret, Record<string, string>]>([
    ['openai', key, { authorization: 'Bearer k-1' }],
    ['openai', token, { authorization: 'Bearer t-1' }],
    ['anthropic', key, { 'x-api-key': 'k-1', 'anthropic-version': '2023-06-01' }],
    ['anthropic', token, { authorization: 'Bearer t-1', 'anthropic-version': '2023-06-01', 'anthropic-beta': 'oauth-2025-04-20' }],
    ['azure-openai', key, { 'api-key': 'k-1' }],
    ['azure-openai', token, { authorization: 'Bearer t-1' }],
    ['bedrock', key, { authorization: 'Bearer k-1' }],
    ['gemini', key, { 'x-goog-api-key': 'k-1' }],
    ['vertex', key, { authorization: 'Bearer k-1' }],
    ['mistral', key, { authorization: 'Bearer k-1' }],
    ['cohere', key, { authorization: 'Bearer k-1' }],
    ['groq', key, { authorization: 'Bearer k-1' }],
    ['openrouter', key, { authorization: 'Bearer k-1' }],
    ['self-hosted', key, { authorization: 'Bearer k-1' }],
  ])('%s', (provider, secret, expected) => {
    expect(auth(egressAdapters[provider], secret)).toEqual(expected);
  });

  it('keep the version and betas that the caller of Anthropic asked for', () => {
    const asked = { 'anthropic-version': '2024-01-01', 'anthropic-beta': 'tools-1, oauth-2025-04-20' };
    expect(auth(egressAdapters.anthropic, token, asked)).toMatchObject({
      'anthropic-version': '2024-01-01',
      'anthropic-beta': 'tools-1,oauth-2025-04-20',
    });
    expect(auth(egressAdapters.anthropic, key, asked)['anthropic-beta']).toBeUndefined();
  });

  it('never come from an AWS session but at AWS', () => {
    for (const adapter of Object.values(egressAdapters)) {
      if (adapter.provider === 'bedrock' || adapter.provider === 'aws') continue;
      expect(() => auth(adapter, session)).toThrow(expect.objectContaining({ code: 'EGRESS_NOT_CONFIGURED' }));
    }
    const signed = auth(egressAdapters.bedrock, session, { 'content-type': 'application/json' });
    expect(signed['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    );
    expect(signed['x-amz-security-token']).toBe('st-1');
    expect(Object.keys(signed)).not.toContain('host');
  });

  it('keep of the caller’s what is harmless and nothing that authenticates or routes', () => {
    const inbound = {
      Accept: 'text/event-stream',
      'content-type': 'application/json',
      'accept-encoding': 'gzip, br',
      authorization: 'Bearer jwt',
      'proxy-authorization': 'Basic x',
      'x-api-key': 'jwt',
      'api-key': 'jwt',
      'x-goog-api-key': 'jwt',
      cookie: 'a=b',
      host: 'api.cordon.example',
      connection: 'keep-alive',
      'openai-organization': 'org-other',
      'openai-project': 'proj-other',
      'openai-beta': 'assistants=v2',
      'x-goog-user-project': 'other',
      'x-http-method-override': 'DELETE',
      'x-forwarded-for': '10.0.0.1',
      'x-amz-security-token': 'x',
      'x-cordon-tool': 'search',
      'x-tenant-id': 'other',
    };
    expect(upstreamHeaders(egressAdapters.openai, inbound)).toEqual({
      accept: 'text/event-stream',
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'openai-beta': 'assistants=v2',
    });
    expect(upstreamHeaders(egressAdapters.anthropic, { ...inbound, 'anthropic-version': '2023-06-01' })).toEqual({
      accept: 'text/event-stream',
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'anthropic-version': '2023-06-01',
    });
  });
});
