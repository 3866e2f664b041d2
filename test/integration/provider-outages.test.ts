import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { testCloud } from '../support/cloud.ts';
import { lettersAbout, redrive } from '../support/dead-letters.ts';
import { strike } from '../support/fault-points.ts';
import { onboardToTheEnd, openAiMain, tenantOnboarded } from '../support/provider-run.ts';
import { suspendSchedules } from '../support/schedules.ts';
import { pause, queued, settle } from '../support/settle.ts';
import { keysOf, liveKeysOf, registryOf, tenantState } from '../support/tenant-state.ts';

const test = await testCloud();
const { cloud } = test;
await suspendSchedules(cloud);
const keyRequest = 'POST /organization/projects/{id}/service_accounts/{id}/api_keys';
const forGood = 1000;

const configured = z.object({ Environment: z.object({ Variables: z.object({ MAX_RECEIVE_COUNT: z.coerce.number() }) }) });
const { MAX_RECEIVE_COUNT: maxReceiveCount } = configured.parse(
  await cloud.kernel.call(cloud.kernel.rootCaller(cloud.accountId), 'lambda', 'GetFunctionConfiguration', {
    FunctionName: cloud.functionArns['tenants'],
  }),
).Environment.Variables;

const clean = await onboardToTheEnd(test);
/** How a tenant is in the end, apart from what was published on the way. */
async function endOf(tenantId: string): Promise<object> {
  const { published: _, failures: __, ...state } = await tenantState(test, tenantId);
  return state;
}
const cleanEnd = await endOf(clean.tenantId);

/** When the queue handed out messages since `since`, in milliseconds of the cloud's clock. */
function receivesSince(since: number): number[] {
  return cloud.journal.since(since).flatMap(({ operation, at }) => (operation === 'ReceiveMessage' ? [Date.parse(at)] : []));
}

async function failuresOf(tenantId: string, detailType: string) {
  return (await test.published(tenantId)).filter((event) => event.detailType === detailType).map(({ detail }) => detail);
}

afterEach(() => cloud.faults.clear());

describe('provider down: given up with its reason, nothing live, and a redrive completes', () => {
  // Without the list of keys nothing can be taken back: that has a test of its own.
  it.each(clean.asked.map(({ action }) => action).filter((action) => !action.startsWith('GET')))('while %s answers 500', async (action) => {
    const tenantId = test.freshTenantId();
    const since = cloud.journal.lastSeq;
    strike(cloud.faults, { service: 'openai', action, nth: 1 }, { mode: 'before', times: forGood });
    await test.putEvents(tenantOnboarded(tenantId));
    await settle(cloud);

    expect(receivesSince(since)).toHaveLength(maxReceiveCount);
    expect(liveKeysOf(cloud, tenantId)).toEqual([]);
    expect(await lettersAbout(test, tenantId)).toMatchObject([{ reasonCode: 'PROVIDER_UNAVAILABLE' }]);
    const [failure, ...more] = await failuresOf(tenantId, 'TenantProvisioningFailed');
    expect(more).toEqual([]);
    expect(failure).toMatchObject({ tenantId, reason: { code: 'PROVIDER_UNAVAILABLE' } });
    expect((await registryOf(cloud, tenantId)).map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(await test.secretsOf(tenantId)).toEqual([]);

    cloud.faults.clear();
    await redrive(test);
    await settle(cloud);
    expect(await endOf(tenantId)).toEqual(cleanEnd);
    expect(await queued(cloud, 'dlqUrl')).toBe(0);
  });

  it('while every answer to the making of the key is lost: of the many keys none is live', async () => {
    const tenantId = test.freshTenantId();
    strike(cloud.faults, { service: 'openai', action: keyRequest, nth: 1 }, { mode: 'after', times: forGood });
    await test.putEvents(tenantOnboarded(tenantId));
    await settle(cloud);
    expect(keysOf(cloud, tenantId)).toHaveLength(maxReceiveCount);
    expect(liveKeysOf(cloud, tenantId)).toEqual([]);
    const [failure] = await failuresOf(tenantId, 'TenantProvisioningFailed');
    expect(failure?.['left']).toEqual([expect.stringMatching(/^the account of .* at openai is left; it holds no key$/)]);

    cloud.faults.clear();
    await redrive(test);
    await settle(cloud);
    expect(await endOf(tenantId)).toEqual(cleanEnd);
  });

  it('while keys can be made but neither listed nor deleted: the failure says what may be left, and the redrive takes it away', async () => {
    const tenantId = test.freshTenantId();
    const list = 'GET /organization/projects/{id}/api_keys';
    strike(cloud.faults, { service: 'openai', action: keyRequest, nth: 1 }, { mode: 'after' });
    strike(cloud.faults, { service: 'openai', action: list, nth: 1 }, { mode: 'before', times: forGood });
    await test.putEvents(tenantOnboarded(tenantId));
    await settle(cloud);
    const [live, ...others] = liveKeysOf(cloud, tenantId);
    expect(others, 'no second key while the first is not accounted for').toEqual([]);
    expect(live?.name).toBe(`${tenantId}.openai-main.1`);
    const [failure] = await failuresOf(tenantId, 'TenantProvisioningFailed');
    expect(failure?.['left']).toEqual(expect.arrayContaining([expect.stringMatching(/^keys of openai-main at openai may be left/)]));

    cloud.faults.clear();
    await redrive(test);
    await settle(cloud);
    expect(await endOf(tenantId)).toEqual(cleanEnd);
    expect(liveKeysOf(cloud, tenantId).map(({ id }) => id)).not.toContain(live?.id);
  });

  it.each([
    ['is down', 'before'],
    ['stores the key but never says so', 'after'],
  ] as const)('while the vault %s: the keys made meanwhile are revoked, and no secret stays', async (_, mode) => {
    const tenantId = test.freshTenantId();
    strike(cloud.faults, { service: 'secretsmanager', action: 'CreateSecret', nth: 1 }, { mode, times: forGood });
    strike(cloud.faults, { service: 'secretsmanager', action: 'PutSecretValue', nth: 1 }, { mode: 'before', times: forGood });
    await test.putEvents(tenantOnboarded(tenantId));
    await settle(cloud);
    expect(keysOf(cloud, tenantId).length).toBeGreaterThan(1);
    expect(liveKeysOf(cloud, tenantId)).toEqual([]);
    expect(await test.secretsOf(tenantId)).toEqual([]);
    expect(await lettersAbout(test, tenantId)).toMatchObject([{ reasonCode: 'AWS_UNAVAILABLE' }]);

    cloud.faults.clear();
    await redrive(test);
    await settle(cloud);
    expect(await endOf(tenantId)).toEqual(cleanEnd);
  });

  it('while the registry fails too when it is given up: the failure says that something may be left', async () => {
    const tenantId = test.freshTenantId();
    const since = cloud.journal.lastSeq;
    strike(cloud.faults, { service: 'openai', action: keyRequest, nth: 1 }, { mode: 'after', times: forGood });
    await test.putEvents(tenantOnboarded(tenantId));
    for (await pause(cloud); receivesSince(since).length < maxReceiveCount - 1; await pause(cloud)) cloud.clock.advance(60_000);
    // The last delivery takes the leases of tenant and credential, and then cannot give them back.
    strike(cloud.faults, { service: 'dynamodb', action: 'UpdateItem', nth: 3 }, { mode: 'before', times: 8 });
    await settle(cloud);
    expect(liveKeysOf(cloud, tenantId)).toHaveLength(1);
    const [failure] = await failuresOf(tenantId, 'TenantProvisioningFailed');
    expect(failure?.['left']).not.toEqual([]);

    cloud.faults.clear();
    await redrive(test);
    await settle(cloud);
    expect(await endOf(tenantId)).toEqual(cleanEnd);
  });

  it('gives up at once when the provider refuses for good', async () => {
    const tenantId = test.freshTenantId();
    const since = cloud.journal.lastSeq;
    strike(cloud.faults, { service: 'openai', action: keyRequest, nth: 1 }, { mode: 'before', status: 403 });
    await test.putEvents(tenantOnboarded(tenantId));
    await settle(cloud);
    expect(receivesSince(since)).toHaveLength(1);
    expect(await lettersAbout(test, tenantId)).toMatchObject([{ reasonCode: 'PROVIDER_REFUSED' }]);
    await redrive(test);
    await settle(cloud);
    expect(await endOf(tenantId)).toEqual(cleanEnd);
  });

  it('while a credential is asked for: the tenant stays as it was, nothing is left, and a redrive completes', async () => {
    const tenantId = test.freshTenantId();
    const { issuer } = cloud.oidc;
    const userId = userIdOf(issuer, 'ana');
    await test.putEvents(tenantOnboarded(tenantId));
    await settle(cloud);
    await test.putEvents({ detailType: 'UserOnboarded', detail: { version: 1, tenantId, issuer, subject: 'ana', requestedBy: 'test' } });
    await settle(cloud);
    const before = liveKeysOf(cloud, tenantId);
    strike(cloud.faults, { service: 'openai', action: keyRequest, nth: 1 }, { mode: 'after', times: forGood });
    const credential = { ...openAiMain, credentialId: 'ana-own', userId };
    await test.putEvents({ detailType: 'CredentialRequested', detail: { version: 1, tenantId, requestedBy: 'test', credential } });
    await settle(cloud);
    expect(liveKeysOf(cloud, tenantId)).toEqual(before);
    expect(await failuresOf(tenantId, 'CredentialProvisioningFailed')).toMatchObject([
      { tenantId, reason: { code: 'PROVIDER_UNAVAILABLE' }, left: [] },
    ]);
    const statuses = new Map((await registryOf(cloud, tenantId)).map(({ sk, status }) => [sk, status]));
    expect(Object.fromEntries(statuses)).toEqual({
      TENANT: 'active',
      'CREDENTIAL#openai-main': 'active',
      'CREDENTIAL#ana-own': 'failed',
      [`USER#${userId}`]: 'active',
    });

    cloud.faults.clear();
    await redrive(test);
    await settle(cloud);
    const state = await tenantState(test, tenantId, { [userId]: 'ana' });
    expect(state.liveKeys).toEqual(['{tenant}.ana-own', '{tenant}.openai-main']);
    expect(state.credentials).toMatchObject({ 'CREDENTIAL#ana-own': { vaultedKeyIsLive: true, registryNamesIt: true } });
    expect(state.published).toContain('CredentialProvisioned');
  });
});

describe('provider slow or limiting', () => {
  it('is asked again after 2, 4 and 8 seconds and up to half as much more', async () => {
    const tenantId = test.freshTenantId();
    const since = cloud.journal.lastSeq;
    strike(cloud.faults, { service: 'openai', action: 'POST /organization/projects', nth: 1 }, { mode: 'before', status: 429, times: 3 });
    await test.putEvents(tenantOnboarded(tenantId));
    for (let second = 0; second < 25; second += 1) {
      await pause(cloud);
      cloud.clock.advance(1000);
    }
    await settle(cloud);
    const received = receivesSince(since);
    const waited = received.slice(1).map((at, index) => (at - (received[index] ?? 0)) / 1000);
    expect(waited).toHaveLength(3);
    for (const [index, seconds] of waited.entries()) {
      const least = 2 ** (index + 1);
      expect(seconds).toBeGreaterThanOrEqual(least);
      // The clock moves by whole seconds and a little real time.
      expect(seconds).toBeLessThan(least * 1.5 + 3);
    }
    expect(await endOf(tenantId)).toEqual(cleanEnd);
  });

  it('does not hold up another tenant: it is provisioned while the first one waits for its next try', async () => {
    const tenants = [test.freshTenantId(), test.freshTenantId()];
    strike(cloud.faults, { service: 'openai', action: 'POST /organization/projects', nth: 1 }, { mode: 'before' });
    await test.putEvents(...tenants.map((tenantId) => tenantOnboarded(tenantId)));
    await pause(cloud);
    const done = await Promise.all(tenants.map(async (tenantId) => (await failedOrDone(tenantId)).length));
    expect(done.sort()).toEqual([0, 1]);
    await settle(cloud);
    for (const tenantId of tenants) expect(await endOf(tenantId)).toEqual(cleanEnd);
  });

  it('does not hold up another tenant in the same batch: it is provisioned while the first one’s request hangs', async () => {
    const tenants = [test.freshTenantId(), test.freshTenantId()];
    strike(cloud.faults, { service: 'openai', action: 'POST /organization/projects', nth: 1 }, { mode: 'delay', delayMs: 1500 });
    await test.putEvents(...tenants.map((tenantId) => tenantOnboarded(tenantId)));
    const first = await Promise.race(tenants.map((tenantId) => test.outcome(['TenantProvisioned'], tenantId).then(() => tenantId)));
    const other = tenants.find((tenantId) => tenantId !== first) ?? '';
    expect(await failedOrDone(other)).toEqual([]);
    await settle(cloud);
    for (const tenantId of tenants) expect(await endOf(tenantId)).toEqual(cleanEnd);
  });

  it('leaves no key behind when its answer comes after the client has stopped waiting', async () => {
    const tenants = clean.asked.map(() => test.freshTenantId());
    const actions = clean.asked.map(({ action }) => action);
    // One request of each kind does its work half a second after the client's timeout of ten seconds.
    for (const action of actions) strike(cloud.faults, { service: 'openai', action, nth: 1 }, { mode: 'delay', delayMs: 10_500 });
    await test.putEvents(...tenants.map((tenantId) => tenantOnboarded(tenantId)));
    await pause(cloud);
    await sleep(1000);
    expect(cloud.faults.list(), 'every fault struck').toEqual([]);
    await settle(cloud);
    for (const tenantId of tenants) {
      const { projects: _, ...end } = await tenantState(test, tenantId);
      expect(end.liveKeys).toEqual(['{tenant}.openai-main']);
    }
    for (const tenantId of tenants) expect(await endOf(tenantId)).toEqual(cleanEnd);
  });
});

/** Whether the tenant's onboarding has ended. */
async function failedOrDone(tenantId: string) {
  return (await test.published(tenantId)).filter(({ detailType }) => /^TenantProvision/.test(detailType));
}
