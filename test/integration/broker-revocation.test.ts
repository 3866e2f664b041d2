import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import {
  chat,
  endedUses,
  keyOf,
  openAiTenant,
  plantItem,
  plantTombstone,
  refusalOf,
  requestsWith,
  secretReads,
  storeKey,
} from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
afterEach(() => {
  test.cloud.world.misbehave('openai');
  test.cloud.faults.clear();
});

const mint = (tenantId: string, names: { agentId?: string; sessionId?: string } = {}): Promise<string> =>
  test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'agent-1', sessionId: 'session-1', ...names });

const anasItem = (): string => `USER#${userIdOf(test.cloud.oidc.issuer, 'ana')}`;

async function onboardAna(tenantId: string): Promise<void> {
  const detail = { version: 1, tenantId, issuer: test.cloud.oidc.issuer, subject: 'ana', requestedBy: 'test' };
  await test.putEvents({ detailType: 'UserOnboarded', detail });
  await test.outcome(['UserProvisioned'], tenantId);
}

const revoked = { status: 'revoked', epoch: 1 };
const active = { status: 'active', epoch: 2 };
const credentialItem = 'CREDENTIAL#openai-main';

interface Case {
  readonly what: string;
  readonly code: string;
  readonly revoke: (tenantId: string) => Promise<void>;
}
const cases: readonly Case[] = [
  { what: 'tenant', code: 'TOKEN_REFUSED', revoke: (tenantId) => plantItem(test, tenantId, 'TENANT', revoked) },
  { what: 'user', code: 'USER_NOT_ACTIVE', revoke: (tenantId) => plantItem(test, tenantId, anasItem(), revoked) },
  { what: 'credential', code: 'CREDENTIAL_REVOKED', revoke: (tenantId) => plantItem(test, tenantId, credentialItem, revoked) },
  { what: 'agent', code: 'AGENT_REVOKED', revoke: (tenantId) => plantTombstone(test, tenantId, 'AGENT#agent-1') },
  { what: 'session', code: 'SESSION_REVOKED', revoke: (tenantId) => plantTombstone(test, tenantId, 'SESSION#session-1') },
];

describe('G3 B7 U4 what was revoked is refused at the next use, in a warm environment with a full cache', () => {
  it.each(cases)('refuses a revoked $what, and nothing reaches the provider', async ({ code, revoke }) => {
    const tenantId = await openAiTenant(test);
    await onboardAna(tenantId);
    const [token, key] = [await mint(tenantId), await keyOf(test, tenantId)];
    expect((await chat(test, token)).status).toBe(200);
    // As long as the outcome is being recorded the environment is busy, and a call would find another one.
    await test.settled();
    const since = test.cloud.journal.lastSeq;
    expect((await chat(test, token)).status).toBe(200);
    expect(secretReads(test, tenantId, since), 'the cache is full').toBe(0);
    await test.settled();

    await revoke(tenantId);
    expect(await refusalOf(await chat(test, token))).toEqual({ status: 401, code });
    expect(await refusalOf(await chat(test, token))).toEqual({ status: 401, code });
    expect(requestsWith(test, key)).toHaveLength(2);
  });

  it.each(['tenant', 'credential'])('reads the secret anew when a revoked %s is active again under a higher epoch', async (what) => {
    const tenantId = await openAiTenant(test);
    const token = await mint(tenantId);
    expect((await chat(test, token)).status).toBe(200);
    const sk = what === 'tenant' ? 'TENANT' : credentialItem;
    await plantItem(test, tenantId, sk, revoked);
    expect((await chat(test, token)).status).toBe(401);
    await plantItem(test, tenantId, sk, active);
    const since = test.cloud.journal.lastSeq;
    expect((await chat(test, token)).status).toBe(200);
    expect(secretReads(test, tenantId, since)).toBe(1);
  });

  it('refuses a revoked agent and a revoked session also when they rename themselves in headers', async () => {
    const tenantId = await openAiTenant(test);
    const names = ['agent', 'agent-id', 'session', 'session-id', 'user', 'tenant', 'tenant-id'];
    const other = names.flatMap((name) => [`x-cordon-${name}`, `x-${name}`].map((header) => [header, 'other'] as const));
    const headers = { ...Object.fromEntries(other), 'x-amz-tenant-id': 'other' };
    const [agent, session] = [await mint(tenantId, { sessionId: 'session-2' }), await mint(tenantId, { agentId: 'agent-2' })];
    const free = await mint(tenantId, { agentId: 'agent-2', sessionId: 'session-2' });
    await plantTombstone(test, tenantId, 'AGENT#agent-1');
    await plantTombstone(test, tenantId, 'SESSION#session-1');
    // At most 16 headers of Cordon's own are taken, so that what is refused here is refused for its name.
    expect(await refusalOf(await chat(test, agent, { headers }))).toEqual({ status: 401, code: 'AGENT_REVOKED' });
    expect(await refusalOf(await chat(test, session, { headers }))).toEqual({ status: 401, code: 'SESSION_REVOKED' });
    // Whoever names the revoked ones in headers is not taken for them either.
    const borrowed = { 'x-cordon-agent-id': 'agent-1', 'x-cordon-session-id': 'session-1' };
    expect((await chat(test, free, { headers: borrowed })).status).toBe(200);
  });

  it("does not take one tenant's tombstones for another's", async () => {
    const [a, b] = [await openAiTenant(test), await openAiTenant(test)];
    await plantTombstone(test, a, 'AGENT#agent-1');
    expect((await chat(test, await mint(a))).status).toBe(401);
    expect((await chat(test, await mint(b))).status).toBe(200);
  });
});

describe('B7 a revocation while a request is under way is not undone by what that request puts into the cache (BerriAI/litellm#25553)', () => {
  it('refuses the next call although the secret arrived after the revocation', async () => {
    const tenantId = await openAiTenant(test);
    const token = await mint(tenantId);
    const key = await keyOf(test, tenantId);
    const call = await whileReadingTheSecret(tenantId, token, () => plantItem(test, tenantId, credentialItem, revoked));
    const before = requestsWith(test, key).length;
    expect(call.status, 'it was admitted before').toBe(200);
    expect(await refusalOf(await chat(test, token))).toEqual({ status: 401, code: 'CREDENTIAL_REVOKED' });
    expect(requestsWith(test, key)).toHaveLength(before);
  });

  it('uses only the new key once the credential is active again with another version', async () => {
    const tenantId = await openAiTenant(test);
    const token = await mint(tenantId);
    const [oldKey, newKey] = [await keyOf(test, tenantId), test.cloud.world.issueKey('openai')];
    await whileReadingTheSecret(tenantId, token, async () => {
      const secretVersionId = (await storeKey(test, tenantId, newKey)) ?? '';
      await plantItem(test, tenantId, credentialItem, { ...active, secretVersionId, version: 9 });
    });
    const before = requestsWith(test, oldKey).length;
    // More than one at a time: in every environment that the tenant has by now, and in new ones.
    const answers = await Promise.all([1, 2, 3].map(() => chat(test, token)));
    answers.push(await chat(test, token));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(requestsWith(test, newKey)).toHaveLength(4);
    expect(requestsWith(test, oldKey)).toHaveLength(before);
  });

  /** Makes a first call, whose read of the secret takes long, and does `change` meanwhile. */
  async function whileReadingTheSecret(tenantId: string, token: string, change: () => Promise<void>): Promise<Response> {
    const fault = { service: 'secretsmanager', action: 'GetSecretValue', nth: 1, mode: 'delay', delayMs: 1500 } as const;
    test.cloud.faults.add(fault);
    const since = test.cloud.journal.lastSeq;
    const under = chat(test, token);
    // The fault is spent when the read begins; the read itself comes after the wait.
    await expect.poll(() => test.cloud.faults.list(), { timeout: 5000, interval: 5 }).toEqual([]);
    await change();
    expect(secretReads(test, tenantId, since), 'the secret is not there yet').toBe(0);
    return under;
  }
});

describe('B7 G3 a stream in progress ends within 5 s of the revocation (Agenta#6021)', () => {
  const raised: Case = {
    what: 'credential that is active again',
    code: 'CREDENTIAL_REVOKED',
    revoke: (id) => plantItem(test, id, credentialItem, active),
  };

  it('ends it for each of tenant, user, credential, agent and session, says so, ends it at the provider and records it as cut', async () => {
    const streams = await Promise.all(
      [...cases, raised].map(async (one) => {
        const tenantId = await openAiTenant(test);
        await onboardAna(tenantId);
        return { ...one, tenantId, key: await keyOf(test, tenantId), token: await mint(tenantId) };
      }),
    );
    test.cloud.world.misbehave('openai', { chunkGapMs: 2500 });
    await Promise.all(
      streams.map(async ({ what, code, revoke, tenantId, key, token }) => {
        const answer = await chat(test, token, { body: { stream: true } });
        const chunks = (answer.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream()).values();
        let text = (await chunks.next()).value ?? '';
        expect(text, what).toContain('chat.completion.chunk');
        await sleep(200);
        await revoke(tenantId);
        const revokedAt = performance.now();
        for await (const chunk of chunks) text += chunk;
        expect(performance.now() - revokedAt, what).toBeLessThan(5000);
        expect(text, what).not.toContain('[DONE]');
        expect(text, what).toMatch(new RegExp(`\n\nevent: error\ndata: \\{"error":\\{"code":"${code}"`));
        const [use] = await endedUses(test, tenantId, 1);
        expect(use?.outcome, what).toMatchObject({ result: 'cut', statusCode: 200 });
        await expect.poll(() => requestsWith(test, key)).toMatchObject([{ aborted: true }]);
      }),
    );
  });
});

describe('I1 G1 nobody is served with what another has left in memory (BerriAI/litellm#17115)', () => {
  it('gives each of two tenants its own key, call by call and at the same time, and whoever has no token nothing', async () => {
    const [a, b] = [await openAiTenant(test), await openAiTenant(test)];
    const tokens = { a: await mint(a), b: await mint(b) };
    const keys = { a: await keyOf(test, a), b: await keyOf(test, b) };
    const seen = (): [number, number] => [requestsWith(test, keys.a).length, requestsWith(test, keys.b).length];
    for (let call = 1; call <= 10; call += 1) {
      expect((await chat(test, tokens.a)).status).toBe(200);
      expect(seen()).toEqual([call, call - 1]);
      const total = test.cloud.openai.requests().length;
      expect((await chat(test, undefined)).status).toBe(401);
      expect((await chat(test, undefined, { headers: { 'x-api-key': tokens.a, 'x-amz-tenant-id': a } })).status).toBe(401);
      expect(test.cloud.openai.requests()).toHaveLength(total);
      // A tenant header does not change whose call it is.
      expect((await chat(test, tokens.b, { headers: { 'x-amz-tenant-id': a, 'x-amzn-tenant-id': a, 'x-tenant-id': a } })).status).toBe(200);
      expect(seen()).toEqual([call, call]);
    }
    // Uneven, so that an exchange of keys between the two would be seen.
    const together = [...Array(12).fill('a'), ...Array(8).fill('b')].sort(() => Math.random() - 0.5);
    const answers = await Promise.all(together.map((who) => chat(test, who === 'a' ? tokens.a : tokens.b)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(seen()).toEqual([22, 18]);
  });
});
