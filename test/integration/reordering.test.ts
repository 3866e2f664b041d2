import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { testCloud } from '../support/cloud.ts';
import { strike } from '../support/fault-points.ts';
import { openAiMain, tenantOnboarded } from '../support/provider-run.ts';
import { suspendSchedules } from '../support/schedules.ts';
import { pause, queued, settle } from '../support/settle.ts';
import { keysOf, registryOf, tenantState } from '../support/tenant-state.ts';

const test = await testCloud();
const { cloud } = test;
await suspendSchedules(cloud);
const { issuer } = cloud.oidc;
const userId = userIdOf(issuer, 'ana');
const subjects = { [userId]: 'ana' };

const userOnboarded = (tenantId: string) => ({
  detailType: 'UserOnboarded',
  detail: { version: 1, tenantId, issuer, subject: 'ana', requestedBy: 'test' },
});
const second = { ...openAiMain, credentialId: 'openai-second' };
const anasOwn = { ...openAiMain, credentialId: 'ana-own', userId };
const credentialRequested = (tenantId: string, credential: object) => ({
  detailType: 'CredentialRequested',
  detail: { version: 1, tenantId, requestedBy: 'test', credential },
});
const ruleFor = (use: string) => ({ match: { provider: 'openai', environment: 'production' }, use });
const rulesChanged = (tenantId: string, use: string) => ({
  detailType: 'RoutingRulesChanged',
  detail: { version: 1, tenantId, requestedBy: 'test', rules: [ruleFor(use)] },
});

/** Puts an event that the platform has dated: EventBridge takes the time from the entry. */
async function putDated({ detailType, detail }: { detailType: string; detail: object }, at: number): Promise<void> {
  const entry = { EventBusName: cloud.outputs['EventBusName'], Source: 'cordon.platform', Time: new Date(at) };
  const answer = await test.operator.events.send(
    new PutEventsCommand({ Entries: [{ ...entry, DetailType: detailType, Detail: JSON.stringify(detail) }] }),
  );
  expect(answer.FailedEntryCount).toBe(0);
}

async function typesOf(tenantId: string): Promise<string[]> {
  return (await test.published(tenantId)).map(({ detailType }) => detailType);
}

async function tenantItem(tenantId: string) {
  return (await registryOf(cloud, tenantId)).find(({ sk }) => sk === 'TENANT');
}

afterEach(() => cloud.faults.clear());

describe('events that come before the ones they need', () => {
  it('come to the same as in order: user, own credential, second credential and rules before their tenant', async () => {
    const [ordered, reordered] = [test.freshTenantId(), test.freshTenantId()];
    for (const event of [
      tenantOnboarded(ordered),
      userOnboarded(ordered),
      credentialRequested(ordered, anasOwn),
      credentialRequested(ordered, second),
      rulesChanged(ordered, 'openai-second'),
    ]) {
      await test.putEvents(event);
      await settle(cloud);
    }
    for (const event of [
      rulesChanged(reordered, 'openai-second'),
      credentialRequested(reordered, second),
      credentialRequested(reordered, anasOwn),
      userOnboarded(reordered),
    ]) {
      await test.putEvents(event);
      await pause(cloud);
    }
    expect(await registryOf(cloud, reordered), 'nothing is made before its time').toEqual([]);
    await test.putEvents(tenantOnboarded(reordered));
    await settle(cloud);

    const expected = await tenantState(test, ordered, subjects);
    expect(await tenantState(test, reordered, subjects)).toEqual(expected);
    expect(expected).toMatchObject({
      registry: { TENANT: { status: 'active', rules: [ruleFor('openai-second')], rulesVersion: 1 } },
      liveKeys: ['{tenant}.ana-own', '{tenant}.openai-main', '{tenant}.openai-second'],
      published: ['CredentialProvisioned', 'RoutingRulesApplied', 'TenantProvisioned', 'UserProvisioned'],
      failures: [],
    });
    expect(await queued(cloud, 'dlqUrl')).toBe(0);
  });

  it('are put aside with the reason when what they need never comes', async () => {
    const tenantId = test.freshTenantId();
    await test.putEvents(userOnboarded(tenantId));
    await settle(cloud);
    expect(await test.deadLetter(tenantId)).toMatchObject({ attributes: { ReasonCode: 'TENANT_UNKNOWN' } });
    expect(await typesOf(tenantId)).toEqual(['UserProvisioningFailed']);
    expect(await registryOf(cloud, tenantId)).toEqual([]);
  });
});

describe('events that come twice', () => {
  it.each(['pool', 'dedicated'])(
    'TenantOnboarded of tier %s, three times at once and once more later, makes everything once',
    async (tier) => {
      const [once, often] = [test.freshTenantId(), test.freshTenantId()];
      await test.putEvents(tenantOnboarded(once, { tier }));
      await settle(cloud);
      const event = tenantOnboarded(often, { tier });
      await test.putEvents(event, event, event);
      await settle(cloud);
      const told = (await typesOf(often)).length;
      await test.putEvents(event);
      await settle(cloud);
      expect(await tenantState(test, often)).toEqual(await tenantState(test, once));
      expect(keysOf(cloud, often)).toHaveLength(1);
      expect(await typesOf(often), 'what is done is not told again').toHaveLength(told);
      expect(await queued(cloud, 'dlqUrl')).toBe(0);
    },
  );

  it.each([
    ['pool', 'openai', 'POST /organization/projects'],
    ['dedicated', 'kms', 'CreateKey'],
  ])('a second delivery to tier %s waits while the first one is at work, and makes nothing', async (tier, service, action) => {
    const tenantId = test.freshTenantId();
    strike(cloud.faults, { service: 'sqs', action: 'ReceiveMessage', nth: 1 }, { mode: 'duplicate' });
    strike(cloud.faults, { service, action, nth: 1 }, { mode: 'delay', delayMs: 2500 });
    const since = cloud.journal.lastSeq;
    await test.putEvents(tenantOnboarded(tenantId, { tier }));
    await pause(cloud);
    const worked = cloud.journal.since(since);
    const hidden = worked.findIndex(({ operation }) => operation === 'ChangeMessageVisibility');
    const active = worked.findIndex(({ operation }) => operation === 'CreateSecret');
    expect(hidden, 'the second delivery was sent back').toBeGreaterThan(0);
    expect(hidden, 'while the first was at work').toBeLessThan(active);
    await settle(cloud);
    const state = await tenantState(test, tenantId);
    expect(state).toMatchObject({ projects: 1, liveKeys: ['{tenant}.openai-main'], failures: [] });
    if (tier === 'dedicated') expect(state.dedicated).toMatchObject({ keys: 1, registryNamesTheKey: true });
    expect(keysOf(cloud, tenantId)).toHaveLength(1);
  });

  it('CredentialRequested, three times at once and once more later, makes one key', async () => {
    const tenantId = test.freshTenantId();
    await test.putEvents(tenantOnboarded(tenantId, { credentials: [] }));
    await settle(cloud);
    const event = credentialRequested(tenantId, second);
    await test.putEvents(event, event, event);
    await settle(cloud);
    await test.putEvents(event);
    await settle(cloud);
    expect(await tenantState(test, tenantId)).toMatchObject({
      credentials: { 'CREDENTIAL#openai-second': { vaultedKeyIsLive: true, registryNamesIt: true } },
      projects: 1,
      liveKeys: ['{tenant}.openai-second'],
      published: ['CredentialProvisioned', 'TenantProvisioned'],
      failures: [],
    });
    expect(keysOf(cloud, tenantId)).toHaveLength(1);
  });

  it('several credentials asked for at once share one project and have a key each', async () => {
    const tenantId = test.freshTenantId();
    await test.putEvents(tenantOnboarded(tenantId, { credentials: [] }));
    await settle(cloud);
    const ids = ['one', 'two', 'three', 'four'];
    await test.putEvents(...ids.map((credentialId) => credentialRequested(tenantId, { ...openAiMain, credentialId })));
    await settle(cloud);
    const state = await tenantState(test, tenantId);
    expect(state).toMatchObject({ projects: 1, failures: [] });
    expect(state.liveKeys).toEqual(ids.map((id) => `{tenant}.${id}`).sort());
    for (const facts of Object.values(state.credentials)) expect(facts).toMatchObject({ vaultedKeyIsLive: true, registryNamesIt: true });
  });
});

describe('routing rules', () => {
  it('of an older event do not replace those of a newer one', async () => {
    const tenantId = test.freshTenantId();
    await test.putEvents(tenantOnboarded(tenantId, { credentials: [openAiMain, second] }));
    await settle(cloud);
    const now = cloud.clock.now();
    await putDated(rulesChanged(tenantId, 'openai-main'), now + 60_000);
    await settle(cloud);
    await putDated(rulesChanged(tenantId, 'openai-second'), now + 30_000);
    await settle(cloud);
    expect(await tenantItem(tenantId)).toMatchObject({ rules: [ruleFor('openai-main')], rulesVersion: 1 });
    await putDated(rulesChanged(tenantId, 'openai-second'), now + 90_000);
    await settle(cloud);
    expect(await tenantItem(tenantId)).toMatchObject({ rules: [ruleFor('openai-second')], rulesVersion: 2 });
  });

  it('of many events at once end as the newest one says', async () => {
    const tenantId = test.freshTenantId();
    await test.putEvents(tenantOnboarded(tenantId, { credentials: [openAiMain, second] }));
    await settle(cloud);
    const now = cloud.clock.now();
    const order = [40, 10, 60, 30, 50, 20];
    await Promise.all(
      order.map((seconds) => putDated(rulesChanged(tenantId, seconds === 60 ? 'openai-second' : 'openai-main'), now + seconds * 1000)),
    );
    await settle(cloud);
    expect(await tenantItem(tenantId)).toMatchObject({ rules: [ruleFor('openai-second')], rulesAnnounced: true });
    expect(await queued(cloud, 'dlqUrl')).toBe(0);
  });
});

describe('events that contradict an onboarding under way', () => {
  it('are put aside with the reason while it is still at work, and change nothing', async () => {
    const [alone, disturbed] = [test.freshTenantId(), test.freshTenantId()];
    await test.putEvents(tenantOnboarded(alone));
    await settle(cloud);
    strike(cloud.faults, { service: 'openai', action: 'POST /organization/projects', nth: 1 }, { mode: 'delay', delayMs: 2500 });
    await test.putEvents(tenantOnboarded(disturbed));
    await expect.poll(() => tenantItem(disturbed), { interval: 5, timeout: 10_000 }).toMatchObject({ status: 'provisioning' });
    const contradictions = [
      { tier: 'dedicated' },
      { credentials: [second] },
      { credentials: [openAiMain, second] },
      { credentials: [{ ...openAiMain, environment: 'staging' }] },
    ];
    await test.putEvents(...contradictions.map((changes) => tenantOnboarded(disturbed, changes)));
    for (const _ of contradictions) {
      expect(await test.deadLetter(disturbed)).toMatchObject({ attributes: { ReasonCode: 'EVENT_CONTRADICTS' } });
    }
    expect(await tenantItem(disturbed), 'still under way').toMatchObject({ status: 'provisioning' });
    await settle(cloud);
    const { published, failures, ...state } = await tenantState(test, disturbed);
    const { published: _published, failures: _failures, ...expected } = await tenantState(test, alone);
    expect(state).toEqual(expected);
    expect(published).toEqual(['TenantProvisioned', 'TenantProvisioningFailed']);
    expect(failures).toHaveLength(contradictions.length);
    for (const failure of failures) expect(failure).toMatchObject({ reason: { code: 'EVENT_CONTRADICTS' }, left: [] });
  });
});
