import { createHash } from 'node:crypto';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI, { AzureOpenAI } from 'openai';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AttributedUse } from '../../functions/attribution/read-attribution.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { usesBy } from '../support/attribution-log.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { bringKeyIn } from '../support/supply.ts';

let test: TestCloud;
let tenantId: string;
let jwt: string;
/** The keys that were brought in, by provider. */
const keys = new Map<string, string>();

const customerSupplied = ['anthropic', 'gemini', 'azure-openai'] as const;
const credentials = [
  { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' },
  ...customerSupplied.map((provider) => ({
    ...{ credentialId: `${provider}-main`, provider, source: 'customer-supplied', environment: 'production' },
    ...(provider === 'azure-openai' && { settings: { resource: 'contoso' } }),
  })),
];
const routing = credentials.map(({ provider, credentialId }) => ({ match: { provider, environment: 'production' }, use: credentialId }));

beforeAll(async () => {
  test = await testCloud();
  ({ tenantId } = await test.onboard({ credentials, routing }));
  for (const provider of customerSupplied)
    keys.set(provider, await bringKeyIn(test, { tenantId, credentialId: `${provider}-main`, provider }));
  jwt = await test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'agent-1', sessionId: 'session-1' });
});
afterEach(() => {
  for (const provider of ['openai', ...customerSupplied]) test.cloud.world.misbehave(provider);
});

const base = (provider: string): string => `${test.cloud.brokerUrl}/v1/proxy/${provider}`;
const openai = (): OpenAI => new OpenAI({ baseURL: base('openai'), apiKey: jwt, maxRetries: 0 });
const azure = (): AzureOpenAI =>
  new AzureOpenAI({ endpoint: base('azure-openai'), apiVersion: '2024-10-21', deployment: 'prod-gpt', apiKey: jwt, maxRetries: 0 });
const anthropic = (): Anthropic => new Anthropic({ baseURL: base('anthropic'), apiKey: jwt, maxRetries: 0 });
const gemini = (): GoogleGenAI => new GoogleGenAI({ apiKey: jwt, httpOptions: { baseUrl: base('gemini') } });

const said = 'The simulator read 1 message.';
const messages = [{ role: 'user' as const, content: 'one two three' }];
const ask = { model: 'gpt-5', messages };
const askClaude = { model: 'claude-sonnet-5-5', max_tokens: 100, messages };
const askGemini = { model: 'gemini-2.5-flash', contents: 'one two three' };

const fingerprint = (key: string): string => createHash('sha256').update(key).digest('hex');

async function collected<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of stream) all.push(item);
  return all;
}

/** Uses of this provider on record, oldest first. A call's outcome is recorded after its last byte. */
async function recorded(provider: string): Promise<readonly AttributedUse[]> {
  await test.settled();
  const uses = await usesBy(test, tenantId);
  return uses.filter(({ intent }) => intent.operation === 'provider.call' && intent.provider === provider);
}

describe('G1 G2 the vendor’s own SDK with a token for a key', () => {
  it('of OpenAI gets answers, whole and streamed', async () => {
    expect((await openai().chat.completions.create(ask)).choices[0]?.message.content).toBe(said);
    const chunks = await collected(await openai().chat.completions.create({ ...ask, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(said);
    expect((await openai().models.list()).data.map(({ id }) => id)).toContain('gpt-5');
    expect(await openai().responses.create({ model: 'gpt-5', input: 'one two' })).toMatchObject({ output_text: said });
  });

  it('of OpenAI for Azure gets answers, whole and streamed', async () => {
    expect((await azure().chat.completions.create({ model: 'prod-gpt', messages })).choices[0]?.message.content).toBe(said);
    const chunks = await collected(await azure().chat.completions.create({ model: 'prod-gpt', messages, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(said);
  });

  it('of Anthropic gets answers, whole and streamed', async () => {
    expect((await anthropic().messages.create(askClaude)).content).toMatchObject([{ type: 'text', text: said }]);
    expect(await anthropic().messages.stream(askClaude).finalMessage()).toMatchObject({
      content: [{ type: 'text', text: said }],
      usage: { input_tokens: 3, output_tokens: 5 },
    });
    expect((await anthropic().models.list()).data.map(({ id }) => id)).toContain(askClaude.model);
  });

  it('of Gemini gets answers, whole and streamed', async () => {
    expect((await gemini().models.generateContent(askGemini)).text).toBe(said);
    const chunks = await collected(await gemini().models.generateContentStream(askGemini));
    expect(chunks.map((chunk) => chunk.text).join('')).toBe(said);
  });

  it('sees the provider’s own errors as that provider’s', async () => {
    await expect(openai().chat.completions.create({ ...ask, model: 'none' })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(anthropic().messages.create({ ...askClaude, model: 'none' })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });

  it.each(['openai', ...customerSupplied])('shows %s the tenant’s key and never its token', (provider) => {
    const shown = test.cloud.world.simulators[provider]?.requests() ?? [];
    expect(shown.length).toBeGreaterThan(0);
    for (const { headerNames, keyFingerprint } of shown) {
      expect(keyFingerprint).not.toBe(fingerprint(jwt));
      if (keys.has(provider)) expect(keyFingerprint).toBe(fingerprint(keys.get(provider) ?? ''));
      const forIdentity = headerNames.filter((name) => ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'].includes(name));
      expect(forIdentity).toHaveLength(1);
      expect(headerNames.filter((name) => name.startsWith('x-amz') || name.startsWith('x-cordon'))).toEqual([]);
    }
  });
});

describe('G2 a stream', () => {
  it('has its first chunk with the client before the provider has sent its last', async () => {
    test.cloud.world.misbehave('openai', { chunkGapMs: 400 });
    const controller = new AbortController();
    const stream = await openai().chat.completions.create({ ...ask, stream: true }, { signal: controller.signal });
    const first = await stream[Symbol.asyncIterator]().next();
    expect(first.done).toBe(false);
    controller.abort();
    // Whoever leaves after the first chunk is noticed by a provider only if it was not yet through.
    await expect.poll(() => test.cloud.world.simulators['openai']?.requests().at(-1)?.aborted, { timeout: 4000 }).toBe(true);
    expect((await recorded('openai')).at(-1)?.outcome).toMatchObject({ result: 'aborted', statusCode: 200 });
  });
});

describe('G4 the record of a use', () => {
  it.each<[string, string, (headers: Record<string, string>) => Promise<unknown>]>([
    ['openai', 'whole', (headers) => openai().chat.completions.create(ask, { headers })],
    [
      'openai',
      'streamed',
      async (headers) =>
        collected(await openai().chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } }, { headers })),
    ],
    ['anthropic', 'whole', (headers) => anthropic().messages.create(askClaude, { headers })],
    ['anthropic', 'streamed', (headers) => anthropic().messages.stream(askClaude, { headers }).finalMessage()],
    ['gemini', 'whole', (headers) => gemini().models.generateContent({ ...askGemini, config: { httpOptions: { headers } } })],
    [
      'gemini',
      'streamed',
      async (headers) => collected(await gemini().models.generateContentStream({ ...askGemini, config: { httpOptions: { headers } } })),
    ],
  ])('of %s, %s, says who used what for what, and how it ended', async (provider, _form, call) => {
    await call({ 'x-cordon-tool': 'search', 'x-cordon-workflow-run': 'run-7', 'x-cordon-environment': 'production' });
    const use = (await recorded(provider)).at(-1);
    expect(use?.intent).toMatchObject({
      tenantId,
      credentialId: `${provider}-main`,
      provider,
      actor: {
        function: 'broker',
        userId: userIdOf(test.cloud.oidc.issuer, 'ana'),
        requestedBy: 'ana',
        agentId: 'agent-1',
        sessionId: 'session-1',
      },
      context: { environment: 'production', method: 'POST', issuer: test.cloud.oidc.issuer },
      asserted: { tool: 'search', 'workflow-run': 'run-7', environment: 'production' },
    });
    expect(use?.credentialVersion).toEqual(expect.stringMatching(/^\S+$/));
    expect(use?.outcome).toMatchObject({ result: 'succeeded', statusCode: 200, usage: { inputTokens: 3, outputTokens: 5 } });
  });

  it('is there before the provider is asked', async () => {
    const before = (await recorded('openai')).length;
    const asked = test.cloud.openai.requests().length;
    test.cloud.world.misbehave('openai', { firstByteDelayMs: 1500 });
    const answer = openai().chat.completions.create(ask);
    await expect.poll(() => test.cloud.openai.requests().length, { interval: 10, timeout: 4000 }).toBe(asked + 1);
    const uses = (await usesBy(test, tenantId)).filter(
      ({ intent }) => intent.provider === 'openai' && intent.operation === 'provider.call',
    );
    expect(uses.slice(before).map(({ outcome }) => outcome.result)).toEqual(['pending']);
    await answer;
    expect((await recorded('openai')).slice(before).map(({ outcome }) => outcome.result)).toEqual(['succeeded']);
  });

  it('is not there, and no provider is asked, when it cannot be written', async () => {
    await openai().models.list();
    const asked = test.cloud.openai.requests().length;
    test.cloud.faults.add({ service: 'dynamodb', action: 'ExecuteStatement', nth: 1, mode: 'before' });
    await expect(openai().models.list()).rejects.toMatchObject({ status: 503, error: { code: 'ATTRIBUTION_UNAVAILABLE' } });
    expect(test.cloud.openai.requests()).toHaveLength(asked);
  });
});

describe('G4 what a warm use costs', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a whole answer', () => openai().chat.completions.create(ask)],
    ['a streamed answer', async () => collected(await openai().chat.completions.create({ ...ask, stream: true }))],
    ['an answer of Anthropic', () => anthropic().messages.create(askClaude)],
  ])('is one reading, two inserts and no other call of AWS for %s', async (_what, call) => {
    await call();
    await test.settled();
    const mark = test.cloud.journal.lastSeq;
    await call();
    await test.settled();
    const entries = test.cloud.journal.since(mark);
    const calls = new Map(entries.filter(({ service }) => service !== 'logs').map((entry) => [entry.requestId, entry]));
    const byService = (host: string): boolean => host.endsWith('.amazonaws.com');
    const made = [...calls.values()].filter(({ principal }) => !byService(principal));
    // The intent is recorded while the gate is asked.
    expect(made.map(({ operation }) => operation).sort()).toEqual(['BatchGetItem', 'ExecuteStatement', 'ExecuteStatement']);
    expect(new Set(made.map(({ tags }) => tags['TenantId']))).toEqual(new Set([tenantId]));
    // What API Gateway itself does: the broker's invocation, and the authorizer's where its answer is not kept.
    const invoked = [...calls.values()].filter(({ principal }) => byService(principal)).map(({ action }) => action);
    expect(new Set(invoked)).toEqual(new Set(['lambda:InvokeFunction']));
  });
});
