import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI, { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClock } from '../../../local/core/clock.ts';
import { startWorld, type World } from '../../../local/world/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ clock: createClock(), takeFault: () => undefined });
});
afterAll(() => world.close());

const said = 'The simulator read 1 message.';
const messages = [{ role: 'user' as const, content: 'one two three' }];
const baseUrl = (provider: string): string => world.providers[provider]?.baseUrl ?? '';

/** The one header in which the package has sent the key: what an authorizer has to look for. */
function headerUsed(provider: string): string | undefined {
  const names = world.simulators[provider]?.requests().at(-1)?.headerNames ?? [];
  const known = names.filter((name) => ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'].includes(name));
  return known.join();
}

async function collected<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of stream) all.push(item);
  return all;
}

describe('the npm package openai understands the simulator', () => {
  const client = (): OpenAI => new OpenAI({ apiKey: world.issueKey('openai'), baseURL: baseUrl('openai'), maxRetries: 0 });

  it('of models and embeddings', async () => {
    expect((await client().models.list()).data.map(({ id }) => id)).toContain('gpt-5');
    expect((await client().models.retrieve('gpt-5')).id).toBe('gpt-5');
    expect(headerUsed('openai')).toBe('authorization');
    const { data, usage } = await client().embeddings.create({ model: 'text-embedding-3-small', input: ['a b', 'c'] });
    expect(data.map(({ embedding }) => embedding.length)).toEqual([3, 3]);
    expect(usage.prompt_tokens).toBe(3);
  });

  it('of chat completions, whole and streamed', async () => {
    const whole = await client().chat.completions.create({ model: 'gpt-5', messages });
    expect(whole.choices[0]?.message.content).toBe(said);
    expect(whole.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 5 });
    const chunks = await collected(
      await client().chat.completions.create({ model: 'gpt-5', messages, stream: true, stream_options: { include_usage: true } }),
    );
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(said);
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 5 });
  });

  it('of responses, whole and streamed', async () => {
    expect(await client().responses.create({ model: 'gpt-5', input: 'one two' })).toMatchObject({
      output_text: said,
      usage: { input_tokens: 2 },
    });
    const events = await collected(await client().responses.create({ model: 'gpt-5', input: 'one two', stream: true }));
    expect(events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')).toBe(said);
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { usage: { output_tokens: 5 } } });
  });

  it('of errors', async () => {
    const wrong = new OpenAI({ apiKey: 'sk-wrong', baseURL: baseUrl('openai'), maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(client().chat.completions.create({ model: 'none', messages })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it.each([
    ['mistral', 'mistral-large-latest'],
    ['groq', 'llama-3.3-70b-versatile'],
    ['openrouter', 'openai/gpt-5'],
    ['self-hosted', 'local-model'],
  ])('of %s, which speaks the same language', async (provider, model) => {
    const compatible = new OpenAI({ apiKey: world.issueKey(provider), baseURL: baseUrl(provider), maxRetries: 0 });
    expect((await compatible.chat.completions.create({ model, messages })).choices[0]?.message.content).toBe(said);
    const chunks = await collected(await compatible.chat.completions.create({ model, messages, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(said);
    const wrong = new OpenAI({ apiKey: 'wrong', baseURL: baseUrl(provider), maxRetries: 0 });
    await expect(wrong.chat.completions.create({ model, messages })).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });

  it('of Azure OpenAI, by its own client', async () => {
    const options = { endpoint: baseUrl('azure-openai'), apiVersion: '2024-10-21', deployment: 'prod-gpt', maxRetries: 0 };
    const azure = new AzureOpenAI({ ...options, apiKey: world.issueKey('azure-openai') });
    expect((await azure.chat.completions.create({ model: 'prod-gpt', messages })).choices[0]?.message.content).toBe(said);
    const chunks = await collected(await azure.chat.completions.create({ model: 'prod-gpt', messages, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(said);
    expect(headerUsed('azure-openai')).toBe('api-key');
    expect(world.simulators['azure-openai']?.requests().at(-1)?.path).toBe('/azure-openai/openai/deployments/prod-gpt/chat/completions');
    const wrong = new AzureOpenAI({ ...options, apiKey: 'wrong' });
    await expect(wrong.chat.completions.create({ model: 'prod-gpt', messages })).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });
});

describe('the npm package @anthropic-ai/sdk understands the simulator', () => {
  const client = (apiKey = world.issueKey('anthropic')): Anthropic =>
    new Anthropic({ apiKey, baseURL: baseUrl('anthropic'), maxRetries: 0 });
  const request = { model: 'claude-sonnet-5-5', max_tokens: 100, messages };

  it('of messages, whole and streamed', async () => {
    const whole = await client().messages.create(request);
    expect(whole.content).toMatchObject([{ type: 'text', text: said }]);
    expect(whole.usage).toMatchObject({ input_tokens: 3, output_tokens: 5 });
    const stream = client().messages.stream(request);
    const final = await stream.finalMessage();
    expect(final.content).toMatchObject([{ type: 'text', text: said }]);
    expect(final.usage).toMatchObject({ input_tokens: 3, output_tokens: 5 });
    const events = await collected(await client().messages.create({ ...request, stream: true }));
    // Since version 1 of the package; its predecessors, curl examples and other languages send `x-api-key`.
    expect(headerUsed('anthropic')).toBe('authorization');
    expect(events.at(-1)?.type).toBe('message_stop');
  });

  it('of models, token counts and errors', async () => {
    expect((await client().models.list()).data.map(({ id }) => id)).toContain('claude-sonnet-5-5');
    expect(await client().messages.countTokens({ model: request.model, messages })).toEqual({ input_tokens: 3 });
    await expect(client('sk-ant-wrong').messages.create(request)).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    await expect(client().messages.create({ ...request, model: 'none' })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });
});

describe('the npm package @google/genai understands the simulator', () => {
  const client = (apiKey = world.issueKey('gemini')): GoogleGenAI =>
    new GoogleGenAI({ apiKey, httpOptions: { baseUrl: baseUrl('gemini') } });
  const request = { model: 'gemini-2.5-flash', contents: 'one two three' };

  it('of generated content, whole and streamed', async () => {
    const whole = await client().models.generateContent(request);
    expect(whole.text).toBe(said);
    expect(whole.usageMetadata).toMatchObject({ promptTokenCount: 3, candidatesTokenCount: 5 });
    const chunks = await collected(await client().models.generateContentStream(request));
    expect(chunks.map((chunk) => chunk.text).join('')).toBe(said);
    expect(chunks.at(-1)?.usageMetadata).toMatchObject({ candidatesTokenCount: 5 });
  });

  it('of embeddings, token counts, models and errors', async () => {
    expect((await client().models.countTokens(request)).totalTokens).toBe(3);
    const { embeddings } = await client().models.embedContent({ model: 'gemini-embedding-001', contents: 'one two' });
    expect(embeddings?.[0]?.values).toHaveLength(3);
    expect(headerUsed('gemini')).toBe('x-goog-api-key');
    expect((await client().models.get({ model: 'gemini-2.5-pro' })).name).toBe('models/gemini-2.5-pro');
    await expect(client('AIzawrong').models.generateContent(request)).rejects.toMatchObject({ status: 400 });
  });
});
