import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../local/core/faults.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { makeRole, trustOf } from '../support/customer-account.ts';
import { askBedrock } from '../support/customer-calls.ts';
import { announced, askConnections, connectionOf, connectionThatIs, sweep, tokenOf, type Wish } from '../support/customers.ts';
import { pause } from '../support/settle.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
// So that every function is warm, with fresh credentials: STS is asked for nothing else in the next hour of the clock.
beforeEach(async () => {
  await sweep(test, 60);
  await sweep(test);
});
afterEach(() => test.cloud.faults.clear());

describe('B2 no answer is not a refusal', () => {
  /** What a sweep asks STS for when one connection is due, in its order, and what the connection says when that call goes unanswered. */
  const calls: readonly (readonly [string, string | undefined])[] = [
    ['Cordon-SweepScheduleRole', undefined],
    ['cordon/ByocConnector', 'PROBE_UNAVAILABLE'],
    ['cordon/ByocProbe', 'PROBE_UNAVAILABLE'],
    ...['right', 'missing', 'wrong', 'nearly right', 'another', 'second principal', 'right again'].map(
      (externalId) => [`cordon.: ${externalId}`, 'NO_ANSWER'] as const,
    ),
  ];

  /** Nothing of it is due any more. */
  async function disconnect({ tenantId, customerAccountId }: Wish): Promise<void> {
    const answer = await askConnections(test, await tokenOf(test, tenantId), { method: 'DELETE', path: `/${customerAccountId}` });
    expect(answer.status).toBe(202);
    await pause(test.cloud);
  }

  /** A connection whose sound role is verified while a call of STS has this fault: it waits, says why, and is verified without it. */
  async function verifyWith(fault: Omit<Fault, 'service' | 'action'>, code: string | undefined): Promise<void> {
    const { tenantId, customer, wish, roleName, externalId } = await announced(test);
    await makeRole(customer, { roleName, trust: trustOf(test, externalId) });
    test.cloud.faults.add({ service: 'sts', action: 'AssumeRole', ...fault });
    await sweep(test);
    expect(test.cloud.faults.list()).toEqual([]);
    const { status, reason } = await connectionOf(test, wish);
    expect({ nth: fault.nth, status, code: reason?.code }).toEqual({ nth: fault.nth, status: 'pending', code });
    if (reason !== undefined) expect(reason.nextStep).toContain('nothing to do');
    await connectionThatIs(test, wish, ['active'], 3);
    expect((await test.published(tenantId)).map(({ detailType }) => detailType)).not.toContain('RoleConnectionRejected');
    await disconnect(wish);
  }

  it('a verification asks STS for these roles', async () => {
    const { customer, wish, roleName, externalId } = await announced(test);
    await makeRole(customer, { roleName, trust: trustOf(test, externalId) });
    const since = test.cloud.journal.lastSeq;
    await sweep(test);
    const asked = test.cloud.journal.since(since).filter(({ service, operation }) => service === 'sts' && operation === 'AssumeRole');
    const made = [...new Map(asked.map(({ requestId, resource }) => [requestId, resource])).values()];
    expect(made).toEqual(calls.map(([role]) => expect.stringContaining(`:role/${role.split(':')[0]}`)));
    await disconnect(wish);
  });

  it('a call of STS that is throttled leaves the connection as it is, whichever it is, and the role is verified afterwards', async () => {
    for (const [index, [, code]] of calls.entries()) await verifyWith({ mode: 'before', code: 'Throttling', nth: index + 1 }, code);
  });

  it.each([
    ['broken', { mode: 'before', status: 500 }, [2, 4, 5, 9]],
    // A refusal has done no work whose answer could be lost.
    ['lost', { mode: 'after' }, [2, 4, 10]],
  ] as const)(
    'an answer of STS that is %s leaves the connection as it is, and the role is verified afterwards',
    async (_, fault, which) => {
      for (const nth of which) await verifyWith({ ...fault, nth }, calls[nth - 1]?.[1]);
    },
  );

  it.each([
    ['Cordon’s own session', 2],
    ['the customer’s role', 4],
  ])('STS that does not answer in time for %s leaves the connection as it is, and the role is verified afterwards', async (_, nth) => {
    await verifyWith({ nth, mode: 'delay', delayMs: 6000 }, calls[nth - 1]?.[1]);
  });

  it('a verified role stays in use while STS is throttled, and is looked at again', async () => {
    const { tenantId, customer, wish, roleName, externalId } = await announced(test);
    await makeRole(customer, { roleName, trust: trustOf(test, externalId) });
    const { verifiedAt } = await connectionThatIs(test, wish, ['active']);
    expect((await askBedrock(test, await tokenOf(test, tenantId))).status).toBe(200);
    // The first call is the sweep's own.
    for (let left = 12; left > 0; left -= 1)
      test.cloud.faults.add({ service: 'sts', action: 'AssumeRole', nth: 2, mode: 'before', code: 'Throttling' });
    await sweep(test, 5);
    // What is left of them would strike those who ask.
    expect(test.cloud.faults.remove({ action: 'AssumeRole' })).toBeLessThan(12);
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'active', verifiedAt });
    expect((await askBedrock(test, await tokenOf(test, tenantId))).status).toBe(200);
    await sweep(test, 3);
    const after = await connectionOf(test, wish);
    expect(after).toMatchObject({ status: 'active' });
    expect(after.verifiedAt).not.toBe(verifiedAt);
    expect(after.reason).toBeUndefined();
  });
});
