import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import type { TokenRequest } from '../../local/world/oidc.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { bringKeyIn } from '../support/supply.ts';

const listed = z.looseObject({
  id: z.ulid(),
  at: z.iso.datetime(),
  operation: z.string(),
  provider: z.string().optional(),
  credentialId: z.string().optional(),
  userId: z.string().optional(),
  agentId: z.string().optional(),
  sessionId: z.string().optional(),
  outcome: z.string(),
  statusCode: z.number().optional(),
});
const page = z.strictObject({ entries: z.array(listed), cursor: z.string().optional() });
type Page = z.infer<typeof page>;
type Who = Omit<TokenRequest, 'tenantId'>;

let test: TestCloud;
let a: string;
let b: string;
/** Between the first uses and the last one, on the cloud's clock. */
let between: number;

const uses = [
  { provider: 'openai', userId: 'ana', agentId: 'agent-1', sessionId: 'session-1' },
  { provider: 'anthropic', userId: 'ben', agentId: 'agent-2', sessionId: 'session-2' },
  { provider: 'openai', userId: 'ana', agentId: 'agent-2', sessionId: 'session-3' },
] as const;

const calls = {
  openai: { path: 'openai/v1/chat/completions', body: { model: 'gpt-5' } },
  anthropic: { path: 'anthropic/v1/messages', body: { model: 'claude-sonnet-4-5', max_tokens: 16 } },
} as const;

async function use(tenantId: string, provider: keyof typeof calls, who: Who): Promise<number> {
  const { path, body } = calls[provider];
  const token = await test.cloud.oidc.mint({ tenantId, ...who });
  const response = await fetch(`${test.cloud.brokerUrl}/v1/proxy/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, messages: [{ role: 'user', content: 'hello' }] }),
  });
  await response.text();
  return response.status;
}

async function get(tenantId: string, query: Readonly<Record<string, string>>): Promise<{ status: number; body: unknown }> {
  const token = await test.cloud.oidc.mint({ tenantId, userId: 'reader' });
  const url = `${test.cloud.brokerUrl}/v1/attribution?${new URLSearchParams(query)}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: await response.json() };
}

async function list(tenantId: string, query: Readonly<Record<string, string>> = {}): Promise<Page> {
  const { status, body } = await get(tenantId, query);
  expect({ status, body }).toMatchObject({ status: 200 });
  return page.parse(body);
}

/** Sessions of the provider calls that the query finds: each use has one of its own. */
const sessionsOf = async (tenantId: string, query: Readonly<Record<string, string>> = {}): Promise<(string | undefined)[]> =>
  (await list(tenantId, { operation: 'provider.call', ...query })).entries.map(({ sessionId }) => sessionId);

beforeAll(async () => {
  test = await testCloud();
  const openai = { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' };
  const anthropic = { credentialId: 'anthropic-main', provider: 'anthropic', source: 'customer-supplied', environment: 'production' };
  const routing = [openai, anthropic].map(({ provider, environment, credentialId }) => ({
    match: { provider, environment },
    use: credentialId,
  }));
  const onboard = async (): Promise<string> => (await test.onboard({ credentials: [openai, anthropic], routing })).tenantId;
  a = await onboard();
  b = await onboard();
  for (const tenantId of [a, b]) await bringKeyIn(test, { tenantId, credentialId: 'anthropic-main', provider: 'anthropic' });
  const [first, second, third] = uses;
  const statuses = [
    await use(a, first.provider, first),
    await use(b, 'openai', { ...first, sessionId: 'session-of-b' }),
    await use(a, second.provider, second),
  ];
  between = test.cloud.clock.now() + 1000;
  test.cloud.clock.advance(2000);
  statuses.push(await use(a, third.provider, third));
  expect(statuses).toEqual([200, 200, 200, 200]);
});

describe('E1 a tenant reads what was done for it', () => {
  it('sees who, when, with which credential and how it ended, for each use once', async () => {
    const { entries } = await list(a, { session: 'session-1' });
    expect(entries).toMatchObject([
      {
        operation: 'provider.call',
        provider: 'openai',
        credentialId: 'openai-main',
        credentialVersion: expect.any(String),
        userId: userIdOf(test.cloud.oidc.issuer, 'ana'),
        agentId: 'agent-1',
        sessionId: 'session-1',
        outcome: 'succeeded',
        statusCode: 200,
        usage: expect.objectContaining({}),
      },
    ]);
  });

  it('sees its own entries and nobody else’s, whoever is named', async () => {
    expect(await sessionsOf(a)).toEqual(['session-1', 'session-2', 'session-3']);
    expect(await sessionsOf(b)).toEqual(['session-of-b']);
    expect(await sessionsOf(a, { session: 'session-of-b' })).toEqual([]);
  });

  it.each<[title: string, query: () => Record<string, string>, sessions: string[]]>([
    ['user', () => ({ user: userIdOf(test.cloud.oidc.issuer, 'ana') }), ['session-1', 'session-3']],
    ['agent', () => ({ agent: 'agent-2' }), ['session-2', 'session-3']],
    ['session', () => ({ session: 'session-2' }), ['session-2']],
    ['credential', () => ({ credential: 'anthropic-main' }), ['session-2']],
    ['provider', () => ({ provider: 'openai' }), ['session-1', 'session-3']],
    ['several at once', () => ({ provider: 'openai', agent: 'agent-2', credential: 'openai-main' }), ['session-3']],
    ['outcome', () => ({ outcome: 'failed' }), []],
    ['time until', () => ({ to: new Date(between).toISOString() }), ['session-1', 'session-2']],
    ['time from', () => ({ from: new Date(between).toISOString() }), ['session-3']],
    ['time long ago', () => ({ from: '2025-01-01', to: '2025-01-02' }), []],
  ])('finds by %s', async (_, query, sessions) => {
    expect(await sessionsOf(a, query())).toEqual(sessions);
  });
});

describe('E1 pages', () => {
  it.each([1, 2, 3])('of %i hold together what one long page holds', async (limit) => {
    const whole = (await list(a, { limit: '200' })).entries;
    expect(whole.length).toBeGreaterThan(4);
    const to = new Date(test.cloud.clock.now() + 1).toISOString();
    const found: Page['entries'] = [];
    let cursor: string | undefined;
    do {
      const next = await list(a, { to, limit: String(limit), ...(cursor !== undefined && { cursor }) });
      expect(next.entries.length).toBeLessThanOrEqual(limit);
      found.push(...next.entries);
      cursor = next.cursor;
    } while (cursor !== undefined);
    expect(found.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
  });

  it('are not continued with the cursor of another tenant or another query', async () => {
    const { cursor = '' } = await list(b, { limit: '1' });
    expect(cursor).not.toBe('');
    for (const [tenantId, query] of [
      [a, {}],
      [b, { provider: 'openai' }],
    ] as const)
      expect(await get(tenantId, { ...query, limit: '1', cursor })).toMatchObject({
        status: 400,
        body: { error: { code: 'CALL_INVALID' } },
      });
    expect((await get(b, { limit: '1', cursor })).status).toBe(200);
  });

  it('are not continued with an invented cursor', async () => {
    expect((await get(a, { cursor: Buffer.from('[1,"a","b","c"]').toString('base64url') })).status).toBe(400);
  });
});

describe('E1 what cannot be answered is refused with 400', () => {
  it.each<[title: string, query: Record<string, string>]>([
    ['a range that ends before it begins', { from: '2026-01-02', to: '2026-01-01' }],
    ['a range of more than 92 days', { from: '2026-01-01', to: '2026-06-01' }],
    ['no time', { from: 'yesterday' }],
    ['limit 0', { limit: '0' }],
    ['limit 201', { limit: '201' }],
    ['a tenant', { tenant: 'somebody' }],
    ['a user that is no user ID', { user: 'ana' }],
    ['an unknown provider', { provider: 'nobody' }],
  ])('%s', async (_, query) => {
    expect(await get(a, query)).toMatchObject({ status: 400, body: { error: { code: 'CALL_INVALID', message: expect.any(String) } } });
  });

  it('and who asks without a token that is accepted, with 401', async () => {
    const response = await fetch(`${test.cloud.brokerUrl}/v1/attribution`, { headers: { authorization: 'Bearer x' } });
    expect(response.status).toBe(401);
  });
});

describe('E2 E4 a use whose end nobody recorded', () => {
  it('is pending, and unknown after sixteen minutes', async () => {
    // The log takes the intent and nothing after it.
    for (let nth = 2; nth <= 20; nth += 1) test.cloud.faults.add({ service: 'dynamodb', action: 'ExecuteStatement', nth, mode: 'before' });
    await use(a, 'openai', { userId: 'ana', sessionId: 'session-that-died' });
    await test.settled();
    test.cloud.faults.clear();
    const outcomes = async (): Promise<string[]> => (await list(a, { session: 'session-that-died' })).entries.map(({ outcome }) => outcome);
    expect(await outcomes()).toEqual(['pending']);
    test.cloud.clock.advance(15 * 60_000);
    expect(await outcomes()).toEqual(['pending']);
    test.cloud.clock.advance(60_000);
    expect(await outcomes()).toEqual(['unknown']);
  });
});
