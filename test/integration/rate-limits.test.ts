import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chat, openAiTenant } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';

let test: TestCloud;
let [first, second] = ['', ''];
beforeAll(async () => {
  test = await testCloud();
  [first, second] = await Promise.all([openAiTenant(test), openAiTenant(test)]);
});
afterEach(() => test.cloud.world.misbehave('openai'));

const requestsPerMinute = 2;
/** Milliseconds between one time and the next that tenants call for more than there is: nothing about it keeps time. */
const pauses = [61_000, 498_000, 1_304_000, 1_490_000];

/** Uses the tenant's credential so many times; the statuses. */
async function calls(tenantId: string, count: number): Promise<readonly number[]> {
  const token = await test.cloud.oidc.mint({ tenantId, userId: 'ana' });
  const statuses: number[] = [];
  for (let call = 0; call < count; call += 1) {
    const answer = await chat(test, token);
    await answer.text();
    statuses.push(answer.status);
  }
  return statuses;
}

const told = async (tenantId: string, detailType: string) =>
  (await test.published(tenantId)).filter((event) => event.detailType === detailType).map(({ detail }) => detail);

describe('T4 tenants and the limits of a provider', () => {
  it('two whose projects have limits of their own use them up, and nothing is found', async () => {
    test.cloud.world.misbehave('openai', { requestsPerMinute, limitOf: 'project' });
    for (const pause of pauses) {
      await test.cloud.clock.advance(pause - 20_000);
      expect(await calls(first, 3)).toEqual([200, 200, 429]);
      await test.cloud.clock.advance(20_000);
      expect(await calls(second, 3)).toEqual([200, 200, 429]);
    }
    await test.settled();
    for (const tenantId of [first, second]) {
      expect((await told(tenantId, 'ProviderThrottled')).length).toBe(pauses.length);
      expect(await told(tenantId, 'IsolationViolationDetected')).toEqual([]);
    }
  });

  it('two whose limit is one for both are found, and each is told only of itself', async () => {
    const before = (await told(first, 'ProviderThrottled')).length;
    // What was before is more than an hour ago then.
    await test.cloud.clock.advance(7_200_000);
    test.cloud.world.misbehave('openai', { requestsPerMinute, limitOf: 'organization' });
    for (const pause of pauses) {
      await test.cloud.clock.advance(pause);
      expect(await calls(first, 3)).toEqual([200, 200, 429]);
      expect(await calls(second, 2)).toEqual([429, 429]);
    }
    await test.settled();
    for (const [tenantId, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const throttled = await told(tenantId, 'ProviderThrottled');
      expect(throttled.length).toBe(before + pauses.length);
      expect(throttled[0]).toMatchObject({ version: 1, tenantId, provider: 'openai', credentialId: 'openai-main' });
      const found = await told(tenantId, 'IsolationViolationDetected');
      expect(found).toMatchObject([
        { version: 1, tenantId, event: { detailType: 'ProviderThrottled' }, reason: { code: 'SHARED_RATE_LIMIT' } },
      ]);
      expect(JSON.stringify(found)).not.toContain(other);
    }
  });

  it('a warm use costs no call to AWS more than one read and two inserts, and one that is throttled the telling, by the function that verifies the token', async () => {
    const tenantId = first;
    expect(await calls(tenantId, 1)).toEqual([200]);
    const asked = async (): Promise<readonly string[]> => {
      const token = await test.cloud.oidc.mint({ tenantId, userId: 'ana' });
      await test.settled();
      const since = test.cloud.journal.lastSeq;
      await (await chat(test, token)).text();
      await test.settled();
      const own = test.cloud.journal
        .since(since)
        .filter(({ tags, principal }) => tags['TenantId'] === tenantId || /Broker|Sessions/.test(principal));
      return own
        .map(({ action }) => action)
        .filter((action) => !action.startsWith('logs:'))
        .toSorted();
    };
    const warm = ['dynamodb:BatchGetItem', 'dynamodb:PartiQLInsert', 'dynamodb:PartiQLInsert'];
    expect(await asked()).toEqual(warm);
    test.cloud.world.misbehave('openai', { requestsPerMinute: 1 });
    await asked();
    await test.cloud.clock.advance(5000);
    expect(await asked()).toEqual([...warm, 'events:PutEvents', 'lambda:InvokeFunction']);
  });
});
