import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { asRoot, plantTenantStatus, plantUserStatus } from '../support/ground-truth.ts';
import { type Neighbours, onboardNeighbours } from '../support/neighbours.ts';
import { refusal, sessionAnswer } from '../support/session-answers.ts';

let test: TestCloud;
let the: Neighbours;
let dedicated: string;
beforeAll(async () => {
  test = await testCloud();
  the = await onboardNeighbours(test);
  ({ tenantId: dedicated } = await test.onboard({ tier: 'dedicated' }));
});

const ask = (payload: unknown): Promise<unknown> => test.cloud.invoke('sessions', payload);
const tokenOf = (tenantId: string, userId?: string): Promise<string> => test.cloud.oidc.mint({ tenantId, userId });
const open = async (tenantId: string, subject?: string) =>
  sessionAnswer.parse(await ask({ token: await tokenOf(tenantId, subject), as: subject === undefined ? 'tenant' : 'user' }));
const read = (tenantId: string, credentialId = 'openai-main') =>
  new GetSecretValueCommand({ SecretId: `cordon/${tenantId}/${credentialId}` });

describe('I11 a session for whoever the token says it is', () => {
  it.each(['pool', 'dedicated'])(
    'answers who it is for, of which tier, and what the token said of agent, session and role (%s)',
    async (tier) => {
      const tenantId = tier === 'pool' ? the.a : dedicated;
      const token = await test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'agent-1', sessionId: 'session-1', role: 'analyst' });
      const answer = sessionAnswer.parse(await ask({ token }));
      expect(answer).toMatchObject({ tenantId, tier, agentId: 'agent-1', sessionId: 'session-1', role: 'analyst' });
      expect(answer.userId).toMatch(/^[a-z2-7]{26}$/);
      const caller = test.cloud.kernel.callerOf(answer.credentials.accessKeyId);
      expect(caller?.tags).toEqual({ TenantId: tenantId, ...(tier === 'dedicated' && { Tier: 'dedicated' }) });
      const role = tier === 'pool' ? 'TenantReader' : `TenantAgent-${tenantId}`;
      expect(caller?.principal.arn).toBe(`arn:aws:sts::${test.cloud.accountId}:assumed-role/${role}/${tenantId}`);
    },
  );

  it('takes a token that is for other audiences too', async () => {
    const token = await test.cloud.oidc.mint({ tenantId: the.a, claims: { aud: ['somebody-else', test.cloud.oidc.audience] } });
    expect(sessionAnswer.parse(await ask({ token })).tenantId).toBe(the.a);
  });

  it("opens a user's own secret in a session of that user, and in no other session of the tenant", async () => {
    const subject = `ana of ${the.a}`;
    const ana = await open(the.a, subject);
    expect(ana.userId).toBe(the.ana);
    const own = await test.attempt(ana.credentials, ({ secretsmanager }) => secretsmanager.send(read(the.a, 'openai-ana')));
    expect(own.outcome).toBe('allowed');
    for (const other of [await open(the.a), await open(the.a, `ben of ${the.a}`)]) {
      const tried = await test.attempt(other.credentials, ({ secretsmanager }) => secretsmanager.send(read(the.a, 'openai-ana')));
      expect(tried).toMatchObject({ outcome: 'denied', statements: [expect.stringMatching(/DenySecretsOfOtherUsers/)] });
    }
  });

  it('lasts fifteen minutes at most, and AWS refuses it afterwards', async () => {
    const before = test.cloud.clock.now();
    const { credentials } = await open(the.b);
    const left = Date.parse(credentials.expiresAt) - before;
    expect(left).toBeLessThanOrEqual(15 * 60_000 + (test.cloud.clock.now() - before) + 1000);
    expect(left).toBeGreaterThan(2 * 60_000);
    expect((await test.attempt(credentials, ({ secretsmanager }) => secretsmanager.send(read(the.b)))).outcome).toBe('allowed');
    test.cloud.clock.advance(15 * 60_000);
    const late = await test.attempt(credentials, ({ secretsmanager }) => secretsmanager.send(read(the.b)));
    expect(late.error?.name).toMatch(/^ExpiredToken/);
    const next = await open(the.b);
    expect(next.credentials.accessKeyId).not.toBe(credentials.accessKeyId);
  });
});

describe('I11 no session for who is not, or no longer, active', () => {
  const statuses = ['provisioning', 'failed', 'suspended', 'offboarded', 'ACTIVE', ''];

  it.each(['pool', 'dedicated'])(
    'refuses a %s tenant as soon as it is not active any more, although its session was cached',
    async (tier) => {
      const tenantId = tier === 'pool' ? the.b : dedicated;
      const token = await tokenOf(tenantId);
      for (const status of statuses) {
        sessionAnswer.parse(await ask({ token }));
        await plantTenantStatus(test.cloud, tenantId, status);
        // Twice at once, so that each of the function's environments is asked.
        expect(await Promise.all([ask({ token }), ask({ token })]), status).toEqual([refusal, refusal]);
        await plantTenantStatus(test.cloud, tenantId, 'active');
      }
      expect(sessionAnswer.parse(await ask({ token })).tenantId).toBe(tenantId);
    },
  );

  it("refuses who is not the tenant's user a user's session", async () => {
    expect(await ask({ token: await tokenOf(the.a, 'nobody'), as: 'user' })).toEqual(refusal);
    // Ben is a user of `a` only.
    expect(await ask({ token: await tokenOf(the.b, `ben of ${the.a}`), as: 'user' })).toEqual(refusal);
    expect(await ask({ token: await tokenOf(the.a), as: 'user' })).toEqual(refusal);
  });

  it("refuses a user who was offboarded every session, the tenant's too", async () => {
    const subject = `ben of ${the.a}`;
    const token = await tokenOf(the.a, subject);
    for (const as of ['user', 'tenant']) sessionAnswer.parse(await ask({ token, as }));
    await plantUserStatus(test.cloud, the.a, the.ben, 'offboarded');
    const answers = [await ask({ token, as: 'user' }), await ask({ token, as: 'tenant' })];
    await plantUserStatus(test.cloud, the.a, the.ben, 'active');
    expect(answers).toEqual([refusal, refusal]);
    for (const as of ['user', 'tenant']) sessionAnswer.parse(await ask({ token, as }));
  });
});

describe('I11 sessions of one warm worker do not mix', () => {
  it('gives each of many callers at once a session of its own tenant and user, and of nobody else', async () => {
    const callers = [
      { tenantId: the.a, name: the.a, reads: [the.a, 'openai-main'] },
      { tenantId: the.b, name: the.b, reads: [the.b, 'openai-main'] },
      { tenantId: dedicated, name: dedicated, reads: [dedicated, 'openai-main'] },
      { tenantId: the.a, subject: `ana of ${the.a}`, name: `${the.a}.${the.ana}`, reads: [the.a, 'openai-ana'] },
      { tenantId: the.b, subject: `ana of ${the.a}`, name: `${the.b}.${the.ana}`, reads: [the.b, 'openai-ana'] },
    ] as const;
    const since = test.cloud.clock.now();
    const rounds = Array.from({ length: 12 }, () => callers).flat();
    const answers = await Promise.all(
      rounds.map(async (caller) => ({ caller, answer: await open(caller.tenantId, 'subject' in caller ? caller.subject : undefined) })),
    );
    const distinct = new Map(answers.map(({ caller, answer }) => [answer.credentials.accessKeyId, { caller, answer }]));
    for (const { caller, answer } of answers) {
      expect(answer.tenantId).toBe(caller.tenantId);
      expect(distinct.get(answer.credentials.accessKeyId)?.caller).toBe(caller);
      expect(test.cloud.kernel.callerOf(answer.credentials.accessKeyId)?.tags).toEqual({
        TenantId: caller.tenantId,
        ...(caller.tenantId === dedicated && { Tier: 'dedicated' }),
        ...('subject' in caller && { UserId: the.ana }),
      });
    }
    for (const { caller, answer } of distinct.values()) {
      const clients = test.clients(answer.credentials);
      const { Arn } = await clients.sts.send(new GetCallerIdentityCommand({}));
      expect(Arn?.split('/').at(-1)).toBe(caller.name);
      for (const [tenantId, credentialId] of callers.map(({ reads }) => reads)) {
        const { outcome } = await test.attempt(answer.credentials, ({ secretsmanager }) =>
          secretsmanager.send(read(tenantId, credentialId)),
        );
        // A user's session opens what is the tenant's as well as what is the user's own.
        const isOwn = tenantId === caller.tenantId && (credentialId === 'openai-main' || 'subject' in caller);
        expect(outcome, `${caller.name} reads ${tenantId}/${credentialId}`).toBe(isOwn ? 'allowed' : 'denied');
      }
    }
    expect(await tenantsOfOneWorker(since)).toBeGreaterThanOrEqual(3);
  });

  /** How many tenants the busiest environment has served since then: one log stream is one environment. */
  async function tenantsOfOneWorker(since: number): Promise<number> {
    const logGroupName = await sessionsLogGroup();
    const { events } = z
      .object({ events: z.array(z.object({ logStreamName: z.string(), message: z.string() })) })
      .parse(
        await asRoot(test.cloud, 'logs', 'FilterLogEvents', { logGroupName, startTime: since, filterPattern: '"a session was minted"' }),
      );
    const served = new Map<string, Set<unknown>>();
    for (const { logStreamName, message } of events) {
      const tenants = served.get(logStreamName) ?? new Set();
      served.set(logStreamName, tenants.add(z.object({ tenantId: z.string() }).parse(JSON.parse(message)).tenantId));
    }
    return Math.max(...[...served.values()].map(({ size }) => size));
  }
});

async function sessionsLogGroup(): Promise<string> {
  const answer = await asRoot(test.cloud, 'lambda', 'GetFunctionConfiguration', { FunctionName: test.cloud.functionArns['sessions'] });
  return z.object({ LoggingConfig: z.object({ LogGroup: z.string() }) }).parse(answer).LoggingConfig.LogGroup;
}
