import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CredentialSettings, InjectedSecret } from '../../../functions/providers/egress-adapter.ts';
import { egressAdapters } from '../../../functions/providers/egress-adapters.ts';
import { type EgressProvider, type ProviderName, providerName } from '../../../functions/providers/provider-name.ts';
import { compileSecrets } from '../../../functions/providers/scrubber.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { createClock } from '../../../local/core/clock.ts';
import { startWorld, type World } from '../../../local/world/world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld({ clock: createClock(), takeFault: () => undefined });
});
afterEach(() => world.close());

const settings: CredentialSettings = {
  resource: 'acme',
  region: 'us-east-1',
  project: 'acme-123456',
  location: 'europe-west4',
  host: 'llm.acme.com',
};
const chat = { messages: [{ role: 'user', content: 'one two three' }] };
const contents = { contents: [{ role: 'user', parts: [{ text: 'one two three' }] }] };
const vertexModels = 'v1/projects/acme-123456/locations/europe-west4/publishers';
const claude = { anthropic_version: 'vertex-2023-10-16', max_tokens: 10, ...chat };
const converse = { messages: [{ role: 'user', content: [{ text: 'one two three' }] }] };
const nova = 'model/amazon.nova-micro-v1:0';
const bedrockClaude = 'model/us.anthropic.claude-sonnet-4-5-20250929-v1:0';

/** A use of each provider in each of its ways of answering, and the tokens it costs. */
const uses: readonly (readonly [EgressProvider, string, string, object, input: number, output: number])[] = [
  ['openai', 'v1/chat/completions', '', { model: 'gpt-5', ...chat }, 3, 5],
  ['openai', 'v1/chat/completions', '', { model: 'gpt-5', ...chat, stream: true, stream_options: { include_usage: true } }, 3, 5],
  ['openai', 'v1/responses', '', { model: 'gpt-5', input: 'one two' }, 2, 5],
  ['openai', 'v1/responses', '', { model: 'gpt-5', input: 'one two', stream: true }, 2, 5],
  ['openai', 'v1/embeddings', '', { model: 'text-embedding-3-small', input: 'one two' }, 2, 0],
  ['anthropic', 'v1/messages', '', { model: 'claude-sonnet-4-5', max_tokens: 10, ...chat }, 3, 5],
  ['anthropic', 'v1/messages', '', { model: 'claude-sonnet-4-5', max_tokens: 10, ...chat, stream: true }, 3, 5],
  ['azure-openai', 'openai/deployments/d/chat/completions', 'api-version=2024-10-21', chat, 3, 5],
  ['bedrock', `${nova}/converse`, '', converse, 3, 5],
  ['bedrock', `${nova}/converse-stream`, '', converse, 3, 5],
  ['bedrock', `${bedrockClaude}/invoke`, '', claude, 3, 5],
  ['bedrock', `${bedrockClaude}/invoke-with-response-stream`, '', claude, 3, 5],
  ['gemini', 'v1beta/models/gemini-2.5-flash:generateContent', '', contents, 3, 5],
  ['gemini', 'v1beta/models/gemini-2.5-flash:streamGenerateContent', 'alt=sse', contents, 3, 5],
  ['gemini', 'v1beta/models/gemini-2.5-flash:streamGenerateContent', '', contents, 3, 5],
  ['vertex', `${vertexModels}/google/models/gemini-2.5-flash:generateContent`, '', contents, 3, 5],
  ['vertex', `${vertexModels}/anthropic/models/claude-sonnet-4-5@20250929:rawPredict`, '', claude, 3, 5],
  ['vertex', `${vertexModels}/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict`, '', claude, 3, 5],
  ['mistral', 'v1/chat/completions', '', { model: 'mistral-large-latest', ...chat, stream: true }, 3, 5],
  ['cohere', 'v2/chat', '', { model: 'command-a-03-2025', ...chat }, 3, 5],
  ['cohere', 'v2/chat', '', { model: 'command-a-03-2025', ...chat, stream: true }, 3, 5],
  ['cohere', 'v2/embed', '', { model: 'embed-v4.0', texts: ['one two'] }, 2, 0],
  ['groq', 'openai/v1/chat/completions', '', { model: 'openai/gpt-oss-20b', ...chat, stream: true }, 3, 5],
  ['openrouter', 'api/v1/chat/completions', '', { model: 'openai/gpt-5', ...chat, stream: true }, 3, 5],
  ['self-hosted', 'v1/chat/completions', '', { model: 'local-model', ...chat }, 3, 5],
];

async function send(provider: EgressProvider, path: string, query: string, body: object, secret: InjectedSecret): Promise<Response> {
  const adapter = egressAdapters[provider];
  const target = adapter.target({ method: 'POST', path, query }, settings, world.providers[provider]?.baseUrl);
  if (target === undefined) throw new Error(`${provider} has no ${path}`);
  const bytes = Buffer.from(JSON.stringify(body));
  const headers = { 'content-type': 'application/json' };
  const auth = adapter.authHeaders(secret, { method: 'POST', url: target.url, headers, body: bytes }, settings);
  return fetch(target.url, { method: 'POST', headers: { ...headers, ...auth }, body: bytes, redirect: 'manual' });
}

const apiKey = (text: string): InjectedSecret => ({ kind: 'api-key', apiKey: new SecretText(text) });

describe('the simulators, each used through its adapter', () => {
  it.each(uses)('%s %s?%s %j answers, and its usage is read', async (provider, path, query, body, inputTokens, outputTokens) => {
    const response = await send(provider, path, query, body, apiKey(world.issueKey(provider)));
    expect(response.status).toBe(200);
    const bytes = Buffer.from(await response.arrayBuffer());
    const reader = egressAdapters[provider].usage(response.headers.get('content-type') ?? '', Object.fromEntries(response.headers));
    for (let at = 0; at < bytes.length; at += 11) reader.push(bytes.subarray(at, at + 11));
    expect(reader.end()).toEqual({ inputTokens, outputTokens });
  });

  it('are all there, and each provider has its key in its own house only', async () => {
    // The APIs of AWS are the local cloud itself, and a database is no HTTP service.
    const elsewhere: readonly ProviderName[] = ['aws', 'postgres'];
    expect(Object.keys(world.providers).sort()).toEqual(providerName.options.filter((name) => !elsewhere.includes(name)).sort());
    const foreign = world.issueKey('openai');
    for (const [provider, path, query, body] of uses) {
      if (provider === 'openai') continue;
      const { status } = await send(provider, path, query, body, apiKey(foreign));
      expect([400, 401, 403]).toContain(status);
    }
  });

  it('keep records without secrets', async () => {
    const key = world.issueKey('anthropic');
    await send('anthropic', 'v1/messages', '', { model: 'claude-sonnet-4-5', max_tokens: 10, ...chat }, apiKey(key));
    const { requests, keys } = world.simulators['anthropic'] ?? {};
    expect(requests?.()).toMatchObject([
      {
        method: 'POST',
        path: '/anthropic/v1/messages',
        status: 200,
        keyFingerprint: createHash('sha256').update(key).digest('hex'),
        headerNames: expect.arrayContaining(['x-api-key', 'anthropic-version']),
      },
    ]);
    expect(JSON.stringify([requests?.(), keys?.()])).not.toContain(key);
    expect(world.plantedSecrets()).toContain(key);
  });
});

describe('a provider that misbehaves', () => {
  const use = (key = world.issueKey('openai'), stream = false): Promise<Response> =>
    send('openai', 'v1/chat/completions', '', { model: 'gpt-5', ...chat, stream }, apiKey(key));

  it.each(['plain', 'base64', 'base64url', 'url', 'json', 'hex'] as const)(
    'repeats the key as %s, and the scrubber takes it out',
    async (echo) => {
      world.misbehave('openai', { echo, chunkBytes: 7 });
      for (const stream of [false, true]) {
        const key = world.issueKey('openai');
        const text = await (await use(key, stream)).text();
        const scrubbed = compileSecrets([key]).scrub(text);
        expect(scrubbed).toContain('[redacted]');
        expect(scrubbed.length).toBeLessThan(text.length);
        expect(scrubbed).toContain('simulator');
      }
    },
  );

  it('repeats the key in a header', async () => {
    const key = world.issueKey('openai');
    world.misbehave('openai', { echo: 'plain', echoIn: 'header' });
    const response = await use(key);
    expect(response.headers.get('x-echo')).toBe(key);
    expect(await response.text()).not.toContain(key);
  });

  it('compresses unasked', async () => {
    world.misbehave('openai', { compress: 'gzip' });
    const url = `${world.openAiBaseUrl}/models`;
    const { get } = await import('node:http');
    const body = await new Promise<Buffer>((resolve, reject) => {
      get(url, { headers: { authorization: `Bearer ${world.issueKey('openai')}` } }, (response) => {
        expect(response.headers['content-encoding']).toBe('gzip');
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)));
      }).once('error', reject);
    });
    expect(JSON.parse(gunzipSync(body).toString())).toMatchObject({ object: 'list' });
  });

  it('redirects, is slow, sends too much', async () => {
    world.misbehave('openai', { redirectTo: 'http://169.254.169.254/' });
    expect((await use()).headers.get('location')).toBe('http://169.254.169.254/');
    world.misbehave('openai', { oversizedBytes: 200_000 });
    expect((await (await use()).text()).length).toBeGreaterThan(200_000);
    world.misbehave('openai', { firstByteDelayMs: 60, chunkGapMs: 20 });
    const before = performance.now();
    const response = await use(undefined, true);
    const first = performance.now();
    await response.text();
    expect(first - before).toBeGreaterThan(55);
    expect(performance.now() - first).toBeGreaterThan(60);
  });

  it('breaks off in the middle, whole answers as well as streams', async () => {
    world.misbehave('openai', { halfClose: true });
    for (const stream of [false, true]) await expect(use(undefined, stream).then((response) => response.text())).rejects.toThrow();
  });

  it('hangs until the client goes, and that is recorded', async () => {
    world.misbehave('openai', { hang: true });
    const url = `${world.openAiBaseUrl}/models`;
    const headers = { authorization: `Bearer ${world.issueKey('openai')}` };
    await expect(fetch(url, { headers, signal: AbortSignal.timeout(80) })).rejects.toThrow();
    await expect.poll(() => world.openai.requests().at(-1)?.aborted).toBe(true);
  });

  it('is well again when nothing is given, and leaves administration alone', async () => {
    world.misbehave('openai', { hang: true });
    const admin = await fetch(`${world.openAiBaseUrl}/organization/projects`, {
      headers: { authorization: `Bearer ${world.openai.adminKey}` },
    });
    expect(admin.status).toBe(200);
    world.misbehave('openai');
    expect((await use()).status).toBe(200);
    expect(() => world.misbehave('nobody')).toThrow(RangeError);
  });
});
