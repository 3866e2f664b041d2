import { setTimeout as sleep } from 'node:timers/promises';
import { decodeTime } from 'ulid';
import { beforeAll, describe, expect, it } from 'vitest';
import { usesBy } from '../support/attribution-log.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Item, itemsOf } from '../support/ground-truth.ts';
import { pause, settle } from '../support/settle.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});

const rawEntries = async (tenantId: string): Promise<readonly Item[]> =>
  (await itemsOf(test.cloud, 'AttributionTable')).filter(({ pk }) => pk.S.startsWith(`TENANT#${tenantId}#`));
const kindsOf = (items: readonly Item[], operation: string): readonly unknown[] =>
  items.filter((item) => JSON.stringify(item['operation']) === JSON.stringify({ S: operation })).map(({ sk }) => sk.S.split('#')[1]);
const keysOf = (tenantId: string) => test.cloud.openai.keys().filter(({ name }) => name.startsWith(`${tenantId}.`));
const projectsOf = (tenantId: string) =>
  [...test.cloud.openai.organization.projects.values()].filter(({ name }) => name === `cordon.${tenantId}`);

const onboarding = (tenantId: string) => ({
  detailType: 'TenantOnboarded',
  detail: {
    version: 1,
    tenantId,
    displayName: tenantId,
    tier: 'pool',
    requestedBy: 'somebody',
    credentials: [{ credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' }],
  },
});
const provisioned = (tenantId: string) => test.outcome(['TenantProvisioned', 'TenantProvisioningFailed'], tenantId);

describe('E1 every step of provisioning is attributed', () => {
  it.each(['pool', 'dedicated'])(
    'records who did what, with which credential, for whom and when, before and after each step of a %s tenant',
    async (tier) => {
      const from = test.cloud.clock.now();
      const { tenantId, eventId } = await test.onboard({ tier });
      const uses = await usesBy(test, tenantId);
      const ofCredential = { credentialId: 'openai-main', provider: 'openai' };
      const expected = [
        ...(tier === 'dedicated' ? [{ operation: 'iam.create-roles' }, { operation: 'kms.create-key' }] : []),
        { operation: 'provider.create-account', provider: 'openai' },
        { operation: 'provider.create-key', ...ofCredential },
        { operation: 'vault.store-secret', ...ofCredential },
      ];
      expect(uses.map(({ intent }) => intent.operation)).toEqual(expected.map(({ operation }) => operation));
      expect(uses).toMatchObject(
        expected.map((step) => ({
          intent: expect.objectContaining({
            ...step,
            tenantId,
            actor: { function: 'tenants', requestedBy: 'test' },
            context: expect.objectContaining({ eventId }),
          }),
          outcome: { result: 'succeeded' },
          credentialVersion: 'credentialId' in step ? expect.stringMatching(/^[0-9a-f]{64}$/) : undefined,
        })),
      );
      for (const { intent } of uses) {
        expect(Date.parse(intent.at)).toBeGreaterThanOrEqual(from);
        expect(Date.parse(intent.at)).toBeLessThanOrEqual(test.cloud.clock.now());
      }
      const items = await rawEntries(tenantId);
      expect(items).toHaveLength(2 * expected.length);
      const [secret] = await test.secretsOf(tenantId);
      expect(uses.at(-1)?.credentialVersion).toBe(secret?.versionId);
    },
  );
});

describe('E1 intent before use', () => {
  it.each([
    { step: 'provider.create-account', service: 'openai', action: 'POST /organization/projects' },
    { step: 'provider.create-key', service: 'openai', action: 'POST /organization/projects/{id}/service_accounts/{id}/api_keys' },
    { step: 'vault.store-secret', service: 'secretsmanager', action: 'CreateSecret' },
  ])(
    'has the INTENT of $step on record while the request is on its way, and its OUTCOME only afterwards',
    async ({ step, service, action }) => {
      const tenantId = test.freshTenantId();
      test.cloud.faults.add({ service, action, nth: 1, mode: 'delay', delayMs: 600 });
      await test.putEvents(onboarding(tenantId));
      // The fault is spent when the request has arrived; then it waits.
      while (test.cloud.faults.list().length > 0) await sleep(5);
      const kinds = kindsOf(await rawEntries(tenantId), step);
      const done = {
        'provider.create-account': projectsOf(tenantId).length,
        'provider.create-key': keysOf(tenantId).length,
        'vault.store-secret': (await test.secretsOf(tenantId)).length,
      }[step];
      expect({ kinds, done }).toEqual({ kinds: ['INTENT'], done: 0 });
      await provisioned(tenantId);
      expect(kindsOf(await rawEntries(tenantId), step)).toEqual(['INTENT', 'OUTCOME']);
    },
  );

  it('inserts the INTENT of storing a secret before it creates the secret, as the journal shows', async () => {
    const since = test.cloud.journal.lastSeq;
    const { tenantId } = await test.onboard();
    const calls = test.cloud.journal
      .since(since)
      .filter(({ tags, action }) => tags['TenantId'] === tenantId && /PartiQLInsert|CreateSecret/.test(action))
      .map(({ action }) => action);
    // Account, key and secret: an INTENT and an OUTCOME each; only the last INTENT stands directly before the secret.
    const insert = 'dynamodb:PartiQLInsert';
    expect(calls).toEqual([insert, insert, insert, insert, insert, 'secretsmanager:CreateSecret', insert]);
  });

  it('makes and vaults nothing while the attribution store is down, and completes once it is back', async () => {
    const tenantId = test.freshTenantId();
    for (let count = 0; count < 200; count += 1)
      test.cloud.faults.add({ service: 'dynamodb', action: 'ExecuteStatement', nth: 1, mode: 'before' });
    await test.putEvents(onboarding(tenantId));
    // Three deliveries, each of which asks the store several times.
    for (let tries = 0; tries < 3; tries += 1) {
      await pause(test.cloud);
      const asked = test.cloud.faults.list().length;
      test.cloud.clock.advance(320_000);
      await pause(test.cloud);
      expect(test.cloud.faults.list().length).toBeLessThan(asked);
    }
    expect({
      projects: projectsOf(tenantId),
      keys: keysOf(tenantId),
      secrets: await test.secretsOf(tenantId),
      entries: await rawEntries(tenantId),
    }).toEqual({
      projects: [],
      keys: [],
      secrets: [],
      entries: [],
    });
    expect(await test.published(tenantId)).toEqual([]);

    expect(test.cloud.faults.remove({ service: 'dynamodb' })).toBeGreaterThan(0);
    await settle(test.cloud);
    const outcome = await provisioned(tenantId);
    expect(outcome.detailType).toBe('TenantProvisioned');
    expect(keysOf(tenantId)).toEqual([expect.objectContaining({ deletedAt: undefined })]);
    expect(await test.secretsOf(tenantId)).toHaveLength(1);
    const uses = await usesBy(test, tenantId);
    expect(uses.map(({ intent, outcome: { result } }) => `${intent.operation} ${result}`)).toEqual([
      'provider.create-account succeeded',
      'provider.create-key succeeded',
      'vault.store-secret succeeded',
    ]);
  });
});

describe('E1 an INTENT without an OUTCOME', () => {
  it('is pending for sixteen minutes and then unknown', async () => {
    const tenantId = test.freshTenantId();
    // The worker dies when the first INTENT is recorded: nobody will ever say how that one ended.
    test.cloud.faults.add({ service: 'dynamodb', action: 'ExecuteStatement', nth: 1, mode: 'crash' });
    await test.putEvents(onboarding(tenantId));
    await settle(test.cloud);
    const outcome = await provisioned(tenantId);
    expect(outcome.detailType).toBe('TenantProvisioned');

    const resultsOf = async () => (await usesBy(test, tenantId)).map((use) => `${use.intent.operation} ${use.outcome.result}`);
    const [orphan] = await usesBy(test, tenantId);
    const begun = decodeTime(orphan?.intent.id ?? '');
    const rest = ['provider.create-account succeeded', 'provider.create-key succeeded', 'vault.store-secret succeeded'];
    const advanceTo = (ms: number): void => test.cloud.clock.advance(Math.max(0, begun + ms - test.cloud.clock.now()));
    advanceTo(15.5 * 60_000);
    expect(test.cloud.clock.now() - begun).toBeLessThan(16 * 60_000);
    expect(await resultsOf()).toEqual(['provider.create-account pending', ...rest]);
    advanceTo(16 * 60_000);
    expect(await resultsOf()).toEqual(['provider.create-account unknown', ...rest]);
  });
});
