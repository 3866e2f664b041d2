import { afterEach, describe, expect, it } from 'vitest';
import { testCloud } from '../support/cloud.ts';
import { lettersAbout, redrive } from '../support/dead-letters.ts';
import { strike } from '../support/fault-points.ts';
import { pointsOf } from '../support/interrupted-flows.ts';
import { tenantOnboarded } from '../support/provider-run.ts';
import { suspendSchedules } from '../support/schedules.ts';
import { queued, settle } from '../support/settle.ts';
import { liveKeysOf, tenantState } from '../support/tenant-state.ts';

const test = await testCloud();
const { cloud } = test;
await suspendSchedules(cloud);

/** Longer than the function keeps the admin key. */
const adminKeyForgottenMs = 301_000;

/** An undisturbed onboarding: which AWS calls it makes, by service and action, and how it ends. Without receiving and deleting there is no run at all. */
async function undisturbed(tier: string): Promise<{ calls: Set<string>; end: object }> {
  const tenantId = test.freshTenantId();
  cloud.clock.advance(adminKeyForgottenMs);
  const since = cloud.journal.lastSeq;
  await test.putEvents(tenantOnboarded(tenantId, { tier }));
  await settle(cloud);
  const calls = (await pointsOf(cloud, since, tenantId)).map(({ service, action }) => `${service} ${action}`);
  return { calls: new Set(calls.filter((name) => !/^sqs (ReceiveMessage|DeleteMessageBatch)$/.test(name))), end: await endOf(tenantId) };
}

/** How a tenant is in the end, apart from what was published on the way. */
async function endOf(tenantId: string): Promise<object> {
  const { published: _, failures: __, ...state } = await tenantState(test, tenantId);
  return state;
}

const pool = await undisturbed('pool');
const dedicated = await undisturbed('dedicated');
/** Each call once; those that only a dedicated tenant needs, with one. */
const outages = [...dedicated.calls].map((name) => ({ name, tier: pool.calls.has(name) ? 'pool' : 'dedicated' }));

afterEach(() => cloud.faults.clear());

describe('an AWS service down for hours: the event is put aside, no key is lost sight of, and a redrive completes', () => {
  it('knows the calls of an undisturbed onboarding', () => {
    expect([...pool.calls]).toEqual(
      expect.arrayContaining(['dynamodb UpdateItem', 'events PutEvents', 'secretsmanager GetSecretValue', 'sts AssumeRole']),
    );
    expect([...dedicated.calls]).toEqual(expect.arrayContaining([...pool.calls, 'iam CreateRole', 'kms CreateKey']));
    expect(dedicated.end).toMatchObject({ liveKeys: ['{tenant}.openai-main'], projects: 1, dedicated: { keys: 1 } });
  });

  it.each(outages)('$name', async ({ name, tier }) => {
    const tenantId = test.freshTenantId();
    const [service = '', action = ''] = name.split(' ');
    cloud.clock.advance(adminKeyForgottenMs);
    // The platform's own event is on the bus before that fails.
    await test.putEvents(tenantOnboarded(tenantId, { tier }));
    strike(cloud.faults, { service, action, nth: 1 }, { mode: 'before', times: 2000 });
    await settle(cloud);
    const struck = 2000 - cloud.faults.list().length;
    expect(struck).toBeGreaterThan(0);
    expect((await lettersAbout(test, tenantId)).length).toBeGreaterThan(0);
    const { failures } = await tenantState(test, tenantId);
    const left = failures.flatMap((failure) => ('left' in failure && Array.isArray(failure.left) ? failure.left : []));
    if (liveKeysOf(cloud, tenantId).length > 0 && name !== 'events PutEvents') expect(left).not.toEqual([]);

    cloud.faults.clear();
    await redrive(test);
    await settle(cloud);
    expect(await endOf(tenantId)).toEqual((tier === 'pool' ? pool : dedicated).end);
    expect(await queued(cloud, 'dlqUrl')).toBe(0);
  });
});
