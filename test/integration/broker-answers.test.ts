import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AttributedUse } from '../../functions/attribution/read-attribution.ts';
import { echoed, type Misbehaviour } from '../../local/world/misbehaviour.ts';
import { type Ask, chat, endedUses, keyOf, openAiTenant, refusalOf, requestsWith } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';

let test: TestCloud;
let tenantId: string;
let token: string;
let key: string;
let calls = 0;

beforeAll(async () => {
  test = await testCloud();
  tenantId = await openAiTenant(test);
  token = await test.cloud.oidc.mint({ tenantId, userId: 'ana' });
  key = await keyOf(test, tenantId);
});
afterEach(() => test.cloud.world.misbehave('openai'));

/** One call of the tenant, whose provider behaves like this. */
async function ask(how: Misbehaviour, asked: Ask = {}): Promise<Response> {
  test.cloud.world.misbehave('openai', how);
  calls += 1;
  return chat(test, token, asked);
}

const streamed = { body: { stream: true } };
const lastOutcome = async (): Promise<AttributedUse['outcome'] | undefined> => (await endedUses(test, tenantId, calls)).at(-1)?.outcome;
const completion = z.looseObject({ choices: z.array(z.looseObject({ message: z.looseObject({ content: z.string() }) })).length(1) });
const contentOf = (text: string): string | undefined => completion.parse(JSON.parse(text)).choices[0]?.message.content;
const said = 'The simulator read 1 message.';

describe('G4 a client that goes away', () => {
  it.each<[string, Misbehaviour]>([
    ['in the middle of a stream', { chunkGapMs: 1500 }],
    ['before the provider has answered', { firstByteDelayMs: 3000 }],
    ['from a provider that never answers', { hang: true }],
  ])('ends the request at the provider and is recorded as aborted: %s', async (_when, how) => {
    const before = requestsWith(test, key).length;
    const leave = new AbortController();
    const answered = ask(how, { ...streamed, signal: leave.signal });
    if (how.chunkGapMs === undefined) await expect.poll(() => requestsWith(test, key).length).toBe(before + 1);
    else await (await answered).body?.getReader().read();
    await sleep(50);
    leave.abort();
    await answered.catch(() => undefined);
    await expect.poll(() => requestsWith(test, key).at(-1), { timeout: 3000 }).toMatchObject({ aborted: true });
    expect(await lastOutcome()).toMatchObject({ result: 'aborted' });
  });
});

describe('G4 a provider that answers late, badly or in part', () => {
  it('is waited for, and how long it took is on record', async () => {
    const answer = await ask({ firstByteDelayMs: 700 });
    expect(contentOf(await answer.text())).toBe(said);
    const outcome = await lastOutcome();
    expect(outcome).toMatchObject({ result: 'succeeded', statusCode: 200, durationMs: expect.any(Number) });
    expect(outcome !== undefined && 'durationMs' in outcome ? outcome.durationMs : 0).toBeGreaterThanOrEqual(650);
  });

  it('breaks a long answer off when the provider did, so that a part cannot pass for the whole', async () => {
    const answer = await ask({ halfClose: true, oversizedBytes: 1024 * 1024 });
    await expect(answer.text()).rejects.toThrow();
    expect(await lastOutcome()).toMatchObject({ result: 'failed', code: 'UPSTREAM_BROKEN' });
  });

  it('gives an error in place of a short answer that the provider broke off', async () => {
    expect(await refusalOf(await ask({ halfClose: true }))).toEqual({ status: 502, code: 'UPSTREAM_BROKEN' });
    expect(await lastOutcome()).toMatchObject({ result: 'failed', code: 'UPSTREAM_BROKEN' });
  });

  it('ends a stream that the provider broke off with an event that says so', async () => {
    const text = await (await ask({ halfClose: true }, streamed)).text();
    expect(text).toContain('chat.completion.chunk');
    expect(text).not.toContain('[DONE]');
    expect(text).toMatch(/\n\nevent: error\ndata: \{"error":\{"code":"UPSTREAM_BROKEN".*\n\n$/);
    expect(await lastOutcome()).toMatchObject({ result: 'failed', code: 'UPSTREAM_BROKEN' });
  });

  it('passes a large answer on whole and counts its bytes', async () => {
    const oversizedBytes = 8 * 1024 * 1024;
    const text = await (await ask({ oversizedBytes })).text();
    expect(text.length).toBeGreaterThan(oversizedBytes);
    expect(contentOf(text)).toBe(said);
    expect(await lastOutcome()).toMatchObject({ result: 'succeeded', bytes: text.length });
  });

  it('breaks an answer off that is larger than any may be', async () => {
    const answer = await ask({ oversizedBytes: 101 * 1024 * 1024 });
    let received = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of answer.body ?? []) received += chunk.length;
    };
    await expect(read()).rejects.toThrow();
    expect(received).toBeLessThanOrEqual(100 * 1024 * 1024);
    expect(await lastOutcome()).toMatchObject({ result: 'failed', code: 'UPSTREAM_TOO_LARGE' });
  });

  it.each(['gzip', 'br', 'deflate', 'zstd'] as const)(
    'unpacks an answer in %s although plain text was asked for, and takes the key out of it',
    async (compress) => {
      const answer = await ask({ compress, echo: 'plain' });
      const text = await answer.text();
      expect(answer.headers.get('content-encoding')).toBeNull();
      expect(contentOf(text)).toBe(said);
      expectWithout(text, key);
      expect(await lastOutcome()).toMatchObject({ result: 'succeeded', usage: { inputTokens: 1, outputTokens: 5 } });
    },
  );

  it('refuses an answer in an encoding that cannot be searched for the key', async () => {
    expect(await refusalOf(await ask({ compress: 'unknown', echo: 'plain' }))).toEqual({ status: 502, code: 'UPSTREAM_ENCODING' });
    expect(await lastOutcome()).toMatchObject({ result: 'failed', code: 'UPSTREAM_ENCODING' });
  });
});

describe('G4 egress: a redirect', () => {
  it.each([
    'https://collector.example/v1',
    'http://169.254.169.254/latest/meta-data/',
    '//collector.example/',
    'http://127.0.0.1:1/openai/v1',
  ])('to %s is neither followed nor passed on', async (redirectTo) => {
    const before = test.cloud.openai.requests().length;
    const answer = await ask({ redirectTo });
    expect(answer.headers.get('location')).toBeNull();
    expect(await refusalOf(answer)).toEqual({ status: 502, code: 'UPSTREAM_REDIRECT' });
    expect(test.cloud.openai.requests()).toHaveLength(before + 1);
    expect(await lastOutcome()).toMatchObject({ result: 'failed', code: 'UPSTREAM_REDIRECT', statusCode: 302 });
  });

  it('to another path of the same provider is not followed either, and names no place to go to', async () => {
    const before = test.cloud.openai.requests().length;
    const answer = await ask({ redirectTo: '/openai/v1/models' });
    expect(answer.headers.get('location')).toBeNull();
    expect(answer.status).toBe(302);
    expect(test.cloud.openai.requests()).toHaveLength(before + 1);
  });
});

const forms = ['plain', 'base64', 'base64url', 'url', 'json', 'hex'] as const;

/** No 16 characters in a row of the text are in the answer. */
function expectWithout(answer: string, text: string): void {
  for (let at = 0; at + 16 <= text.length; at += 1)
    expect(answer.includes(text.slice(at, at + 16)), `characters ${at} to ${at + 16}`).toBe(false);
}

/** Header lines as they are: in JSON their backslashes would be doubled, and what is escaped in them not be found. */
const shown = (answer: Response, text: string): string => `${[...answer.headers].map((header) => header.join(': ')).join('\n')}\n${text}`;

describe('G4 I7 a provider that repeats the key never gets it to the client (Infisical/agent-vault#149)', () => {
  it.each(forms)('%s: in a body, in pieces of it, in a stream, in a header and in an error', async (form) => {
    const echo = echoed(form, key);
    // That it is repeated at all: a client that has the key and asks the provider itself is shown it.
    test.cloud.world.misbehave('openai', { echo: form });
    const direct = await fetch(`${test.cloud.world.openAiBaseUrl}/models`, { headers: { authorization: `Bearer ${key}` } });
    expect(await direct.text()).toContain(echo);

    for (const chunkBytes of [undefined, 1, 7]) {
      const whole = await ask({ echo: form, ...(chunkBytes && { chunkBytes }) });
      const text = await whole.text();
      expectWithout(shown(whole, text), echo);
      expectWithout(shown(whole, text), key);
      expect(contentOf(text)).toBe(said);

      const stream = await ask({ echo: form, ...(chunkBytes && { chunkBytes }) }, streamed);
      const events = await stream.text();
      expectWithout(shown(stream, events), echo);
      expect(events).toMatch(/data: \[DONE\]\n\n$/);
    }

    const header = await ask({ echo: form, echoIn: 'header' });
    expect(header.headers.has('x-echo')).toBe(true);
    expectWithout(shown(header, await header.text()), echo);

    const error = await ask({ echo: form, chunkBytes: 5 }, { body: { model: 'no-such-model' } });
    const message = await error.text();
    expect(error.status).toBe(404);
    expect(message).toContain('model_not_found');
    expectWithout(shown(error, message), echo);
  });

  it('also where the provider refuses the key itself', async () => {
    const other = await openAiTenant(test);
    const [otherToken, otherKey] = [await test.cloud.oidc.mint({ tenantId: other, userId: 'ana' }), await keyOf(test, other)];
    test.cloud.openai.revokeKey(otherKey);
    test.cloud.world.misbehave('openai', { echo: 'plain', chunkBytes: 11 });
    const answer = await chat(test, otherToken);
    expect(answer.status).toBe(401);
    const text = await answer.text();
    expect(text).toContain('invalid_api_key');
    expectWithout(shown(answer, text), otherKey);
    const [use] = await endedUses(test, other, 1);
    expect(use?.outcome).toMatchObject({ result: 'refused', code: 'PROVIDER_REFUSED', statusCode: 401 });
  });
});
