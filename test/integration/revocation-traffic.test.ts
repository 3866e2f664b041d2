import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { leftOf, put, revocationOf } from '../support/revocations.ts';
import { fingerprintIn, issuedAt, rotatingTenant, simulatorOf } from '../support/rotations.ts';
import { pause } from '../support/settle.ts';

/** Mistral answers in many pieces: a stream lasts longer than the gate is left unread. */
const slow = { chunkGapMs: 150, chunkBytes: 12 };

const uses = {
  openai: { path: 'openai/chat/completions', body: { model: 'gpt-5' } },
  mistral: { path: 'mistral/v1/chat/completions', body: { model: 'mistral-large-latest', stream: true } },
};

/** Who calls over and over. `tenant` is what the tenant is there for. */
interface Caller {
  readonly tenant: string;
  readonly who: string;
  readonly provider: keyof typeof uses;
}
interface Call {
  readonly by: Caller;
  /** By the cloud's clock. */
  readonly begunAt: number;
  readonly status: number;
  readonly text: string;
}

/** One event, and whom it concerns of its tenant. */
interface Case {
  readonly what: string;
  readonly tenant: string;
  readonly detailType: string;
  readonly detail: () => Readonly<Record<string, unknown>>;
  readonly concerns: (caller: Caller) => boolean;
}
const all = (): boolean => true;
const only = (name: string) => (caller: Caller) => caller.who === name;
const idOf = (name: string): string => userIdOf(test.cloud.oidc.issuer, name);
const revoked = (scope: string, named: () => object = () => ({})) => ({
  detailType: 'RevocationRequested',
  detail: () => ({ scope, ...named() }),
});
const cases: readonly Case[] = [
  { what: 'a revoked tenant', tenant: 'revoked', ...revoked('tenant'), concerns: all },
  { what: 'a suspended tenant', tenant: 'suspended', detailType: 'AccessSuspended', detail: () => ({ scope: 'tenant' }), concerns: all },
  { what: 'an offboarded tenant', tenant: 'offboarded', detailType: 'TenantOffboarded', detail: () => ({}), concerns: all },
  {
    ...{ what: 'a revoked credential', tenant: 'one credential', ...revoked('credential', () => ({ credentialId: 'openai-main' })) },
    concerns: ({ provider }) => provider === 'openai',
  },
  { what: 'a revoked user', tenant: 'shared', ...revoked('user', () => ({ userId: idOf('ana') })), concerns: only('ana') },
  { what: 'a revoked agent', tenant: 'shared', ...revoked('agent', () => ({ agentId: 'agent-ben' })), concerns: only('ben') },
  { what: 'a revoked session', tenant: 'shared', ...revoked('session', () => ({ sessionId: 'session-cas' })), concerns: only('cas') },
  {
    ...{ what: 'an offboarded user', tenant: 'shared', detailType: 'UserOffboarded', detail: () => ({ userId: idOf('dan') }) },
    concerns: only('dan'),
  },
];
const tenants = ['revoked', 'suspended', 'offboarded', 'one credential', 'shared', 'other', 'another'];
/** Two at a time of each, and a stream; where tenants are shared, one of each person, and a stream of somebody concerned and of somebody who is not. */
const callers: readonly Caller[] = tenants.flatMap((tenant) =>
  tenant === 'shared'
    ? [
        ...['ana', 'ben', 'cas', 'dan', 'eve'].map((who): Caller => ({ tenant, who, provider: 'openai' })),
        ...streamsOf(tenant, 'ana', 'eve'),
      ]
    : [...['ana', 'ben'].map((who): Caller => ({ tenant, who, provider: 'openai' })), ...streamsOf(tenant, 'ana')],
);
function streamsOf(tenant: string, ...people: string[]): readonly Caller[] {
  return people.map((who) => ({ tenant, who, provider: 'mistral' }));
}
const isSpared = (caller: Caller): boolean => !cases.some(({ tenant, concerns }) => tenant === caller.tenant && concerns(caller));

let test: TestCloud;
const ids = new Map<string, string>();
/** Fingerprints of the keys, by tenant. */
const keys = new Map<string, string>();
const calls: Call[] = [];
const callsOf = (caller: Caller): readonly Call[] => calls.filter(({ by }) => by === caller);

beforeAll(async () => {
  test = await testCloud();
  for (const tenant of tenants) {
    const tenantId = await rotatingTenant(test, [issuedAt('openai'), issuedAt('mistral')]);
    ids.set(tenant, tenantId);
    keys.set(tenant, await fingerprintIn(test, { tenantId, credentialId: 'openai-main', provider: 'openai' }));
  }
}, 180_000);
afterAll(() => simulatorOf(test, 'mistral').misbehave({}));

async function call(token: string, by: Caller): Promise<Call> {
  const { path, body } = uses[by.provider];
  const begunAt = test.cloud.clock.now();
  const answer = await fetch(`${test.cloud.brokerUrl}/v1/proxy/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ ...body, messages: [{ role: 'user', content: 'one two' }] }),
  });
  // A stream that is cut ends in the middle, one way or the other.
  const text = await answer.text().catch((error: unknown) => String(error));
  return { by, begunAt, status: answer.status, text };
}

/** Between two calls of a caller, in milliseconds. */
const [calmMs, busyMs] = [500, 20];

/** Everybody calls until told to stop; calmly at first: slow streams take their time, and what else runs takes it from them. */
function traffic() {
  let on = true;
  let restMs = calmMs;
  const running = callers.map(async (by) => {
    const names = { userId: by.who, agentId: `agent-${by.who}`, sessionId: `session-${by.who}` };
    const token = await test.cloud.oidc.mint({ tenantId: ids.get(by.tenant) ?? '', ...names, expiresIn: 3600 });
    while (on) {
      calls.push(await call(token, by));
      await sleep(restMs);
    }
  });
  return {
    hurry(): void {
      restMs = busyMs;
    },
    /** What is waited for takes its time too. */
    calmDown(): void {
      restMs = calmMs;
    },
    async stop(): Promise<void> {
      on = false;
      await Promise.all(running);
    },
  };
}

/** Until everybody has made so many calls more that are as wanted. */
async function untilEach(who: readonly Caller[], count: number, wanted: (call: Call) => boolean, seconds = 90): Promise<void> {
  const [from, deadline] = [calls.length, performance.now() + seconds * 1000];
  for (;;) {
    const made = calls.slice(from).filter(wanted);
    const missing = who.find((caller) => made.filter(({ by }) => by === caller).length < count);
    if (missing === undefined) return;
    if (performance.now() > deadline)
      throw new Error(`Not after ${seconds} s: ${JSON.stringify({ missing, last: callsOf(missing).at(-1) })}`);
    await sleep(20);
  }
}

const briefly = (made: readonly Call[]): readonly object[] =>
  made.slice(0, 5).map(({ by, begunAt, status, text }) => ({ ...by, begunAt, status, text: text.slice(-200) }));
const isRefusal = ({ status }: Pick<Call, 'status'>): boolean => status === 401 || status === 403;
const isAnswered = ({ status }: Pick<Call, 'status'>): boolean => status === 200;

describe('X1 X2 X5 revocations of every scope at once, under everybody’s traffic', () => {
  /** When what puts it in force was written, by what is revoked. */
  const writtenAt = new Map<string, number>();

  it('come to their end', async () => {
    const running = traffic();
    // Every environment is warm then, and holds every secret that is used.
    await untilEach(callers, 2, isAnswered);
    simulatorOf(test, 'mistral').misbehave(slow);
    await untilEach(callers, 1, isAnswered);
    running.hurry();
    const asked: { readonly one: Case; readonly since: number; readonly tenantId: string; readonly id: string }[] = [];
    for (const one of cases) {
      const tenantId = ids.get(one.tenant) ?? '';
      const since = test.cloud.journal.lastSeq;
      asked.push({ one, since, tenantId, id: await put(test, one.detailType, { tenantId, ...one.detail() }) });
    }
    await untilEach(
      callers.filter((caller) => !isSpared(caller)),
      2,
      isRefusal,
    );
    // All the while there are calls, so the clock stands.
    running.calmDown();
    for (const { one, tenantId, id } of asked) {
      while ((await revocationOf(test, tenantId, id)).status !== 'done') await sleep(50);
      writtenAt.set(one.what, (await revocationOf(test, tenantId, id)).inForceAt);
    }
    await untilEach(callers, 1, (made) => isSpared(made.by) || isRefusal(made));
    await running.stop();
    await pause(test.cloud);
    // The time that the item names is taken right before the one write that puts it in force, and that is the last one that the journal knows of.
    for (const { one, tenantId } of asked) {
      const writes = test.cloud.journal
        .since(0)
        .filter(
          ({ operation, principal, tags }) =>
            operation === 'TransactWriteItems' && principal.includes('TenantRevoker') && tags['TenantId'] === tenantId,
        )
        .map(({ at }) => Date.parse(at));
      const own = writes.filter((at) => at >= (writtenAt.get(one.what) ?? 0)).sort((a, b) => a - b)[0];
      expect(own).toBeDefined();
      writtenAt.set(one.what, own ?? 0);
    }
  }, 300_000);

  it.each(cases)('$what: no use begins after the write', ({ what, tenant, concerns }) => {
    const at = writtenAt.get(what) ?? 0;
    const concerned = calls.filter(({ by }) => by.tenant === tenant && concerns(by));
    const after = concerned.filter(({ begunAt }) => begunAt > at);
    expect(after.length).toBeGreaterThan(1);
    expect(briefly(after.filter((made) => !isRefusal(made)))).toEqual([]);
    const before = concerned.filter(({ begunAt }) => begunAt <= at);
    expect(briefly(before.filter((made) => !isRefusal(made) && !isAnswered(made)))).toEqual([]);
  });

  it.each(cases.filter(({ tenant }) => tenant !== 'shared'))(
    '$what: the provider sees the key no more, but of calls that were admitted before',
    ({ what, tenant }) => {
      const at = writtenAt.get(what) ?? 0;
      const shown = simulatorOf(test, 'openai')
        .requests()
        .filter(({ keyFingerprint, path }) => keyFingerprint === keys.get(tenant) && path.includes('/chat/'));
      // Nobody was shown anything that the caller was not: each request has its answer.
      expect(shown.length).toBe(
        calls.filter((made) => made.by.tenant === tenant && made.by.provider === 'openai' && isAnswered(made)).length,
      );
      const underWay = calls.filter(
        (made) => made.by.tenant === tenant && made.by.provider === 'openai' && made.begunAt <= at && isAnswered(made),
      );
      expect(shown.filter((request) => Date.parse(request.at) > at).length).toBeLessThanOrEqual(Math.min(underWay.length, 2));
    },
  );

  it('no call of another tenant fails, and none of those whom it does not concern', () => {
    const failed = calls.filter(
      (made) => isSpared(made.by) && !(isAnswered(made) && (made.by.provider === 'openai' || made.text.includes('[DONE]'))),
    );
    expect(briefly(failed)).toEqual([]);
    for (const caller of callers.filter(isSpared)) expect(callsOf(caller).length).toBeGreaterThan(3);
  });

  it('what was ended is gone at the provider, and nothing else is', async () => {
    for (const [tenant, tenantId] of ids) {
      const isGone = ['revoked', 'offboarded', 'one credential'].includes(tenant);
      const left = await leftOf(test, tenantId, 'openai-main', 'openai');
      expect([tenant, left]).toEqual([tenant, isGone ? { keys: 0, secret: false } : { keys: 1, secret: true }]);
    }
  });
});
