import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import { endedUses } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { sweep } from '../support/customers.ts';
import { useOf } from '../support/provider-uses.ts';
import {
  fingerprintIn,
  isLive,
  type Kept,
  labelsOf,
  newsOf,
  requestRotation,
  rotatingTenant,
  rotationLetters,
  scheduleNothing,
  simulatorOf,
  stateOf,
  stepsOf,
} from '../support/rotations.ts';
import { bringKeyIn, supplyKey } from '../support/supply.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
beforeEach(() => scheduleNothing(test));

const provider = 'anthropic';
const rotation = { everyDays: 30, graceHours: 24 };
const own = { credentialId: 'anthropic-own', provider, source: 'customer-supplied', environment: 'production', rotation };

/** A credential whose first key the customer, or the user whose own it is, has brought in. */
async function withOwnKey(
  tier: 'pool' | 'dedicated',
  subject?: string,
): Promise<{ kept: Kept; apiKey: string; bringNext(): Promise<string> }> {
  const { issuer } = test.cloud.oidc;
  const tenantId = await rotatingTenant(test, subject === undefined ? [own] : [], { tier });
  if (subject !== undefined) {
    const about = { version: 1, tenantId, requestedBy: 'test' };
    await test.putEvents({ detailType: 'UserOnboarded', detail: { ...about, issuer, subject } });
    await test.outcome(['UserProvisioned'], tenantId);
    const credential = { ...own, userId: userIdOf(issuer, subject) };
    await test.putEvents({ detailType: 'CredentialRequested', detail: { ...about, credential } });
    await test.outcome(['CredentialProvisioned'], tenantId);
  }
  const kept: Kept = { tenantId, credentialId: own.credentialId, provider, subject };
  const bringNext = () => bringKeyIn(test, { ...kept, ...(subject !== undefined && { userId: subject }) });
  return { kept, apiKey: await bringNext(), bringNext };
}

/** What Cordon has asked of the administration of the customer's keys: which are the customer's to make and to disable. */
const adminRequests = () =>
  simulatorOf(test, provider)
    .requests()
    .filter(({ path }) => path.includes('/organizations/'));

const owners = [
  ['a pool tenant', 'pool', undefined],
  ['a dedicated tenant', 'dedicated', undefined],
  ['a user of a pool tenant', 'pool', 'ana'],
] as const;

describe("R1 R4 customers' own keys, of pool tenants, dedicated ones and users", () => {
  it('are asked for anew when they are due, again every week, and shown to be dead once their owners disabled them', async () => {
    const all = await Promise.all(owners.map(([_, tier, subject]) => withOwnKey(tier, subject)));
    const before = await Promise.all(all.map(({ kept }) => stateOf(test, kept)));
    const each = async (look: (one: (typeof all)[number], old: string) => Promise<void>): Promise<void> => {
      for (const [index, one] of all.entries()) await look(one, before[index]?.secretVersionId ?? '');
    };
    await sweep(test, 30 * 1440);
    const askedAt = test.cloud.clock.now();
    await each(async ({ kept }) => {
      const asked = await newsOf(test, kept, 'CredentialNextRequested');
      expect(asked).toMatchObject([{ overdue: false, reason: 'schedule', requestedBy: 'schedule', provider }]);
      expect(Math.abs(Date.parse(String(asked[0]?.['dueAt'])) - askedAt - 86_400_000)).toBeLessThan(120_000);
    });
    await sweep(test, 6 * 1440);
    await each(async ({ kept }) => expect(await newsOf(test, kept, 'CredentialNextRequested')).toHaveLength(1));
    await sweep(test, 1440);
    await each(async ({ kept }) =>
      expect(await newsOf(test, kept, 'CredentialNextRequested')).toMatchObject([
        { overdue: false },
        { overdue: true, reason: 'schedule' },
      ]),
    );

    // What the provider does not accept is not taken in, and nothing ends because of it.
    await each(async ({ kept }) => {
      const userId = kept.subject === undefined ? {} : { userId: kept.subject };
      const refused = { ...kept, apiKey: `sk-ant-api03-${'a-key-of-nobody'.repeat(3)}`, ...userId };
      expect(await supplyKey(test, refused)).toMatchObject({ status: 422, code: 'KEY_REFUSED' });
    });
    await sweep(test);
    await each(async ({ kept }, secretVersionId) => {
      expect(await stateOf(test, kept)).toMatchObject({ secretVersionId, rotating: { phase: 'creating' } });
      expect(await newsOf(test, kept, 'CredentialRotated')).toEqual([]);
    });

    const next = await Promise.all(all.map(({ bringNext }) => bringNext()));
    await sweep(test);
    const after = await Promise.all(all.map(({ kept }) => stateOf(test, kept)));
    for (const [index, { kept }] of all.entries()) {
      const [versionId, previousVersionId] = [after[index]?.secretVersionId, before[index]?.secretVersionId];
      expect(await newsOf(test, kept, 'CredentialRotated')).toMatchObject([{ versionId, previousVersionId, reason: 'schedule' }]);
      expect(await fingerprintIn(test, kept)).toBe(fingerprintOf(next[index] ?? ''));
    }

    // The customer has not disabled it: that is asked about, and nobody else's to do.
    for (const minutes of [17, 60, 1440]) await sweep(test, minutes);
    await each(async ({ kept, apiKey }, old) => {
      expect(await stateOf(test, kept)).toMatchObject({ rotating: { phase: 'unproven' }, previous: { versionId: old } });
      expect(await newsOf(test, kept, 'CredentialUnproven')).toMatchObject([{ versionId: old }]);
      expect(isLive(test, provider, fingerprintOf(apiKey))).toBe(true);
      expect(await newsOf(test, kept, 'CredentialRetired')).toEqual([]);
    });

    for (const { apiKey } of all) simulatorOf(test, provider).revokeKey(apiKey);
    await sweep(test, 61);
    for (const [index, { kept }] of all.entries()) {
      const old = before[index]?.secretVersionId;
      expect(await newsOf(test, kept, 'CredentialRetired')).toMatchObject([{ versionId: old, retiredBy: 'drained' }]);
      const end = await stateOf(test, kept);
      expect([end.rotating, end.previous]).toEqual([undefined, undefined]);
      expect(await labelsOf(test, kept)).toEqual({ AWSCURRENT: after[index]?.secretVersionId });
      // The next time counts from when this key came into force.
      expect(Number(end.dueAt)).toBeGreaterThan(askedAt + 36 * 86_400_000);
      expect(Number(end.dueAt)).toBeLessThan(test.cloud.clock.now() + 30 * 86_400_000);
      expect(await rotationLetters(test, kept.tenantId)).toEqual([]);
    }
    expect(adminRequests()).toEqual([]);
  });
});

describe('R1 R4 a next key of a customer', () => {
  it('is asked for when an event says so, in the name of who wants it', async () => {
    const { kept, apiKey, bringNext } = await withOwnKey('pool');
    await requestRotation(test, kept);
    expect(await newsOf(test, kept, 'CredentialNextRequested')).toMatchObject([
      { reason: 'requested', requestedBy: 'ops@example.com', why: 'to see it done', overdue: false },
    ]);
    await bringNext();
    // The platform may tell of it; what is in the registry counts.
    await test.putEvents({
      detailType: 'CredentialSupplied',
      detail: { version: 1, tenantId: kept.tenantId, credentialId: kept.credentialId, requestedBy: 'platform' },
    });
    await sweep(test);
    expect(await newsOf(test, kept, 'CredentialRotated')).toMatchObject([{ reason: 'requested', requestedBy: 'ops@example.com' }]);
    simulatorOf(test, provider).revokeKey(apiKey);
    await sweep(test, 17);
    expect(await newsOf(test, kept, 'CredentialRetired')).toHaveLength(1);
    const steps = await stepsOf(test, kept);
    expect(steps.map(({ intent }) => intent.operation)).toEqual([
      'rotation.compare-keys',
      'rotation.confirm-refused',
      'rotation.drop-version',
    ]);
    for (const { intent } of steps)
      expect(intent).toMatchObject({ actor: { function: 'rotation', requestedBy: 'ops@example.com' }, context: { why: 'to see it done' } });
  });

  it('that is the one in force already is none, although it is another ciphertext', async () => {
    const { kept, apiKey } = await withOwnKey('pool');
    const before = await stateOf(test, kept);
    expect((await supplyKey(test, { ...kept, apiKey })).status).toBe(200);
    await sweep(test);
    await sweep(test, 17);
    const { rotating, previous, secretVersionId } = await stateOf(test, kept);
    expect({ rotating, previous, isNew: secretVersionId !== before.secretVersionId }).toEqual({ isNew: true });
    expect(await newsOf(test, kept)).toEqual([]);
  });

  it('that comes unasked takes over just the same', async () => {
    const { kept, apiKey, bringNext } = await withOwnKey('pool');
    const { secretVersionId: old } = await stateOf(test, kept);
    await bringNext();
    simulatorOf(test, provider).revokeKey(apiKey);
    await sweep(test);
    await sweep(test, 17);
    expect(await newsOf(test, kept)).toMatchObject([
      { detailType: 'CredentialRotated', requestedBy: 'customer', previousVersionId: old },
      { detailType: 'CredentialRetired', versionId: old },
    ]);
  });
});

describe('R1 R4 a federated credential', () => {
  it('is stored nowhere: on request the next use gets a token of its own, and the schedule knows nothing of it', async () => {
    const audience = 'https://api.openai.com/v1';
    const settings = { audience, identityProviderId: 'idp_rotation', serviceAccountId: 'user-agents' };
    const federated = { credentialId: 'openai-federated', provider: 'openai', source: 'federated', environment: 'production', settings };
    const tenantId = await rotatingTenant(test, [federated], { tier: 'dedicated' });
    const kept: Kept = { tenantId, credentialId: federated.credentialId, provider: 'openai' };
    const { webIdentity, accountId, world } = test.cloud;
    const subject = `arn:aws:iam::${accountId}:role/cordon/TenantAgent-${tenantId}`;
    world.trust('openai', { ruleId: settings.identityProviderId, issuer: webIdentity.issuerOf(accountId), audience, subject });
    const token = await test.cloud.oidc.mint({ tenantId, userId: 'agent', expiresIn: 86_400 });
    const minted = (since: number) => test.cloud.journal.since(since).filter(({ action }) => action === 'sts:GetWebIdentityToken').length;
    const shown = () => simulatorOf(test, 'openai').requests().at(-1)?.keyFingerprint;

    expect(await useOf(test, 'openai', token)).toMatchObject({ status: 200 });
    const first = shown();
    const since = test.cloud.journal.lastSeq;
    expect(await useOf(test, 'openai', token)).toMatchObject({ status: 200 });
    expect([shown(), minted(since)]).toEqual([first, 0]);
    const { epoch } = await stateOf(test, kept);

    await requestRotation(test, kept);
    expect(await newsOf(test, kept)).toMatchObject([
      { detailType: 'CredentialRotated', reason: 'requested', requestedBy: 'ops@example.com', why: 'to see it done' },
    ]);
    const state = await stateOf(test, kept);
    expect([state.epoch, state.dueAt, state.rotating, state.status]).toEqual([epoch + 1, undefined, undefined, 'recorded']);
    expect(await useOf(test, 'openai', token)).toMatchObject({ status: 200 });
    expect(shown()).not.toBe(first);
    expect(minted(since)).toBe(1);
    expect(await test.secretsOf(tenantId)).toEqual([]);
    expect((await endedUses(test, tenantId, 3)).map(({ outcome }) => outcome.result)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(await rotationLetters(test, tenantId)).toEqual([]);
  });
});
