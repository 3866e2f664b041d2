import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { usesBy } from '../support/attribution-log.ts';
import { chat, endedUses, openAiTenant, refusalOf, secretReads } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { asRoot } from '../support/ground-truth.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
afterEach(() => {
  test.cloud.faults.clear();
});

interface Tenant {
  readonly tenantId: string;
  readonly token: string;
  /** Calls that have reached the provider since. */
  seen(): number;
}

const uses = (): number => test.cloud.openai.requests().filter(({ path }) => path.endsWith('/chat/completions')).length;

/** `warm`: it has made a call, so that session and secret are in memory. `cold`: not even `sessions` knows it. */
async function tenant(state: 'cold' | 'warm'): Promise<Tenant> {
  const tenantId = await openAiTenant(test);
  const token = await test.cloud.oidc.mint({ tenantId, userId: 'ana' });
  if (state === 'warm') expect((await chat(test, token)).status).toBe(200);
  await test.settled();
  const before = uses();
  return { tenantId, token, seen: () => uses() - before };
}

/** Ten calls of the operation, whatever is tried again. */
const down = (service: string, action: string, first = 1): void => {
  for (let nth = first; nth < first + 10; nth += 1) test.cloud.faults.add({ service, action, nth, mode: 'before' });
};

interface Outage {
  readonly what: string;
  readonly state: 'cold' | 'warm';
  readonly service: string;
  readonly action: string;
  readonly code: string;
  /** Which call is the first of the broker's own: before it API Gateway asks the authorizer, and Lambda takes the function's role. */
  readonly first?: number;
}
const outages: readonly Outage[] = [
  { what: 'the attribution log', state: 'warm', service: 'dynamodb', action: 'ExecuteStatement', code: 'ATTRIBUTION_UNAVAILABLE' },
  { what: 'the attribution log', state: 'cold', service: 'dynamodb', action: 'ExecuteStatement', code: 'ATTRIBUTION_UNAVAILABLE' },
  { what: 'the registry', state: 'warm', service: 'dynamodb', action: 'BatchGetItem', code: 'GATE_UNAVAILABLE' },
  { what: 'the registry', state: 'cold', service: 'dynamodb', action: 'BatchGetItem', code: 'GATE_UNAVAILABLE' },
  { what: 'the list of rules and credentials', state: 'cold', service: 'dynamodb', action: 'Query', code: 'GATE_UNAVAILABLE' },
  { what: 'the function sessions', state: 'cold', service: 'lambda', action: 'Invoke', code: 'SESSION_UNAVAILABLE', first: 2 },
  { what: 'STS', state: 'cold', service: 'sts', action: 'AssumeRole', code: 'SESSION_UNAVAILABLE', first: 2 },
  { what: 'Secrets Manager', state: 'cold', service: 'secretsmanager', action: 'GetSecretValue', code: 'SECRET_UNAVAILABLE' },
];

describe('E2 G4 what a call depends on is down: the call is refused and nothing reaches the provider', () => {
  it.each(outages)(
    'refuses when $what is down ($action, $state), and serves again when it is back',
    async ({ state, service, action, code, first }) => {
      const { token, seen } = await tenant(state);
      down(service, action, first);
      const since = performance.now();
      expect(await refusalOf(await chat(test, token))).toEqual({ status: 503, code });
      expect(performance.now() - since, 'it is refused fast').toBeLessThan(5000);
      expect(test.cloud.faults.list().length, 'the fault was met').toBeLessThan(10);
      expect(seen()).toBe(0);
      test.cloud.faults.clear();
      expect((await chat(test, token)).status).toBe(200);
      expect(seen()).toBe(1);
    },
  );

  it.each([
    ['BatchGetItem', 'GATE_UNAVAILABLE'],
    ['ExecuteStatement', 'ATTRIBUTION_UNAVAILABLE'],
  ])('does not wait for what answers too late (%s)', async (action, code) => {
    const { token, seen } = await tenant('warm');
    test.cloud.faults.add({ service: 'dynamodb', action, nth: 1, mode: 'delay', delayMs: 3000 });
    const since = performance.now();
    expect(await refusalOf(await chat(test, token))).toEqual({ status: 503, code });
    expect(performance.now() - since).toBeLessThan(2900);
    expect(seen()).toBe(0);
  });

  it('makes the call once, on one intent, when only the answer to recording it was lost', async () => {
    const { tenantId, token, seen } = await tenant('warm');
    test.cloud.faults.add({ service: 'dynamodb', action: 'ExecuteStatement', nth: 1, mode: 'after' });
    expect((await chat(test, token)).status).toBe(200);
    expect(seen()).toBe(1);
    const uses = await endedUses(test, tenantId, 2);
    expect(uses.map(({ outcome }) => outcome.result)).toEqual(['succeeded', 'succeeded']);
  });

  it('leaves an intent without outcome when the recording came through only after the call was refused', async () => {
    const { tenantId, token, seen } = await tenant('warm');
    test.cloud.faults.add({ service: 'dynamodb', action: 'ExecuteStatement', nth: 1, mode: 'delay', delayMs: 2500 });
    expect((await chat(test, token)).status).toBe(503);
    const calls = async () => (await usesBy(test, tenantId)).filter(({ intent }) => intent.operation === 'provider.call');
    await expect
      .poll(async () => (await calls()).map(({ outcome }) => outcome.result), { timeout: 5000 })
      .toEqual(['succeeded', 'pending']);
    expect(seen()).toBe(0);
  });

  it('records the outcome later when the log is down for a moment after the intent', async () => {
    const { tenantId, token } = await tenant('warm');
    test.cloud.faults.add({ service: 'dynamodb', action: 'ExecuteStatement', nth: 2, mode: 'before' });
    expect((await chat(test, token)).status).toBe(200);
    const uses = await endedUses(test, tenantId, 2);
    expect(uses.map(({ outcome }) => outcome.result)).toEqual(['succeeded', 'succeeded']);
    expect(test.cloud.faults.list()).toEqual([]);
  });
});

describe('I3 IAM refuses the secret', () => {
  it('refuses the call, records it as refused and announces the violation for the tenant that asked', async () => {
    const { tenantId, token, seen } = await tenant('cold');
    const other = await openAiTenant(test);
    await retag(tenantId, other);
    expect(await refusalOf(await chat(test, token))).toEqual({ status: 403, code: 'ACCESS_REFUSED' });
    expect(seen()).toBe(0);
    const [use] = await endedUses(test, tenantId, 1);
    expect(use).toMatchObject({
      intent: { tenantId, credentialId: 'openai-main' },
      outcome: { result: 'refused', code: 'ACCESS_REFUSED' },
    });
    const { detail } = await test.outcome(['IsolationViolationDetected'], tenantId);
    expect(detail).toMatchObject({
      tenantId,
      reason: { code: 'ACCESS_REFUSED', message: expect.stringContaining('secretsmanager:GetSecretValue') },
    });
    expect((await test.published(other)).filter(({ detailType }) => detailType === 'IsolationViolationDetected')).toEqual([]);
    // Nothing is left of the refusal: when the tag is right again, the call is made.
    await retag(tenantId, tenantId);
    expect((await chat(test, token)).status).toBe(200);
  });

  const retag = (tenantId: string, Value: string): Promise<unknown> =>
    asRoot(test.cloud, 'secretsmanager', 'TagResource', { SecretId: `cordon/${tenantId}/openai-main`, Tags: [{ Key: 'TenantId', Value }] });
});

// The clock is everybody's and does not go back: this comes last.
describe('E2 time passes, or clocks differ', () => {
  it('opens a new session when the old one has ended, and keeps the secret', async () => {
    const { tenantId } = await tenant('warm');
    test.cloud.clock.advance(16 * 60_000);
    const fresh = await test.cloud.oidc.mint({ tenantId, userId: 'ana' });
    const since = test.cloud.journal.lastSeq;
    expect((await chat(test, fresh)).status).toBe(200);
    expect(secretReads(test, tenantId, since)).toBe(0);
    expect(test.cloud.journal.since(since).some(({ action }) => action === 'sts:AssumeRole')).toBe(true);
  });

  it('refuses a token that has expired although API Gateway still holds the authorizer’s answer for it', async () => {
    const { tenantId, seen } = await tenant('cold');
    const now = Math.floor(test.cloud.clock.now() / 1000);
    const token = await test.cloud.oidc.mint({ tenantId, userId: 'ana', claims: { exp: now + 60 } });
    expect((await chat(test, token)).status).toBe(200);
    test.cloud.clock.advance(61_000);
    const answer = await chat(test, token);
    expect(answer.status).toBe(401);
    expect(seen()).toBe(1);
  });

  it.each([
    ['not valid before', { nbf: 3600 }],
    ['issued', { iat: 3600, nbf: 3600 }],
  ])('refuses a token that is %s an hour from now', async (_what, ahead) => {
    const { tenantId, seen } = await tenant('cold');
    const now = Math.floor(test.cloud.clock.now() / 1000);
    const claims = Object.fromEntries(Object.entries(ahead).map(([name, seconds]) => [name, now + seconds]));
    const token = await test.cloud.oidc.mint({ tenantId, userId: 'ana', claims: { ...claims, exp: now + 7200 } });
    expect((await chat(test, token)).status).toBe(401);
    expect(seen()).toBe(0);
  });
});
